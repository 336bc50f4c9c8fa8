"""Exporting what a monitor has kept of a wearer: the captured signal and what was said of it."""
