"""Export of a recipe's trained network as a bundle."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import torch
from torch import Tensor, nn

from ecgmon.core.constants import RATE
from ecgmon.metrics.classes import confusion
from ecgmon.models.beat_bundle import BeatCard, BeatModel
from ecgmon.models.bundle import Model
from ecgmon.models.card import JudgedClasses, ScoredSpan, Validation
from ecgmon.signal import Geometry
from ecgmon.signal.beat_segments import BEAT_RATE, LENGTH, SHAPES, VALUES
from trainer.data.beats.causal_beats import CHANNELS, flat
from trainer.data.examples import Examples
from trainer.networks.window_networks import WindowNetwork, parameter_count
from trainer.training import build
from trainer.training import onnx_export as export
from trainer.training.recipe import class_probabilities

_CHOSE: Final = "wearers not fitted to, for choosing"
_UNSEEN: Final = "wearers never seen"


@dataclass(frozen=True, eq=False, slots=True)
class TrainedRecipe:
    """A recipe's network, and the examples that it was trained and judged on.

    Parameters
    ----------
    name : str
        Name of the recipe.
    network : Module
        The network.
    training, validation, evaluation : Examples
        Examples fitted to, examples on which epochs were chosen, and those of wearers never seen.
    records : mapping of str to str
        Name of each wearer's record.
    seed : int
        Seed of all random numbers.
    """

    name: str
    network: nn.Module
    training: Examples
    validation: Examples
    evaluation: Examples
    records: Mapping[str, str]
    seed: int

    @property
    def spans(self) -> tuple[ScoredSpan, ...]:
        """Span of each record that was fitted to, in seconds."""
        last = {
            str(wearer): self.training.samples[self.training.wearers == wearer].max()
            for wearer in np.unique(self.training.wearers)
        }
        return tuple(
            ScoredSpan(self.records[w], 0, int(end) // RATE + 1) for w, end in last.items()
        )

    def names(self, part: Examples) -> tuple[str, ...]:
        """Return the records of a part."""
        return tuple(self.records[str(wearer)] for wearer in np.unique(part.wearers))


def export_beats(
    trained: TrainedRecipe, segments: Literal["published", "live"], path: Path
) -> BeatModel:
    """Write the bundle of a network of beats; see `trainer.training.onnx_export.export`."""
    examples = trained.training
    live = segments == "live"
    channels, length = (1, VALUES) if live else examples.inputs.shape[1:]
    card = BeatCard(
        name=trained.name,
        network=trained.name,
        parameters=parameter_count(trained.network),
        wearer=None,
        trained_on=trained.spans,
        seed=trained.seed,
        versions=export.versions(),
        created=export.now(),
        classes=examples.classes,
        segments=segments,
        channels=channels,
        length=length,
        rate=BEAT_RATE,
        beats=tuple(examples.counts.tolist()),
        validation=_counts(_CHOSE, trained.validation, trained),
        evaluation=_counts(_UNSEEN, trained.evaluation, trained),
    )
    some = trained.validation.inputs[: build.CHECKED_WINDOWS]
    network = Classes(_OfChannels(trained.network) if live else trained.network)
    return export.export_served(network, card, path, flat(some) if live else some, BeatModel.load)


def export_windows(trained: TrainedRecipe, path: Path) -> Model:
    """Write the bundle of a network that judges windows; a monitor can serve it."""
    network = _Windows(trained.name, trained.network, trained.training.inputs.shape[2])
    judged = (
        (_CHOSE, trained.validation),
        (_UNSEEN, trained.evaluation),
    )
    validation, evaluation = (
        Validation(protocol, trained.names(part), tp, fp, tn, fn)
        for protocol, part in judged
        for (tn, fp), (fn, tp) in [_confusion(trained, part)]
    )
    return build.write_bundle(
        network,
        path,
        trained.validation.inputs[:, 0],
        name=trained.name,
        wearer=None,
        threshold=0.5,
        trained=trained.spans,
        windows=trained.training.labels,
        validation=validation,
        seed=trained.seed,
        evaluation=evaluation,
    )


class Classes(nn.Module):
    """A network of classes that returns probabilities instead of logits."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, signal: Tensor) -> Tensor:
        """Return probabilities, shape (n, classes)."""
        return torch.softmax(self.network(signal), dim=1)


class _OfChannels(nn.Module):
    """A network that sees live beats as channels, of the inputs that a monitor cuts."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, signal: Tensor) -> Tensor:
        shapes = signal[:, : SHAPES * LENGTH].reshape(-1, SHAPES, LENGTH)
        constant = signal[:, SHAPES * LENGTH : SHAPES * LENGTH + CHANNELS - SHAPES, None]
        logits: Tensor = self.network(torch.cat([shapes, constant.expand(-1, -1, LENGTH)], dim=1))
        return logits


class _Windows(WindowNetwork):
    """A network of the classes normal and abnormal, as a network of windows with one logit."""

    def __init__(self, name: str, network: nn.Module, length: int) -> None:
        super().__init__()
        self.name = name
        self.geometry = Geometry(history_s=0, look_ahead_s=0, rate=length)
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of *abnormal*, shape (n,)."""
        logits: Tensor = self.network(x[:, None])
        return logits[:, 1] - logits[:, 0]


def _counts(protocol: str, part: Examples, trained: TrainedRecipe) -> JudgedClasses:
    counts = tuple(tuple(row) for row in _confusion(trained, part))
    return JudgedClasses(protocol, trained.names(part), counts)


def _confusion(trained: TrainedRecipe, part: Examples) -> list[list[int]]:
    called = class_probabilities(trained.network, part.inputs).argmax(1)
    counted: list[list[int]] = confusion(part.labels, called, len(part.classes)).tolist()
    return counted
