"""Training of the model of atrial rhythms, for people it has never met, and its bundle.

As `trainer.training.rhythms`: nothing is chosen while it trains, and those on whom settings were
chosen teach the shipped network, too.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ecgmon.core.labels import UNLABELLED
from ecgmon.metrics.classes import confusion
from ecgmon.models.atrial_bundle import ATRIAL, ATRIAL_RATE, AtrialCard, AtrialModel
from ecgmon.models.card import JudgedClasses, ScoredSpan
from ecgmon.signal.atrial_segments import BEATS, EVERY_S, SEGMENT
from trainer.data.atrial_beats import (
    ATRIAL_FIBRILLATION,
    OTHER_ATRIAL,
    WITH_RHYTHMS,
    AtrialInputs,
    atrial_inputs,
)
from trainer.data.people import Person, Sides
from trainer.networks.atrial_net import AtrialNet
from trainer.networks.window_networks import parameter_count
from trainer.training import build
from trainer.training import onnx_export as export
from trainer.training.fit import Epoch, FitSettings, deterministic, fit
from trainer.training.recipe_export import Classes
from trainer.training.rhythms import CHOSE

NAME: Final = "atrial"
SETTINGS: Final = FitSettings(
    epochs=20, steps=100, learning_rate=3e-3, seed=0, weight_decay=1e-2, averaging=0.995
)
BATCH: Final = 128
SHARES: Final = MappingProxyType(
    {
        ("mitdb", ATRIAL_FIBRILLATION): 0.17,
        ("cinc2017", ATRIAL_FIBRILLATION): 0.25,
        ("mitdb", OTHER_ATRIAL): 0.25,
        ("cinc2017", OTHER_ATRIAL): 0.28,
        ("qtdb", OTHER_ATRIAL): 0.05,
    }
)
"""Shares of a batch, by database and class."""
POWER: Final = 0.5
"""A record with k times the inputs of a class is drawn k**0.5 times as often for that class."""
GAIN: Final = 0.3
"""Standard deviation of the logarithm of the amplitude in training."""
INVERTED: Final = 0.3
"""Share of inputs whose beats are turned upside down, for leads may be."""
SHIFT: Final = 2
"""Samples by which beats are found off at most, either way."""
NOISE: Final = 0.03
"""Standard deviation of the noise at most, in units of the wearer's amplitude."""
UNSURE: Final = 0.005
"""Standard deviation of what is added to the logarithm of an interval."""
SHORTENED: Final = 0.5
"""Share of inputs whose first beats are left out, as after a stream's beginning..."""
LEFT_OUT: Final = 20
"""...fewer than this many of `BEATS`."""
SMOOTHING: Final = 0.04


class AtrialBatches:
    """Batches of inputs, drawn by share and by record, with replacement, and disturbed.

    Parameters
    ----------
    of : sequence of (str, AtrialInputs)
        Records with their databases.
    """

    steps = 1

    def __init__(self, of: Sequence[tuple[str, AtrialInputs]]) -> None:
        inputs, labels, weights, shares = [], [], [], []
        for database, record in of:
            for label in (OTHER_ATRIAL, ATRIAL_FIBRILLATION):
                which = np.flatnonzero(record.settled & (record.labels == label))
                if not len(which) or (database, label) not in SHARES:
                    continue
                inputs.append(record.inputs[which])
                labels.append(np.full(len(which), label))
                weights.append(np.full(len(which), len(which) ** (POWER - 1)))
                shares.append(np.full(len(which), [*SHARES].index((database, label))))
        weight, share = np.concatenate(weights), np.concatenate(shares)
        for number, size in enumerate(SHARES.values()):
            weight[share == number] *= size / max(weight[share == number].sum(), 1e-9)
        self._until = np.cumsum(weight)
        self._inputs = torch.from_numpy(np.concatenate(inputs))
        self._labels = torch.from_numpy(np.concatenate(labels))

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Return inputs, shape (`BATCH`, *ATRIAL_SHAPE), and labels, shape (`BATCH`,)."""
        found = np.searchsorted(self._until, rng.random(BATCH) * self._until[-1])
        which = torch.from_numpy(found.clip(max=len(self._until) - 1))
        return _disturbed(self._inputs[which].float().numpy(), rng), self._labels[which]

    def loss(self, network: AtrialNet, batch: tuple[Tensor, ...]) -> Tensor:
        """Return the cross-entropy of a batch."""
        inputs, labels = batch
        return functional.cross_entropy(network(inputs), labels, label_smoothing=SMOOTHING)


def _disturbed(inputs: NDArray[np.float32], rng: np.random.Generator) -> Tensor:
    """Return inputs as another electrode, amplifier and detector would give them."""
    n = len(inputs)
    size = np.exp(GAIN * rng.standard_normal((n, 1, 1)))
    size = np.where(rng.random((n, 1, 1)) < INVERTED, -size, size)
    shapes = np.roll(inputs[:, :, :SEGMENT], int(rng.integers(-SHIFT, SHIFT + 1)), axis=2) * size
    shapes += NOISE * rng.random((n, 1, 1)) * rng.standard_normal(shapes.shape)
    inputs[:, :, :SEGMENT] = shapes
    inputs[:, :, SEGMENT] += UNSURE * rng.standard_normal(inputs.shape[:2])
    shortened = np.flatnonzero(rng.random(n) < SHORTENED)
    for i, left_out in zip(shortened, rng.integers(0, LEFT_OUT, len(shortened)), strict=True):
        inputs[i, :left_out] = 0
    return torch.from_numpy(inputs)


def train(
    sides: Sides,
    folder: Path,
    path: Path,
    *,
    data: Path | None = None,
    seed: int = 0,
    reading: Callable[[str], None] = lambda _: None,
    progress: Callable[[str, Epoch], None] = lambda _name, _epoch: None,
) -> AtrialModel:
    """Train a model of atrial rhythms on the people of a split and write its bundle.

    Parameters are those of `trainer.training.rhythms.train`.

    Raises
    ------
    RecordError
        If a record cannot be had or read.
    """

    def read(people: Sequence[Person]) -> list[tuple[str, AtrialInputs]]:
        found = []
        for person in people:
            reading(person.records[0])
            if person.database in WITH_RHYTHMS:
                found += [(person.database, one) for one in atrial_inputs(person, folder, data)]
        return found

    training, choosing = read(sides.training), read(sides.choosing)

    def fitted(name: str, to: Sequence[tuple[str, AtrialInputs]]) -> AtrialNet:
        deterministic(seed)
        batches = AtrialBatches(to)
        settings, network = SETTINGS, AtrialNet(len(ATRIAL))
        return fit(network, batches, settings, progress=lambda epoch: progress(name, epoch)).eval()

    chosen_on = fitted("without those who chose", training)
    learned = [*training, *choosing]
    network = fitted(NAME, learned)
    judged = [
        one
        for person in sides.judged
        if person.database in WITH_RHYTHMS
        for one in atrial_inputs(person, folder, data)
    ]
    taught = [one.labels[one.settled] for _, one in learned]
    card = AtrialCard(
        name=NAME,
        network=NAME,
        parameters=parameter_count(network),
        wearer=None,
        trained_on=tuple(
            ScoredSpan(one.record, 0, EVERY_S * (len(one.labels) + 1)) for _, one in learned
        ),
        seed=seed,
        versions=export.versions(),
        created=export.now(),
        classes=ATRIAL,
        beats=BEATS,
        rate=ATRIAL_RATE,
        inputs=tuple(
            sum(int((labels == number).sum()) for labels in taught) for number in range(len(ATRIAL))
        ),
        validation=_called(chosen_on, CHOSE, [one for _, one in choosing]),
        evaluation=_called(network, "people never seen", judged),
    )
    some = choosing[0][1].inputs[: build.CHECKED_WINDOWS].astype(np.float32)
    return export.export_served(Classes(network), card, path, some, AtrialModel.load)


def _called(network: AtrialNet, protocol: str, records: Sequence[AtrialInputs]) -> JudgedClasses:
    """Count what a network calls the labelled inputs of some records, each for itself."""
    counts = np.zeros((len(ATRIAL), len(ATRIAL)), dtype=np.int64)
    for record in records:
        known = record.settled & (record.labels != UNLABELLED)
        with torch.inference_mode():
            called = network(torch.from_numpy(record.inputs[known].astype(np.float32))).argmax(1)
        counts += confusion(record.labels[known], called.numpy(), len(ATRIAL))
    names = tuple(dict.fromkeys(record.record for record in records))
    return JudgedClasses(protocol, names, tuple(tuple(row) for row in counts.tolist()))
