"""Labels of windows from labels of beats, and labels of beats from a record set's steps."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.labels import ABNORMAL, NORMAL, UNLABELLED
from trainer.data.dataset import RecordSet
from trainer.data.rhythms import ABNORMAL_BEAT, NORMAL_BEAT, NORMAL_RHYTHM
from trainer.enrolment.signal import EnrolmentSignal

MATCH: Final = round(0.15 * RATE)
"""Two marks at most this many samples apart are of one beat (ANSI/AAMI EC57)."""


def labelled(signal: EnrolmentSignal, labels: NDArray[np.int8]) -> RecordSet:
    """Label the windows of an enrolment by their beats; windows after it have no label.

    A window is abnormal if a beat in it is, and normal if all its beats are. A window with an
    unlabelled beat and no abnormal one has no label, nor has a window without beats
    or without usable signal.

    Parameters
    ----------
    signal : EnrolmentSignal
        Signal of the enrolment.
    labels : ndarray of int8, shape (beats,)
        Label of each beat: `NORMAL`, `ABNORMAL` or `UNLABELLED`.
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


def beat_labels(signal: EnrolmentSignal) -> NDArray[np.int8]:
    """Return the label of each detected beat, int8 of shape (beats,).

    The label is that of the nearest annotated beat within `MATCH`, because annotators and the
    detector do not mark the same sample; without one it is `UNLABELLED`.
    """
    along = signal.record.beats[: signal.seconds].ravel()  # later windows have no known label
    marked = np.flatnonzero(along)
    step = RATE // signal.record.beats.shape[1]
    labels = np.where(
        np.isin(along[marked], (NORMAL_BEAT, NORMAL_RHYTHM)), NORMAL, ABNORMAL
    ).astype(np.int8)
    return matched(signal.beats, marked * step + step // 2, labels)


def matched(
    beats: NDArray[np.int64], marks: NDArray[np.int64], labels: NDArray[np.int8]
) -> NDArray[np.int8]:
    """Return for each beat the label of the nearest mark within `MATCH`, else `UNLABELLED`.

    Parameters
    ----------
    beats : ndarray of int64, shape (n,)
        Sample index of each beat.
    marks : ndarray of int64, shape (m,)
        Sample index of each mark, ascending.
    labels : ndarray of int8, shape (m,)
        Label of each mark.
    """
    if not len(marks):
        return np.full(len(beats), UNLABELLED, dtype=np.int8)
    after = np.searchsorted(marks, beats).clip(1, max(len(marks) - 1, 1))
    around = np.stack([after - 1, np.minimum(after, len(marks) - 1)])
    distance = np.abs(marks[around] - beats)
    nearest = np.take_along_axis(around, distance.argmin(axis=0)[None], axis=0)[0]
    return np.where(distance.min(axis=0) <= MATCH, labels[nearest], UNLABELLED).astype(np.int8)
