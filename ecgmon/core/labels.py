"""Window labels from beat annotations, and the AAMI classes of beats."""

from types import MappingProxyType
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.annotations import Annotations

NORMAL: Final = 0
ABNORMAL: Final = 1
UNLABELLED: Final = -1

BeatClass = Literal["N", "S", "V", "F", "Q"]
"""AAMI class of a beat: normal, supraventricular or ventricular ectopic, fusion, other."""
ECTOPIC: Final[frozenset[BeatClass]] = frozenset(("S", "V", "F"))
"""Classes of beats that come from another place in the heart; F is half of one."""

AAMI_CLASSES: Final = MappingProxyType(
    {
        symbol: aami
        for aami, symbols in {
            "N": "NLRBejn",
            "S": "AaJS",
            "V": "VEr",
            "F": "F",
            "Q": "/fQ?",
        }.items()
        for symbol in symbols
    }
)
"""AAMI class of every WFDB beat symbol, as de Chazal et al. (2004) and most after them group them:
supraventricular escape beats among the normal ones. Other symbols do not mark beats."""


def is_beat(annotations: Annotations) -> NDArray[np.bool_]:
    """Tell which annotations mark beats.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    return np.array([symbol in AAMI_CLASSES for symbol in annotations.symbols], dtype=bool)


def is_abnormal(annotations: Annotations) -> NDArray[np.bool_]:
    """Tell which annotations mark a beat other than ``N``, as CardiacNet (2024) defines abnormal.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    other = np.array([symbol != "N" for symbol in annotations.symbols], dtype=bool)
    abnormal: NDArray[np.bool_] = is_beat(annotations) & other
    return abnormal


WITHOUT_CLASSES: Final = ("cudb",)
"""Databases whose annotations call every beat N, whatever it is: they say nothing of classes."""


def has_classes(database: str, annotations: Annotations) -> bool:
    """Tell whether annotations of a database say which beats are normal."""
    return database not in WITHOUT_CLASSES and bool(is_beat(annotations).any())


def window_labels(annotations: Annotations, n_samples: int, window: int) -> NDArray[np.int8]:
    """Label non-overlapping windows by the rule of CardiacNet (Vavekanand et al. 2024).

    A window is abnormal if it holds any beat other than ``N``. Windows without annotations, or
    with one that is not a beat (rhythm changes, noise marks), have no label: this reproduces
    the study's data set, 49,244 windows of 29 records.

    Parameters
    ----------
    annotations : Annotations
        The record's annotations.
    n_samples : int
        Length of the record; a last, partial window is left out.
    window : int
        Samples in a window.

    Returns
    -------
    ndarray of int8, shape (n_samples // window,)
        `NORMAL`, `ABNORMAL` or `UNLABELLED`.
    """
    n_windows = n_samples // window
    labels = np.full(n_windows, UNLABELLED, dtype=np.int8)
    where = annotations.samples // window
    inside = where < n_windows
    where, beat, abnormal = (
        where[inside],
        is_beat(annotations)[inside],
        is_abnormal(annotations)[inside],
    )
    labels[where] = NORMAL
    labels[where[abnormal]] = ABNORMAL
    labels[where[~beat]] = UNLABELLED
    return labels
