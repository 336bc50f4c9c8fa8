"""Networks, their input transforms and loss functions."""

from typing import Final

TRAINABLE: Final = ("beatnet", "cardiacnet")
"""Names of the networks of `trainer.networks.window_networks`; to read them loads no torch."""
