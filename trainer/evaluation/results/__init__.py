"""Kept results: the digest of what decides one, and the store that keeps it with its digest."""
