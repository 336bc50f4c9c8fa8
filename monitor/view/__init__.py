"""The live terminal view: a subscriber of what the monitor publishes."""
