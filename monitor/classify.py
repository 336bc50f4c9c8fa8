"""Classification: the wearers' models, and one batch for each model a tick."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgmon.bundle import Model
from ecgmon.signal import Windows
from ecgmon.signal.quality import SIGNAL


class Models:
    """Loads each bundle once.

    Parameters
    ----------
    resolve : callable
        Gives the path of a wearer's bundle.
    """

    def __init__(self, resolve: Callable[[str], Path]) -> None:
        self._resolve = resolve
        self._loaded: dict[Path, Model] = {}

    def of(self, wearer: str) -> Model:
        """Return the model of a wearer; raises `BundleError` if it cannot serve."""
        path = self._resolve(wearer)
        if path not in self._loaded:
            self._loaded[path] = Model.load(path)
        return self._loaded[path]


def classify(windows: Windows, models: dict[int, Model]) -> NDArray[np.float32]:
    """Classify windows, each with its wearer's model.

    Parameters
    ----------
    windows : Windows
        As they came from a signal chain.
    models : dict of int to Model
        Model of each row.

    Returns
    -------
    ndarray of float32, shape (n,)
        Probability of *abnormal*, NaN where the signal is not usable.
    """
    result = np.full(len(windows), np.nan, dtype=np.float32)
    usable = windows.state == SIGNAL
    for model in {id(m): m for m in models.values()}.values():
        mine = usable & np.array([models[int(row)] is model for row in windows.rows], dtype=bool)
        if mine.any():
            result[mine] = model.probability(windows.inputs[mine])
    return result
