"""The steps of `ecgmon enroll`: a signal, its labels, a model."""
