"""Totals of beats, as reports of long-term ECGs (Holter) have them, and how they look."""
