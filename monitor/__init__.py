"""The monitoring daemon and its terminal view."""
