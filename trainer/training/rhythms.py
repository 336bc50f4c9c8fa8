"""Training of the rhythm model, for people it has never met, and its bundle.

Nothing is chosen while it trains. What was compared before, and on whom, is in
docs/results/rhythms.md. So few people have had a fibrillation recorded that those on whom settings
were chosen teach the shipped network, too; its card has what a network not fitted to them calls
their seconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from ecgmon.models.card import JudgedClasses, ScoredSpan
from ecgmon.models.rhythm_bundle import RHYTHMS, RhythmCard, RhythmModel
from ecgmon.signal.geometry import RHYTHM
from trainer.data import noise
from trainer.data.people import Person, Sides
from trainer.data.rhythm_seconds import (
    FIBRILLATION,
    NO_FIBRILLATION,
    OTHER,
    TACHYCARDIA,
    LeadSeconds,
    seconds_of,
)
from trainer.networks.rhythm_net import RhythmNet
from trainer.networks.window_networks import parameter_count
from trainer.training import build
from trainer.training import onnx_export as export
from trainer.training.fit import Epoch, FitSettings, deterministic, fit
from trainer.training.recipe_export import Classes

NAME: Final = "rhythms"
CHOSE: Final = "people who chose, judged by a network that was not fitted to them"
SETTINGS: Final = FitSettings(
    epochs=8, steps=100, learning_rate=4e-3, seed=0, weight_decay=1e-3, averaging=0.995
)
BATCH: Final = 256
SHARES: Final = MappingProxyType(
    {
        ("vfdb", OTHER): 0.14,
        ("cudb", OTHER): 0.08,
        ("mitdb", OTHER): 0.16,
        ("svdb", OTHER): 0.05,
        ("qtdb", OTHER): 0.04,
        ("cinc2017", OTHER): 0.12,
        (None, TACHYCARDIA): 0.18,
        (None, FIBRILLATION): 0.23,
    }
)
"""Shares of a batch: of each database for other rhythms, and of all together for the two."""
POWER: Final = 0.4
"""A lead with k times the seconds of a class is drawn k**0.4 times as often for that class."""
MOST: Final = MappingProxyType({"vfdb": 1500, "cudb": 1500, "cinc2017": 3})
"""Most seconds of other rhythms that are drawn from, of each lead; `USUALLY` of other databases."""
USUALLY: Final = 300
SECOND_LEADS: Final = ("vfdb", "mitdb")
"""Databases whose second leads teach, too."""
GAIN: Final = 0.3
"""Standard deviation of the logarithm of the amplitude in training."""
INVERTED: Final = 0.4
"""Share of inputs that are turned upside down, for leads may be."""
NOISY: Final = 0.4
"""Share of inputs that get noise..."""
NOISE_DB: Final = (-3.0, 24.0)
"""...peak-to-peak, so far below the wearer's usual amplitude."""
ONLY_NOISE: Final = 0.06
"""Share of the inputs of other rhythms that are nothing but noise: a lead that nobody wears."""
ONLY_NOISE_DB: Final = (-6.0, 10.0)
_ALLOWED: Final = torch.tensor(
    [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]], dtype=torch.float32
).log()
"""Which classes each label leaves open, as logarithms."""


@dataclass(frozen=True, eq=False, slots=True)
class SecondsGroup:
    """Seconds of one label of a lead, which count together.

    Parameters
    ----------
    inputs : ndarray of float16, shape (n, `RHYTHM.inputs`)
        What a model sees.
    label : int
        Their label.
    share : tuple of (str or None, int)
        Which of `SHARES` they belong to.
    """

    inputs: NDArray[np.float16]
    label: int
    share: tuple[str | None, int]


class SecondsBatches:
    """Batches of seconds, drawn by share and by group, with replacement, and disturbed.

    Parameters
    ----------
    of : sequence of SecondsGroup
        What is drawn from.
    noises : sequence of ndarray of float32
        Recordings of noise, as `trainer.data.noise.load` gives them.
    """

    steps = 1

    def __init__(self, of: Sequence[SecondsGroup], noises: Sequence[NDArray[np.float32]]) -> None:
        counts = np.array([len(group.inputs) for group in of])
        weights = counts**POWER
        for share, size in SHARES.items():
            mine = np.array([group.share == share for group in of])
            weights[mine] *= size / max(weights[mine].sum(), 1e-9)
        self._until = np.cumsum(np.repeat(weights / counts, counts))
        self._inputs = torch.from_numpy(np.concatenate([group.inputs for group in of]))
        self._labels = torch.from_numpy(np.repeat([group.label for group in of], counts))
        self._noises = noises

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Return inputs, shape (`BATCH`, `RHYTHM.inputs`), and labels, shape (`BATCH`,)."""
        found = np.searchsorted(self._until, rng.random(BATCH) * self._until[-1])
        which = torch.from_numpy(found.clip(max=len(self._until) - 1))
        inputs, labels = self._inputs[which].float().numpy(), self._labels[which]
        size = np.exp(GAIN * rng.standard_normal((BATCH, 1)))
        inputs *= np.where(rng.random((BATCH, 1)) < INVERTED, -size, size).astype(np.float32)
        noise.add(inputs, self._noises, rng, NOISY, NOISE_DB)
        alone = np.flatnonzero((rng.random(BATCH) < ONLY_NOISE) & (labels.numpy() == OTHER))
        bare = np.zeros((len(alone), RHYTHM.inputs), dtype=np.float32)
        noise.add(bare, self._noises, rng, 1.0, ONLY_NOISE_DB)
        inputs[alone] = bare
        return torch.from_numpy(inputs), labels

    def loss(self, network: RhythmNet, batch: tuple[Tensor, ...]) -> Tensor:
        """Return minus the mean logarithm of the probability that a label leaves open."""
        inputs, labels = batch
        said = functional.log_softmax(network(inputs), dim=1)
        return -torch.logsumexp(said + _ALLOWED[labels], dim=1).mean()


def train(
    sides: Sides,
    folder: Path,
    path: Path,
    *,
    data: Path | None = None,
    seed: int = 0,
    reading: Callable[[str], None] = lambda _: None,
    progress: Callable[[str, Epoch], None] = lambda _name, _epoch: None,
) -> RhythmModel:
    """Train a rhythm model on the people of a split and write its bundle.

    Parameters
    ----------
    sides : Sides
        Who trains and who chose; both are fitted to. The card counts what the network calls the
        seconds of the others.
    folder : Path
        Folder of prepared seconds.
    path : Path
        Where the bundle is written.
    data : Path, optional
        Folder of databases to look in first.
    seed : int
        Of everything random.
    reading : callable, optional
        Called with each person's first record when its seconds are read.
    progress : callable, optional
        Called after each epoch with the network's name.

    Raises
    ------
    RecordError
        If a record cannot be had or read.
    """
    rng = np.random.default_rng(seed)
    noises = noise.load(RHYTHM, data)
    trained: list[SecondsGroup] = []
    spans: list[ScoredSpan] = []
    choosing: list[LeadSeconds] = []
    of_choosers: list[SecondsGroup] = []
    for person in (*sides.training, *sides.choosing):
        reading(person.records[0])
        leads = seconds_of(person, folder, data)
        spans += [ScoredSpan(lead.record, 0, len(lead.labels)) for lead in _firsts(leads)]
        if person in sides.choosing:
            choosing += _firsts(leads)
            of_choosers += _groups(person, leads, rng)
        else:
            trained += _groups(person, leads, rng)

    def fitted(name: str, to: Sequence[SecondsGroup]) -> RhythmNet:
        deterministic(seed)
        network = RhythmNet(len(RHYTHMS))
        batches = SecondsBatches(to, noises)
        return fit(network, batches, SETTINGS, progress=lambda epoch: progress(name, epoch)).eval()

    chosen_on = fitted("without those who chose", trained)
    learned = [*trained, *of_choosers]
    network = fitted(NAME, learned)
    judged = [lead for person in sides.judged for lead in _firsts(seconds_of(person, folder, data))]
    card = RhythmCard(
        name=NAME,
        network=NAME,
        parameters=parameter_count(network),
        wearer=None,
        trained_on=tuple(spans),
        seed=seed,
        versions=export.versions(),
        created=export.now(),
        classes=RHYTHMS,
        history_s=RHYTHM.history_s,
        rate=RHYTHM.rate,
        seconds=tuple(
            sum(len(group.inputs) for group in learned if group.label == number)
            for number in range(len(RHYTHMS))
        ),
        validation=_called(chosen_on, CHOSE, choosing),
        evaluation=_called(network, "people never seen", judged),
    )
    some = choosing[0].inputs[: build.CHECKED_WINDOWS].astype(np.float32)
    return export.export_served(Classes(network), card, path, some, RhythmModel.load)


def _firsts(leads: Sequence[LeadSeconds]) -> list[LeadSeconds]:
    """Return the first lead of each record."""
    return list({lead.record: lead for lead in reversed(leads)}.values())[::-1]


def _groups(
    person: Person, leads: Sequence[LeadSeconds], rng: np.random.Generator
) -> list[SecondsGroup]:
    """Return the seconds that a person teaches."""
    used = leads if person.database in SECOND_LEADS else _firsts(leads)
    made = []
    for lead in used:
        for label in (OTHER, TACHYCARDIA, FIBRILLATION, NO_FIBRILLATION):
            which = np.flatnonzero(lead.settled & (lead.labels == label))
            rare = label in (TACHYCARDIA, FIBRILLATION)
            most = len(which) if rare else MOST.get(person.database, USUALLY)
            if len(which) > most:
                which = rng.choice(which, most, replace=False)
            if len(which):
                share = (None, label) if rare else (person.database, OTHER)
                made.append(SecondsGroup(lead.inputs[which], label, share))
    return made


def _called(network: RhythmNet, protocol: str, leads: Sequence[LeadSeconds]) -> JudgedClasses:
    """Count what a network calls the labelled seconds of some leads, each for itself."""
    counts = np.zeros((len(RHYTHMS), len(RHYTHMS)), dtype=np.int64)
    for lead in leads:
        known = lead.settled & (lead.labels != UNLABELLED) & (lead.labels != NO_FIBRILLATION)
        with torch.inference_mode():
            called = network(torch.from_numpy(lead.inputs[known].astype(np.float32))).argmax(1)
        counts += confusion(lead.labels[known], called.numpy(), len(RHYTHMS))
    records = tuple(dict.fromkeys(lead.record for lead in leads))
    return JudgedClasses(protocol, records, tuple(tuple(row) for row in counts.tolist()))
