"""What annotations say of a record's windows: beats, and rhythms in which no beat is named."""

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import WINDOW
from ecgmon.core.labels import ABNORMAL, UNLABELLED, has_classes, window_labels
from ecgmon.core.rhythm_notes import ventricular_spans
from ecgmon.records import Record


def has_beat_classes(record: Record) -> bool:
    """Tell whether a record's annotations say which of its beats are normal."""
    database, _, _ = record.name.rpartition("/")
    marks = record.annotations
    return marks is not None and has_classes(database.rpartition("/")[2], marks)


def truth_of_windows(record: Record) -> NDArray[np.int8] | None:
    """Return the label of each window of a record at 360 Hz; None without annotations.

    A window that lies within annotated fibrillation, flutter or ventricular tachycardia is
    abnormal, whether or not beats are marked there. All others have their label by beats, where
    these have classes.
    """
    if record.annotations is None:
        return None
    labels = window_labels(record.annotations, len(record.samples), WINDOW)
    if not has_beat_classes(record):
        labels[:] = UNLABELLED
    for start, stop in _ventricular(record):
        inside = slice(-(-start // WINDOW), stop // WINDOW)
        labels[inside] = np.where(labels[inside] == UNLABELLED, ABNORMAL, labels[inside])
    return labels


def in_ventricular_rhythm(record: Record, start: int, stop: int) -> bool:
    """Tell whether such a rhythm is annotated somewhere from sample ``start`` to ``stop``."""
    return any(a < stop and start < b for a, b in _ventricular(record))


def _ventricular(record: Record) -> list[tuple[int, int]]:
    if record.annotations is None:
        return []
    return ventricular_spans(record.annotations, len(record.samples))
