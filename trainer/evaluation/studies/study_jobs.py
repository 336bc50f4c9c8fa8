"""Everything the page of studies 2 to 5 is made from, job by job."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

import msgspec

from trainer import recipes
from trainer.data.beats import ptb
from trainer.evaluation import explanation
from trainer.evaluation.studies import run
from trainer.evaluation.studies.annotating import DECIDED_BY as ANNOTATED
from trainer.evaluation.studies.annotating import annotate
from trainer.evaluation.studies.data import examples_of, sides
from trainer.evaluation.studies.fine_tuned import fine_tuned
from trainer.evaluation.studies.parts import Split, parts
from trainer.evaluation.studies.run import Experiment, Progress
from trainer.evaluation.transfer.infarction import DECIDED_BY as TRANSFERRED
from trainer.evaluation.transfer.infarction import transfer
from trainer.evaluation.transfer.search import DECIDED_BY as SEARCHED
from trainer.evaluation.transfer.search import search
from trainer.recipes.transfer import TransferNet
from trainer.studies.cardiacnet.claims import open_storage
from trainer.training.recipe import Checkpoints, Task

RANDOM_BEATS: Final = Experiment("transfer", Split.RANDOM, "published")
OWN_BEATS: Final = Experiment("context", Split.PATIENT_SPECIFIC, "live")
RANDOM_WINDOWS: Final = Experiment("pictures", Split.RANDOM, "windows")


class Job(Protocol):
    """One piece of work with a result of its own."""

    @property
    def name(self) -> str:
        """What its result is kept as."""
        ...

    @property
    def recipe(self) -> str:
        """Name of its recipe."""
        ...

    @property
    def split(self) -> Split:
        """Protocol that its examples are split by."""
        ...

    @property
    def cell(self) -> Experiment:
        """The one whose networks it trains or begins with."""
        ...

    @property
    def signals(self) -> Sequence[str]:
        """What else it is judged on, as `trainer.evaluation.results.signal_path` has it."""
        ...

    @property
    def settings(self) -> Mapping[str, object]:
        """What decides its result beside recipe, split and examples.

        Its *procedure* is raised by hand when it trains or judges differently with all that.
        """
        ...

    @property
    def minutes(self) -> float:
        """What it takes on one core, measured once, for the estimate of what is left."""
        ...

    def result(self, place: "Place") -> Any:  # noqa: ANN401 - whatever its row of the page needs
        """Do it, or what of it is not kept yet, and return what can be written as JSON."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where work is kept and how it is reported.

    Parameters
    ----------
    networks, own, pictures : Path
        Folders for the recipe's networks, for what else of the job is kept on the way, and for
        pictures.
    data : Path or None
        Folder of databases to look in first.
    seed : int
        Of everything random.
    progress : callable
        Called with a network's name after each epoch.
    """

    networks: Path
    own: Path
    pictures: Path
    data: Path | None
    seed: int
    progress: Progress = lambda _network, _epoch: None


@dataclass(frozen=True, slots=True)
class Table:
    """The systems of a recipe under a protocol."""

    cell: Experiment
    minutes: float
    signals: ClassVar[Sequence[str]] = ()
    settings: ClassVar[Mapping[str, object]] = {"procedure": 1}

    @property
    def name(self) -> str:
        """See `Job`."""
        return self.cell.name

    @property
    def recipe(self) -> str:
        """See `Job`."""
        return self.cell.recipe

    @property
    def split(self) -> Split:
        """See `Job`."""
        return self.cell.split

    def result(self, place: Place) -> list[Any]:
        """Return what came of each system, see `trainer.evaluation.studies.run.SystemResult`."""
        examples = examples_of(self.cell, place.data)
        # Records of PTB may be added, to which no network of fewer fits; nobody shares these.
        work = place.own if self.cell.data == "ptb" else place.networks
        judged = run.run(self.cell, examples, place.seed, work, place.progress)
        return [msgspec.to_builtins(each) for each in judged]


@dataclass(frozen=True, slots=True)
class FineTuned:
    """Study 2's second stage."""

    name: str = "pictures-fine-tuned"
    recipe: str = "pictures"
    split: Split = Split.RANDOM
    minutes: float = 20
    cell: Experiment = RANDOM_WINDOWS
    signals: ClassVar[Sequence[str]] = ()
    settings: ClassVar[Mapping[str, object]] = {"procedure": 1, "stage": "fine-tuned"}

    def result(self, place: Place) -> list[Any]:
        """Return what came of it, as a `Table` does."""
        examples = examples_of(self.cell, place.data)
        (part,) = parts(examples, self.cell.split, place.seed)
        shelf = Checkpoints(place.networks / self.cell.base / "0", place.progress)
        return [msgspec.to_builtins(fine_tuned(examples, part, place.seed, shelf))]


OfCell = Table | FineTuned
"""Jobs whose results are of `trainer.evaluation.studies.run.SystemResult`."""


@dataclass(frozen=True, slots=True)
class Search:
    """Study 3's search for settings."""

    name: str = "transfer-search"
    recipe: str = "transfer"
    split: Split = Split.RANDOM
    minutes: float = 9
    cell: Experiment = RANDOM_BEATS
    signals: ClassVar[Sequence[str]] = ()
    settings: ClassVar[Mapping[str, object]] = SEARCHED

    def result(self, place: Place) -> list[Any]:
        """Return its trials."""
        training, validation, _ = sides(RANDOM_BEATS, place.data, place.seed)
        place.own.mkdir(parents=True, exist_ok=True)
        storage = open_storage(f"sqlite:///{place.own / 'trials.db'}")
        return [
            asdict(trial)
            for trial in search(
                training,
                validation,
                storage,
                lambda number, epoch: place.progress(f"trial {number + 1}", epoch),
                place.seed,
            )
        ]


@dataclass(frozen=True, slots=True)
class Infarction:
    """Study 3's transfer to infarction."""

    name: str = "transfer-ptb"
    recipe: str = "transfer"
    split: Split = Split.PTB
    minutes: float = 4
    cell: Experiment = RANDOM_BEATS
    signals: ClassVar[Sequence[str]] = ("ptb",)
    settings: ClassVar[Mapping[str, object]] = TRANSFERRED

    def result(self, place: Place) -> Any:  # noqa: ANN401 - a tree of figures
        """Return the figures of `trainer.evaluation.transfer.infarction.transfer`."""
        network = trained_on_arrhythmias(place)
        return transfer(
            network,
            ptb.beats(place.data),
            seed=place.seed,
            work=place.own,
            progress=place.progress,
        )


@dataclass(frozen=True, slots=True)
class Explanation:
    """Study 3's pictures: what its layers make of a beat, and where classes lie."""

    name: str = "transfer-explanation"
    recipe: str = "transfer"
    split: Split = Split.RANDOM
    minutes: float = 1
    cell: Experiment = RANDOM_BEATS
    signals: ClassVar[Sequence[str]] = ()
    settings: ClassVar[Mapping[str, object]] = explanation.DECIDED_BY

    def result(self, place: Place) -> list[str]:
        """Draw them; returns the files' names."""
        _, _, test = sides(RANDOM_BEATS, place.data, place.seed)
        network = trained_on_arrhythmias(place)
        place.pictures.mkdir(parents=True, exist_ok=True)
        drawn = ["activations.png", "t-sne.png"]
        explanation.activations(network, test, place.pictures / drawn[0])
        explanation.embedding(network, test, place.pictures / drawn[1], place.seed)
        return drawn


@dataclass(frozen=True, slots=True)
class BeatByBeat:
    """The EC57 report of our own live beats, detected and classified."""

    name: str = "context-ec57"
    recipe: str = "context"
    split: Split = Split.PATIENT_SPECIFIC
    minutes: float = 8
    cell: Experiment = OWN_BEATS
    signals: ClassVar[Sequence[str]] = ("detected",)
    settings: ClassVar[Mapping[str, object]] = ANNOTATED

    def result(self, place: Place) -> Any:  # noqa: ANN401 - a tree of figures
        """Return the gross figures; the pages go to ``ec57`` beside the studies' results."""
        return annotate(
            self.recipe,
            work=place.own,
            out=place.pictures.parent / "ec57",
            data=place.data,
            seed=place.seed,
            progress=place.progress,
        )


JOBS: Final[Sequence[Job]] = (
    Table(RANDOM_BEATS, 31),
    Table(Experiment("representation", Split.RANDOM, "published"), 36),
    Table(Experiment("focal", Split.RANDOM, "published"), 43),
    Table(RANDOM_WINDOWS, 28),
    Table(Experiment("transfer", Split.INTER_PATIENT, "published"), 16),
    Table(Experiment("representation", Split.INTER_PATIENT, "published"), 18),
    Table(Experiment("focal", Split.INTER_PATIENT, "published"), 23),
    Table(Experiment("pictures", Split.INTER_PATIENT, "windows"), 3),
    Table(Experiment("context", Split.RANDOM, "live"), 4),
    Table(Experiment("context", Split.INTER_PATIENT, "live"), 2),
    FineTuned(),
    Search(),
    Infarction(),
    Table(Experiment("representation", Split.PTB, "ptb"), 11),
    Table(Experiment("representation", Split.PTB_RANDOM, "ptb"), 2),
    Table(Experiment("transfer", Split.PATIENT_SPECIFIC, "published"), 9),
    Table(Experiment("representation", Split.PATIENT_SPECIFIC, "published"), 7),
    Table(Experiment("focal", Split.PATIENT_SPECIFIC, "published"), 10),
    Table(Experiment("pictures", Split.PATIENT_SPECIFIC, "windows"), 4),
    Table(OWN_BEATS, 1),
    BeatByBeat(),
    Explanation(),
)
"""In an order in which two processes that share them seldom wait for each other."""


def trained_on_arrhythmias(place: Place) -> TransferNet:
    """Return study 3's network as published, trained on the random split's beats."""
    training, validation, _ = sides(RANDOM_BEATS, place.data, place.seed)
    shelf = Checkpoints(place.networks / RANDOM_BEATS.base / "0", place.progress)
    network = recipes.recipe("transfer").systems["published"](
        Task(training, validation, place.seed, shelf)
    )
    if not isinstance(network, TransferNet):
        raise TypeError("study 3's network is a TransferNet")
    return network
