"""A record set labelled by what is known of its beats, instead of by annotations."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ecgmon.grid import RATE, WINDOW
from ecgmon.labels import ABNORMAL, NORMAL, UNLABELLED
from trainer.dataset import RecordSet
from trainer.enrolment.signal import Signal
from trainer.rhythms import ABNORMAL_BEAT, NORMAL_BEAT


def labelled(signal: Signal, labels: NDArray[np.int8]) -> RecordSet:
    """Label the windows of an enrolment by their beats, and no others.

    A window with a beat that has no label has none, unless another beat in it is abnormal; so do
    windows without beats and those that cannot be used.

    Parameters
    ----------
    signal : Signal
        Of the enrolment.
    labels : ndarray of int8, shape (beats,)
        `NORMAL`, `ABNORMAL` or `UNLABELLED`.
    """
    record = signal.record
    windows = np.full(len(record), UNLABELLED, dtype=np.int8)
    steps = np.zeros_like(record.beats)
    which = signal.beats // WINDOW
    step = signal.beats % WINDOW * steps.shape[1] // RATE
    for label, mark in ((NORMAL, NORMAL_BEAT), (UNLABELLED, 0), (ABNORMAL, ABNORMAL_BEAT)):
        of_label = labels == label
        windows[which[of_label]] = label
        steps[which[of_label], step[of_label]] = mark
    return replace(record, labels=windows, beats=steps)
