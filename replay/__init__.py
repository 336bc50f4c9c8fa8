"""Recorded and simulated wearers: streams them as a device would and scores the monitor."""
