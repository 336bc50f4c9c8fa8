"""Data sets: records, splits, protocols, windows and beats as labelled examples."""
