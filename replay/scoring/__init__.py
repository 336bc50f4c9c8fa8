"""Comparing what a monitor published with annotations or a simulation's truth."""
