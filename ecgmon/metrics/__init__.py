"""Figures of merit of a classifier, computed from its confusion matrix."""
