"""``ecgmon train``: the generic model of windows, and a wearer's own from it."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ecgmon.core.errors import RecordError
from ecgmon.terminal.progress import long_work
from ecgmon_cli.options import SIMULATED, say_skipped
from ecgmon_cli.progress import Epochs
from ecgmon_cli.train_people import PREPARED

if TYPE_CHECKING:
    from ecgmon.models.bundle import Model
    from trainer.data.dataset import RecordSet
    from trainer.networks.window_networks import WindowNetwork

ENROLMENT_SEED: Final = 1000
"""Seed of the simulated wearer's enrolment."""


def generic(name: str, path: Path, seed: int, data: Path | None, *, keep_going: bool) -> "Model":
    """Train the generic model of a network on the people of all databases, and write its bundle."""
    from trainer.data import noise, people, splits, window_people
    from trainer.networks.window_networks import NETWORKS
    from trainer.training import build
    from trainer.training.window_trainings import TRAININGS

    kind, kinds, sides = NETWORKS[name], TRAININGS[name].beside, people.shipped()
    with long_work() as bar:
        task = bar.add_task("Records", total=len(window_people.names(kinds)), note="")
        skipped: dict[str, RecordError] = {}
        sets = window_people.load(
            kind,
            kinds,
            PREPARED / "windows",
            data,
            lambda name: bar.update(task, advance=1, note=name),
            skipped=skipped if keep_going else None,
        )
        say_skipped(skipped)
        epochs = Epochs(bar)
        return build.train_generic(
            name,
            [lead for name in splits.TRAINING for lead in sets.get(name, ())],
            [
                *(sets[name][0] for name in splits.VALIDATION if name in sets),
                *window_people.choosers(sides, sets, kinds),
            ],
            seed,
            path,
            noise.load(kind.geometry, data),
            lambda epoch: epochs(name, epoch),
            [sets[name][0] for name in splits.HELD_OUT if name in sets],
            beside=window_people.beside(sides, sets, kinds),
        )


def own(
    start: Path,
    record: str | None,
    path: Path,
    seed: int,
    data: Path | None,
    annotator: str | None,
    *,
    keep_going: bool,
) -> "Model":
    """Fine-tune a bundle on a record's first five minutes; without one, the simulated wearer's."""
    from ecgmon.models.bundle import Model
    from trainer.data import noise, splits
    from trainer.data.dataset import load
    from trainer.enrolment.enrol import enrol, tuning
    from trainer.networks.window_networks import NETWORKS

    kind = NETWORKS[Model.load(start).card.network]
    with long_work() as bar:
        task = bar.add_task("Records", total=len(splits.TRAINING) + (record is not None), note="")

        def done(name: str) -> None:
            bar.update(task, advance=1, note=name)

        skipped: dict[str, RecordError] = {}
        others = load(splits.TRAINING, kind, data, done, skipped=skipped if keep_going else None)
        say_skipped(skipped)
        wearer = _simulated(kind)
        if record is not None:
            (wearer,) = load([record], kind, data, done, annotator=annotator)
        recordings = noise.load(kind.geometry, data)
        task = bar.add_task("Fits", total=2, note="")
        return enrol(
            start,
            wearer,
            tuning(start, wearer, others, seed, recordings),
            seed,
            path,
            evaluate=record is not None,
            progress=lambda: bar.update(task, advance=1),
        )


def _simulated(network: "type[WindowNetwork]") -> "RecordSet":
    """Return five minutes of the simulated wearer, of a course that no scenario's default plays."""
    from replay.simulator.simulation import simulate
    from trainer.data.dataset import record_set
    from trainer.data.splits import ENROLMENT_S

    # One second more, for the look-ahead of the last window.
    played = simulate("runs", seed=ENROLMENT_SEED, duration_s=ENROLMENT_S + 1, wearer=SIMULATED)
    record = replace(played.record, name=f"{SIMULATED}/enrolment")
    return record_set(record, network.geometry, network.steps_per_second)
