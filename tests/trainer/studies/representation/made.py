"""Synthetic beats of two classes."""

import numpy as np

from trainer.data.examples import Examples


def beats(n, seed=0, channels=1, length=187):
    """Narrow and wide beats in [0, 1], filled with zeros from two thirds of their length on."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n).astype(np.int8)
    at = np.arange(length)
    peak = rng.uniform(0.2, 0.4, (n, 1)) * length
    width = np.where(labels, 0.06, 0.02)[:, None] * length
    signal = 0.1 + 0.8 * np.exp(-(((at - peak) / width) ** 2))
    signal += 0.1 * at / length
    signal[at > rng.uniform(0.6, 0.8, (n, 1)) * length] = 0
    inputs = np.zeros((n, channels, length), np.float32)
    inputs[:, 0] = signal
    inputs[:, 1:] = rng.uniform(0, 1, (n, channels - 1, 1))
    wearers = np.array([f"w{number % 7}" for number in range(n)])
    return Examples(inputs, labels, wearers, np.arange(n), ("narrow", "wide"))
