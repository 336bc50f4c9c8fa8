"""The trainings of the studies that are more than one recipe."""
