"""Networks, their input transforms and loss functions."""
