"""Seven transformations of a beat, which study 4's networks learn to tell apart before any label.

They act on channel 0, the signal, and there on the beat alone: the run of zeros at its end is
padding and stays behind it. Further channels, such as the RR context of live beats, are left as
they are. Sizes are the project's choice where the study names none.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import permutations
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainer.data.examples import Examples

Signal = NDArray[np.float32]
"""Beats, shape (n, length)."""
Lengths = NDArray[np.intp]
"""Samples of each beat before its padding, shape (n,)."""
Transformation = Callable[[Signal, Lengths, np.random.Generator], Signal]
"""Maps beats to beats of the same shape; what is random comes from the generator."""
NOISE: Final = 0.05
"""Standard deviation of the noise, as a share of the beat's range."""
SEGMENTS: Final = 4
"""So many segments of equal length are shuffled; samples left over at the beat's end stay."""
SCALE: Final = 0.1
_ORDERS: Final = np.array(list(permutations(range(SEGMENTS)))[1:])
"""All orders of the segments but the first, which would leave the beat as it is."""


def lengths(signal: Signal) -> Lengths:
    """Return how long beats are without the zeros at their end; at least 1."""
    padding = np.cumsum(signal[:, ::-1] != 0, axis=1) == 0
    result: Lengths = np.maximum(signal.shape[1] - padding.sum(1), 1)
    return result


def original(signal: Signal, _lengths: Lengths, _rng: np.random.Generator) -> Signal:
    """Return beats as they are."""
    return signal


def negated(signal: Signal, lengths: Lengths, _rng: np.random.Generator) -> Signal:
    """Turn beats upside down within their own range, so that those in [0, 1] stay there."""
    inside = _before(signal, lengths)
    low, high = _range(signal, inside)
    result: Signal = np.where(inside, low + high - signal, signal)
    return result


def reversed_in_time(signal: Signal, lengths: Lengths, _rng: np.random.Generator) -> Signal:
    """Return beats that begin with their last sample."""
    source = lengths[:, None] - 1 - _positions(signal)
    return _at_indices(signal, np.where(source < 0, _positions(signal), source))


def noisy(signal: Signal, lengths: Lengths, rng: np.random.Generator) -> Signal:
    """Add Gaussian noise to beats."""
    low, high = _range(signal, _before(signal, lengths))
    noise = rng.standard_normal(signal.shape, dtype=np.float32)
    return signal + _padded(noise * (high - low) * np.float32(NOISE), lengths)


def shuffled(signal: Signal, lengths: Lengths, rng: np.random.Generator) -> Signal:
    """Put the segments of beats in another order."""
    size = lengths[:, None] // SEGMENTS
    segment, offset = np.divmod(_positions(signal), np.maximum(size, 1))
    order = _ORDERS[rng.integers(len(_ORDERS), size=len(signal))]
    moved = np.take_along_axis(order, np.minimum(segment, SEGMENTS - 1), 1) * size + offset
    return _at_indices(
        signal, np.where(segment * size < SEGMENTS * size, moved, _positions(signal))
    )


def stretched(signal: Signal, lengths: Lengths, _rng: np.random.Generator) -> Signal:
    """Make beats twice as long by linear interpolation; what does not fit is cut off."""
    at, last = _positions(signal), lengths[:, None] - 1
    left, right = np.minimum(at // 2, last), np.minimum((at + 1) // 2, last)
    between = (_at_indices(signal, left) + _at_indices(signal, right)) * np.float32(0.5)
    return _padded(between, 2 * lengths)


def squeezed(signal: Signal, lengths: Lengths, _rng: np.random.Generator) -> Signal:
    """Make beats half as long: every other sample, and zeros behind."""
    source = np.minimum(2 * _positions(signal), signal.shape[1] - 1)
    return _padded(_at_indices(signal, source), -(-lengths // 2))


def scaled(signal: Signal, _lengths: Lengths, _rng: np.random.Generator) -> Signal:
    """Make beats ten times as small."""
    return signal * np.float32(SCALE)


VERSIONS: Final[Mapping[str, Transformation]] = MappingProxyType(
    {
        "original": original,
        "negated": negated,
        "reversed": reversed_in_time,
        "noisy": noisy,
        "shuffled": shuffled,
        "stretched": stretched,
        "squeezed": squeezed,
        "scaled": scaled,
    }
)
"""What an input may have gone through; each has a head of its own in pre-training."""


def in_versions(examples: Examples, rng: np.random.Generator) -> Examples:
    """Return each example in a version drawn at random; its label says which.

    Parameters
    ----------
    examples : Examples
        Their own labels are not looked at.
    rng : numpy.random.Generator
        Draws versions, noise and orders.

    Returns
    -------
    Examples, of shape and order of ``examples``
        Their classes are `VERSIONS`.
    """
    versions = rng.integers(len(VERSIONS), size=len(examples)).astype(np.int8)
    inputs = examples.inputs.copy()
    for number, transformation in enumerate(VERSIONS.values()):
        own = versions == number
        signal = inputs[own, 0]
        inputs[own, 0] = transformation(signal, lengths(signal), rng)
    return replace(examples, inputs=inputs, labels=versions, classes=tuple(VERSIONS))


def _positions(signal: Signal) -> NDArray[np.intp]:
    """Return the number of each sample, shape (n, length)."""
    return np.broadcast_to(np.arange(signal.shape[1]), signal.shape)


def _before(signal: Signal, lengths: Lengths) -> NDArray[np.bool_]:
    """Return which samples lie before the padding, shape (n, length)."""
    return _positions(signal) < lengths[:, None]


def _padded(signal: Signal, lengths: Lengths) -> Signal:
    """Return beats with zeros from their lengths on."""
    result: Signal = np.where(_before(signal, lengths), signal, np.float32(0))
    return result


def _range(signal: Signal, inside: NDArray[np.bool_]) -> tuple[Signal, Signal]:
    """Return the least and the largest sample of each beat, both of shape (n, 1)."""
    low: Signal = signal.min(1, where=inside, initial=np.inf, keepdims=True)
    high: Signal = signal.max(1, where=inside, initial=-np.inf, keepdims=True)
    return low, high


def _at_indices(signal: Signal, source: NDArray[np.intp]) -> Signal:
    """Return beats made of given samples of themselves, by number, shape (n, length)."""
    return np.take_along_axis(signal, source, 1)
