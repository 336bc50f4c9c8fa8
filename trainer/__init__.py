"""Data sets, networks, training and export; needs the `train` extra."""
