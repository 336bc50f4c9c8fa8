"""``ecgmon train --network beats``: the generic beat model, of one split of all people."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from ecgmon.terminal.progress import long_work
from ecgmon_cli.options import require_file
from ecgmon_cli.progress import Epochs

if TYPE_CHECKING:
    from trainer.data.people import Sides

PREPARED: Final = Path("runs/beats")
"""Folder of prepared beats: a second training reads them."""


class PeopleSplit(StrEnum):
    """Splits of all people (docs/results/people.md)."""

    SHIPPED = "shipped"
    INTER_PATIENT = "inter-patient"
    FOLD_0 = "fold-0"
    FOLD_1 = "fold-1"
    FOLD_2 = "fold-2"
    FOLD_3 = "fold-3"
    FOLD_4 = "fold-4"


def train_beats(split: PeopleSplit, out: Path | None, seed: int, data: Path | None) -> None:
    """Train the generic beat model and write its bundle."""
    path = out or Path("runs") / f"beats-{split}.onnx"
    require_file(path)

    from trainer.training.live_beats import train

    sides = _sides(split)
    with long_work() as bar:
        task = bar.add_task("People", total=len(sides.training), note="")
        epochs = Epochs(bar)
        model = train(
            sides,
            PREPARED,
            path,
            data=data,
            seed=seed,
            reading=lambda name: bar.update(task, advance=1, note=name),
            progress=lambda epoch: epochs("beats", epoch),
        )
    Console().print(
        f"{path}: {model.card.name}, {model.card.parameters:,} parameters\n"
        f"  sha256 {model.sha256}\n  Its figures: ecgmon models show {path}",
        highlight=False,
        soft_wrap=True,
    )


def _sides(split: PeopleSplit) -> "Sides":
    from trainer.data import people

    if split is PeopleSplit.SHIPPED:
        return people.shipped()
    if split is PeopleSplit.INTER_PATIENT:
        return people.inter_patient()
    return people.fold(int(split[-1]))
