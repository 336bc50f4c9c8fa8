"""Classification: the wearers' models, and one batch for each model a tick."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import BundleError, StoreError, UsageError
from ecgmon.models.bundle import Model
from ecgmon.signal import Windows
from ecgmon.signal.quality import SIGNAL
from monitor.inference.incremental import IncrementalWindows


class ModelPool:
    """Loads each bundle once for all who use it.

    Parameters
    ----------
    resolve : callable
        Gives the path of a wearer's bundle.
    """

    def __init__(self, resolve: Callable[[str | None], Path]) -> None:
        self._resolve = resolve
        self._loaded: WeakValueDictionary[Path, Model] = WeakValueDictionary()

    def of(self, wearer: str | None) -> Model:
        """Return the model in service for a wearer, or the generic one for None.

        Raises
        ------
        BundleError or StoreError
            If there is none that can serve.
        """
        try:
            path = self._resolve(wearer)
            model = self._loaded.get(path)
            if model is None:
                model = self._loaded[path] = Model.load(path)
                model.forget_training()
                if model.weights is not None:
                    model.rest()
        except OSError as error:  # as when no file can be opened any more
            raise StoreError(f"The models cannot be read: {error.strerror}.") from error
        return model

    def serving(self, wearer: str, judging: Model | None = None) -> tuple[Model, str | None]:
        """Return who judges a wearer from now on, and why it is not the model in service.

        Parameters
        ----------
        wearer : str
            Who.
        judging : Model, optional
            Who judges so far; in place of one that cannot serve it goes on, or else the generic
            one judges.
        """
        try:
            model = self.of(wearer)
            if judging and model.card.geometry != judging.card.geometry:
                raise BundleError(
                    f"{model.card.name} sees other history than the model that judges: "
                    "it can serve from the next stream on."
                )
        except UsageError as error:
            return judging or self.of(None), str(error)[:500]
        return model, None


def classify(
    windows: Windows, models: dict[int, Model], incremental: IncrementalWindows
) -> NDArray[np.float32]:
    """Classify windows, each with its wearer's model.

    Parameters
    ----------
    windows : Windows
        As they came from a signal chain.
    models : dict of int to Model
        Model of each row; of one without it no window is classified.
    incremental : IncrementalWindows
        Judges windows of models whose weights are known; the others' graphs are run.

    Returns
    -------
    ndarray of float32, shape (n,)
        Probability of *abnormal*, NaN where the signal is not usable or the model would see
        something else than signal.
    """
    result = np.full(len(windows), np.nan, dtype=np.float32)
    rows = windows.rows.tolist()
    of_model: dict[int, list[int]] = defaultdict(list)
    by_layers: list[tuple[int, Model]] = []
    for i in np.flatnonzero((windows.state == SIGNAL) & windows.settled).tolist():
        model = models.get(rows[i])
        if model is None:
            continue
        if model.weights is None:
            of_model[id(model)].append(i)
        else:
            by_layers.append((i, model))
    if by_layers:
        these = [i for i, _ in by_layers]
        result[these] = incremental.probability(
            windows.rows[these], windows.inputs[these], [model for _, model in by_layers]
        )
    for mine in of_model.values():
        result[mine] = models[rows[mine[0]]].probability(windows.inputs[mine])
    return result
