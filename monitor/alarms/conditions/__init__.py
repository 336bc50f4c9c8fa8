"""Alarm conditions: each decides from a stream's seconds whether it holds."""
