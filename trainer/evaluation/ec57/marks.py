"""Marks of an annotator, reduced to what EC57 compares."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.labels import AAMI_CLASSES
from trainer.evaluation.ec57.matching import MATCH, NEVER

CLASSES: Final = MappingProxyType(AAMI_CLASSES | dict.fromkeys("ejn", "S"))
"""Class of every beat symbol. bxb counts supraventricular escape beats as ectopic ones; the
grouping of most of the literature, `AAMI_CLASSES`, has them among the normal ones."""
UNREADABLE: Final = 0x30
"""Bits of a ``~`` mark's subtype that say: neither of the signals can be read."""

Spans = Sequence[tuple[int, int]]
"""First and last sample of episodes, both included."""


@dataclass(frozen=True, eq=False, slots=True)
class Marks:
    """Beats and episodes.

    Parameters
    ----------
    beats : ndarray of int64, shape (n,)
        Sample index of each beat outside ventricular flutter and fibrillation, ascending.
    classes : str, length n
        Class of each, one of NSVFQ.
    flutter : sequence of (int, int)
        Episodes of ventricular flutter or fibrillation, from ``[`` to ``]``. Their single waves
        are no beats, so nothing in them is compared.
    shutdown : sequence of (int, int)
        Episodes that the annotator calls unreadable.
    """

    beats: NDArray[np.int64]
    classes: str
    flutter: Spans = ()
    shutdown: Spans = ()


def marks(annotations: Iterable[tuple[int, str, int]], stop: int = NEVER) -> Marks:
    """Tell beats and episodes from a record's annotations.

    A shutdown begins with ``~`` of a subtype with both bits of `UNREADABLE` and ends with one
    without. If something else follows, there was but one mark in the middle of it, as in the
    database of the AHA: then it lasts from `MATCH` after what came before to `MATCH` before what
    follows.

    Parameters
    ----------
    annotations : iterable of (int, str, int)
        Sample index, WFDB symbol and subtype of each, in the order of time.
    stop : int
        The record's end, at which episodes without an end of their own end.
    """
    beats: list[int] = []
    classes: list[str] = []
    flutter: list[tuple[int, int]] = []
    shutdown: list[tuple[int, int]] = []
    fluttering: int | None = None
    unreadable: int | None = None
    for sample, symbol, subtype in annotations:
        if fluttering is not None:
            if symbol == "]":
                flutter.append((fluttering, sample))
                fluttering = None
            continue
        begins = symbol == "~" and subtype & UNREADABLE == UNREADABLE
        if unreadable is not None:
            if symbol == "~" and not begins:
                shutdown.append((unreadable, sample))
            else:
                before = max(beats[-1:] + [end for _, end in flutter[-1:]], default=0)
                shutdown.append((min(before + MATCH, sample - MATCH), sample - MATCH))
            unreadable = None
        if symbol in CLASSES:
            beats.append(sample)
            classes.append(CLASSES[symbol])
        elif symbol == "[":
            fluttering = sample
        elif begins:
            unreadable = sample
    if fluttering is not None:
        flutter.append((fluttering, max(fluttering, stop)))
    if unreadable is not None:
        shutdown.append((unreadable, max(unreadable, stop)))
    return Marks(np.array(beats, dtype=np.int64), "".join(classes), flutter, shutdown)


def inside(spans: Spans, samples: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which samples lie in one of some episodes.

    Returns
    -------
    ndarray of bool, shape of ``samples``
    """
    if not spans:
        return np.zeros(samples.shape, dtype=bool)
    begun, ended = np.array(sorted(spans)).T
    last = np.searchsorted(begun, samples, side="right")
    latest = np.concatenate([[-1], np.maximum.accumulate(ended)])
    within: NDArray[np.bool_] = samples <= latest[last]
    return within
