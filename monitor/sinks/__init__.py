"""Sinks of results: the outbox and the publisher."""
