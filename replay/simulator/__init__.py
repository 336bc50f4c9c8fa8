"""Simulated wearers, and the alarms that they must lead to."""
