"""Beats as a live monitor sees them: the causal signal around each, and the RR intervals before."""

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import RecordError
from ecgmon.core.labels import AAMI_CLASSES, is_beat
from ecgmon.records import Record
from ecgmon.records.converted import converted
from ecgmon.signal.beat_segments import beat_inputs
from ecgmon.signal.offline import feed_of
from trainer.data.beats.kachuee import CLASSES
from trainer.data.examples import Examples


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
    return Examples(inputs_at(record, samples), labels, wearers, samples, CLASSES)


def inputs_at(record: Record, beats: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the inputs of beats, as `ecgmon.signal.beat_segments` defines them.

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
