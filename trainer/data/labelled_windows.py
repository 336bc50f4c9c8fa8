"""Labelled seconds as examples: what study 1 judges, for recipes of windows."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import WINDOW
from ecgmon.core.labels import ABNORMAL, UNLABELLED
from trainer.data.dataset import RecordSet
from trainer.data.examples import Examples
from trainer.data.protocol_splits import TEST, TRAIN, VALIDATION, stratified_split
from trainer.networks.window_networks import CardiacNet

CLASSES: Final = ("normal", "abnormal")
LENGTH: Final = CardiacNet.geometry.inputs
"""Samples of a window: a second at 128 Hz, without what lies around it."""


def labelled_windows(record: RecordSet) -> Examples:
    """Return the windows of a record, prepared for `CardiacNet`, that have a label."""
    known = np.flatnonzero(record.labels != UNLABELLED)
    return Examples(
        record.inputs[known][:, None],
        (record.labels[known] == ABNORMAL).astype(np.int8),
        np.full(len(known), record.wearer),
        (known * WINDOW).astype(np.int64),
        CLASSES,
    )


def study_parts(
    examples: Examples, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Split each wearer's windows as study 1 does, into the very same parts.

    Parameters
    ----------
    examples : Examples
        Windows of each wearer in the order of time.
    seed : int
        One seed throughout.

    Returns
    -------
    tuple of three ndarrays of intp
        Which ones train, validate and test.
    """
    part = np.zeros(len(examples), dtype=np.int8)
    for wearer in np.unique(examples.wearers):
        own = examples.wearers == wearer
        part[own] = stratified_split(examples.labels[own], seed)
    training, validation, test = (np.flatnonzero(part == p) for p in (TRAIN, VALIDATION, TEST))
    return training, validation, test
