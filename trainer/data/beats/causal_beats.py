"""Beats as a live monitor sees them: the causal signal around each, and the RR intervals before."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import RecordError
from ecgmon.core.labels import AAMI_CLASSES, is_beat
from ecgmon.records import Record
from ecgmon.records.converted import converted
from ecgmon.signal import rr_intervals
from ecgmon.signal.beat_segments import LENGTH, SHAPES, VALUES, beat_inputs
from ecgmon.signal.offline import feed_of
from trainer.data.beats.kachuee import CLASSES
from trainer.data.examples import Examples

CHANNELS: Final = SHAPES + rr_intervals.VALUES
"""Channels of the recipe's input."""


def live_beats(record: Record) -> Examples:
    """Cut an annotated record at its annotated beats.

    Raises
    ------
    RecordError
        If it has no annotations, or a monitor does not take its rate.
    """
    record = converted(record)
    if record.annotations is None:
        raise RecordError(f"{record.name} has no annotations to learn from: choose another.")
    which = is_beat(record.annotations)
    symbols = np.array(record.annotations.symbols)[which]
    labels = np.array([CLASSES.index(AAMI_CLASSES[symbol]) for symbol in symbols], dtype=np.int8)
    samples = record.annotations.samples[which]
    wearers = np.full(len(labels), record.wearer)
    return Examples(channels(inputs_at(record, samples)), labels, wearers, samples, CLASSES)


def inputs_at(record: Record, beats: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the inputs of beats, shape (n, VALUES), as `ecgmon.signal.beat_segments` defines them.

    Parameters
    ----------
    record : Record
        At any rate that a monitor takes.
    beats : ndarray of int64, shape (n,)
        Sample index at `RATE` of each.
    """
    feed = feed_of(converted(record).millivolts())
    scale = np.array([unit for _, unit in feed.scale], dtype=np.float32)
    return beat_inputs(np.concatenate(feed.filtered), scale, beats)


def channels(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what the recipe `context` sees of inputs, shape (n, CHANNELS, LENGTH).

    Channel 0 is the signal, channel 1 its difference from the usual beat. The others are constant:
    what `ecgmon.signal.rr_intervals` says.

    Parameters
    ----------
    inputs : ndarray of float32, shape (n, `ecgmon.signal.beat_segments.VALUES`)
    """
    of_channels = np.empty((len(inputs), CHANNELS, LENGTH), dtype=np.float32)
    of_channels[:, :SHAPES] = inputs[:, : SHAPES * LENGTH].reshape(-1, SHAPES, LENGTH)
    rest = inputs[:, SHAPES * LENGTH : SHAPES * LENGTH + rr_intervals.VALUES]
    of_channels[:, SHAPES:] = rest[:, :, None]
    return of_channels


def flat(of_channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return inputs of which `channels` would make these; what it leaves out is 0."""
    inputs = np.zeros((len(of_channels), VALUES), dtype=np.float32)
    inputs[:, : SHAPES * LENGTH] = of_channels[:, :SHAPES].reshape(len(of_channels), -1)
    inputs[:, SHAPES * LENGTH : SHAPES * LENGTH + rr_intervals.VALUES] = of_channels[:, SHAPES:, 0]
    return inputs
