"""Windows judged second by second: each layer keeps its last inputs and computes only what is new.

A window shares all but a second of its signal with the one before it, so a network whose layers
keep what they need has a quarter of the work. The weights of a batch are stacked, so that many
wearers, each with a model of their own, are one product of matrices for each layer.

What is kept is a cache that is checked: a window that does not go on exactly where the last one of
its row ended, or that another model is to judge, is computed from its beginning, in the same steps
and so to the same bits.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import BundleError
from ecgmon.models.bundle import Model
from ecgmon.models.window_layers import GEOMETRY, by_layer
from monitor.inference.window_steps import KEPT, NEW, TOGETHER, Network, WindowSteps
from monitor.ops.logs import logger

_log = logger(__name__)
KindT = TypeVar("KindT", bound=np.generic)
INPUTS: Final = GEOMETRY.inputs
"""Samples of a window with history and look-ahead."""
CHECK_EVERY: Final = 1000
"""One of so many windows is judged by its bundle's graph, too."""
TOLERANCE: Final = 1e-5
"""Probabilities may differ by at most this."""


class IncrementalWindows:
    """Judges windows of the project's own network for many wearers, each with a model of their own.

    Rows are any small numbers that tell the wearers apart.
    """

    def __init__(self) -> None:
        self._number = count(1)
        self._known: WeakKeyDictionary[Model, tuple[int, Network]] = WeakKeyDictionary()
        self._unchecked = 0
        self._steps = WindowSteps()
        self._seen = np.zeros((0, INPUTS), dtype=np.float32)
        self._judge = np.zeros(0, dtype=np.int64)
        self._kept = np.zeros((0, KEPT), dtype=np.float32)

    def probability(
        self, rows: NDArray[np.intp], inputs: NDArray[np.float32], models: Sequence[Model]
    ) -> NDArray[np.float32]:
        """Judge windows.

        Parameters
        ----------
        rows : ndarray of intp, shape (n,)
            Whose windows; those of one row in the order of time.
        inputs : ndarray of float32, shape (n, INPUTS)
            The windows.
        models : sequence of Model
            Model of each window, with weights.

        Returns
        -------
        ndarray of float32, shape (n,)
            Probability of *abnormal*. It does not depend on what else is judged with it.
        """
        if not len(rows):
            return np.zeros(0, dtype=np.float32)
        self._make_room(int(rows.max()) + 1)
        result = np.empty(len(rows), dtype=np.float32)
        for some in _batches(rows):
            mine = [models[i] for i in some.tolist()]
            result[some] = self._judged(rows[some], inputs[some], mine)
        self._unchecked += len(rows)
        if self._unchecked >= CHECK_EVERY:
            self._unchecked = 0
            result[-1:] = _checked(models[-1], inputs[-1:], result[-1:])
        return result

    def _make_room(self, rows: int) -> None:
        self._seen, self._judge = _grown(self._seen, rows), _grown(self._judge, rows)
        self._kept = _grown(self._kept, rows)

    def _judged(
        self, rows: NDArray[np.intp], inputs: NDArray[np.float32], models: Sequence[Model]
    ) -> NDArray[np.float32]:
        numbers, networks = zip(*map(self._network, models), strict=True)
        goes_on = (self._seen[rows, NEW:] == inputs[:, :-NEW]).all(axis=1)
        goes_on &= self._judge[rows] == numbers
        if np.count_nonzero(goes_on) < len(rows):
            anew = np.flatnonzero(~goes_on)
            self._begin(rows[anew], inputs[anew], [networks[i] for i in anew.tolist()])
        self._seen[rows], self._judge[rows] = inputs, numbers
        return _of_windows(self._advance(rows, inputs[:, -NEW:], networks))

    def _network(self, model: Model) -> tuple[int, Network]:
        """Return number and layers of a model, which has weights."""
        known = self._known.get(model)
        if known is None and model.weights is not None:
            known = self._known[model] = next(self._number), by_layer(model.weights)
        if known is None:
            raise ValueError(f"{model.card.name} has no weights")
        return known

    def _begin(
        self, rows: NDArray[np.intp], inputs: NDArray[np.float32], networks: Sequence[Network]
    ) -> None:
        """Compute what windows bring before their newest second."""
        self._kept[rows] = 0
        before = np.zeros((len(rows), -(-INPUTS // NEW) * NEW - NEW), dtype=np.float32)
        before[:, -(INPUTS - NEW) :] = inputs[:, :-NEW]
        for start in range(0, before.shape[1], NEW):
            self._advance(rows, before[:, start : start + NEW], networks)

    def _advance(
        self, rows: NDArray[np.intp], new: NDArray[np.float32], networks: Sequence[Network]
    ) -> NDArray[np.float32]:
        """Return the logits along a second, and keep what the next one needs."""
        one = networks[:1] if all(each is networks[0] for each in networks) else networks
        kept = self._kept[rows]
        logits = self._steps.logits(kept, new, one)
        self._kept[rows] = kept
        return logits


def _checked(
    model: Model, inputs: NDArray[np.float32], said: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return what a bundle's graph says; if that is something else, only the graph is used on."""
    try:
        by_graph = model.probability(inputs)
    except BundleError:  # its file was removed: another model judges in a moment
        return said
    if not np.allclose(by_graph, said, rtol=0, atol=TOLERANCE):
        model.weights = None
        _log.error("model-differs", model=model.card.name, graph=by_graph[0], layers=said[0])
        return by_graph
    model.rest()
    return said


def _batches(rows: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Yield places in ``rows`` in batches that hold no row twice, those of a row in their order."""
    order = np.argsort(rows, kind="stable")
    of_row, each = rows[order], np.arange(len(rows))
    again = of_row[1:] == of_row[:-1]
    turns = [each]
    if np.count_nonzero(again):
        nth = each - np.maximum.accumulate(np.where(np.r_[False, again], 0, each))
        by_turn = np.argsort(nth, kind="stable")
        turns = np.split(order[by_turn], np.flatnonzero(np.diff(nth[by_turn])) + 1)
    for turn in turns:
        for start in range(0, len(turn), TOGETHER):
            yield turn[start : start + TOGETHER]


def _of_windows(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return probabilities: the smooth maximum over neighbouring steps that both say so."""
    logit = np.logaddexp.reduce(np.minimum(logits[:, :-1], logits[:, 1:]), axis=1)
    probability: NDArray[np.float32] = np.exp(-np.logaddexp(np.float32(0), -logit))
    return probability


def _grown(array: NDArray[KindT], length: int) -> NDArray[KindT]:
    """Return an array of at least a length, zeros behind what it holds."""
    if len(array) >= length:
        return array
    grown = np.zeros((max(length, 2 * len(array)), *array.shape[1:]), dtype=array.dtype)
    grown[: len(array)] = array
    return grown
