"""``ecgmon train --network beats``, ``rhythms`` or ``atrial``: generic models, of all people."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from rich.console import Console

from ecgmon.terminal.progress import long_work
from ecgmon_cli.options import require_file
from ecgmon_cli.progress import Epochs

if TYPE_CHECKING:
    from ecgmon.models.atrial_bundle import AtrialModel
    from ecgmon.models.beat_bundle import BeatModel
    from ecgmon.models.rhythm_bundle import RhythmModel
    from trainer.data.people import Sides

PeopleNetwork = Literal["beats", "rhythms", "atrial"]
"""Networks that are trained on a split of all people."""
PREPARED: Final = Path("runs")
"""Folder of the folders of prepared beats and seconds: a second training reads them."""


class PeopleSplit(StrEnum):
    """Splits of all people (docs/results/people.md)."""

    SHIPPED = "shipped"
    INTER_PATIENT = "inter-patient"
    FOLD_0 = "fold-0"
    FOLD_1 = "fold-1"
    FOLD_2 = "fold-2"
    FOLD_3 = "fold-3"
    FOLD_4 = "fold-4"


def train_on_people(
    network: PeopleNetwork,
    split: PeopleSplit,
    out: Path | None,
    seed: int,
    data: Path | None,
) -> None:
    """Train the generic model of beats or of a kind of rhythms and write its bundle."""
    path = out or PREPARED / f"{network}-{split}.onnx"
    require_file(path)

    from trainer.training import atrial, live_beats, rhythms

    sides = _sides(split)
    teaching = [*sides.training, *(() if network == "beats" else sides.choosing)]
    folder = PREPARED / network
    with long_work() as bar:
        task = bar.add_task("People", total=len(teaching), note="")
        epochs = Epochs(bar)

        def reading(name: str) -> None:
            bar.update(task, advance=1, note=name)

        model: BeatModel | RhythmModel | AtrialModel
        if network == "beats":
            model = live_beats.train(
                sides,
                folder,
                path,
                data=data,
                seed=seed,
                reading=reading,
                progress=lambda epoch: epochs(network, epoch),
            )
        else:
            make = rhythms.train if network == "rhythms" else atrial.train
            model = make(
                sides, folder, path, data=data, seed=seed, reading=reading, progress=epochs
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
