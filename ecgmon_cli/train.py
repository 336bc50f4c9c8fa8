"""``ecgmon train``: build the generic model, or a wearer's own from it."""

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ecgmon.core.errors import UsageError
from ecgmon_cli.options import (
    SIMULATED,
    Annotator,
    Data,
    KeepGoing,
    Seed,
    require_file,
    require_torch,
)
from ecgmon_cli.recipe import RecipeSides, known, train_recipe
from ecgmon_cli.train_people import PeopleNetwork, PeopleSplit, train_on_people

if TYPE_CHECKING:
    from ecgmon.models.bundle import Model
    from ecgmon.models.card import Validation


class NetworkName(StrEnum):
    """Networks to train."""

    BEATNET = "beatnet"
    CARDIACNET = "cardiacnet"


class Trained(StrEnum):
    """Networks of windows to train, and those of beats and of rhythms."""

    BEATNET = "beatnet"
    CARDIACNET = "cardiacnet"
    BEATS = "beats"
    RHYTHMS = "rhythms"
    ATRIAL = "atrial"


def train(
    network: Annotated[
        Trained | None,
        typer.Option(
            help="Network to train; beats judges single beats, rhythms the last seconds, atrial "
            "the last beats.",
            show_default="beatnet",
        ),
    ] = None,
    split: Annotated[
        PeopleSplit | None,
        typer.Option(
            help="Who trains and who is judged, of beats and rhythms.", show_default="shipped"
        ),
    ] = None,
    patient: Annotated[
        str | None,
        typer.Option(
            metavar="RECORD",
            help="Fine-tune for the wearer of this record, on its first 5 minutes only; "
            "simulated is the simulated wearer.",
        ),
    ] = None,
    generic: Annotated[
        Path | None,
        typer.Option(help="Bundle to fine-tune from.", show_default="the built-in generic model"),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Train a recipe instead: one of studies 2 to 5, or of trainer/recipes.",
            autocompletion=known,
        ),
    ] = None,
    live: Annotated[
        bool,
        typer.Option("--live", help="Use beats as a live monitor has them, not as published."),
    ] = False,
    training: Annotated[
        str | None, typer.Option(metavar="RECORDS", help="Records that a recipe is fitted to.")
    ] = None,
    validation: Annotated[
        str | None, typer.Option(metavar="RECORDS", help="Records that choose its epoch.")
    ] = None,
    evaluation: Annotated[
        str | None, typer.Option(metavar="RECORDS", help="Records that it never sees.")
    ] = None,
    annotator: Annotator = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Bundle to write.", show_default="runs/NAME.onnx"),
    ] = None,
    seed: Seed = 1,
    data: Data = None,
    keep_going: KeepGoing = False,
) -> None:
    """Train the generic model, a wearer's model from it, or a recipe of the studies.

    Eight records are never trained on: 100 119 203 208 213 219 231 233. Options name other records
    for a recipe.

    Examples
    --------
      ecgmon train -o ecgmon/models/built_in/generic.onnx

      ecgmon train --patient 203 -o ecgmon/models/built_in/203.onnx

      ecgmon train --patient simulated -o ecgmon/models/built_in/simulated.onnx

      ecgmon train --network beats -o ecgmon/models/built_in/beats.onnx

      ecgmon train --network beats --split fold-0

      ecgmon train --network rhythms -o ecgmon/models/built_in/rhythms.onnx

      ecgmon train --recipe context --live -o runs/context.onnx

      ecgmon train --recipe transfer --training 101,106 --validation 114 --evaluation 203
    """
    require_torch()
    sides = RecipeSides(training, validation, evaluation)
    if annotator is not None and patient is None and not any(sides):
        raise UsageError(
            "--annotator is for the records of --patient, --training, --validation or "
            "--evaluation: name some."
        )
    if recipe is not None:
        if (network, patient, generic) != (None, None, None):
            raise UsageError(
                "--recipe has its own network: leave --network, --patient and --generic out."
            )
        train_recipe(recipe, live, sides, annotator, out, seed, data, keep_going=keep_going)
        return
    if live or any(side is not None for side in sides):
        raise UsageError(
            "--live, --training, --validation and --evaluation are for --recipe: name one."
        )
    if patient is None and generic is not None:
        raise UsageError("--generic is the start of --patient: give --patient RECORD too.")
    if patient is not None and network is not None:
        raise UsageError("--patient keeps the network of the generic model: leave --network out.")
    if network in (Trained.BEATS, Trained.RHYTHMS, Trained.ATRIAL):
        if keep_going:
            raise UsageError(
                f"--network {network} learns from everybody of its split: leave --keep-going out."
            )
        what: PeopleNetwork = (
            "beats"
            if network is Trained.BEATS
            else "rhythms"
            if network is Trained.RHYTHMS
            else "atrial"
        )
        train_on_people(what, split or PeopleSplit.SHIPPED, out, seed, data)
        return
    if split is not None:
        raise UsageError(
            "--split is of all people: give it with --network beats, rhythms or atrial."
        )
    # Whatever can be wrong with the call is said before torch is loaded, which takes seconds.
    from ecgmon.core.constants import WINDOW
    from ecgmon.models.bundle import Model
    from ecgmon.models.resolve import resolve
    from ecgmon.records.fetch import obtain
    from ecgmon.records.find import here
    from ecgmon.records.many import each
    from trainer.data.annotated import annotated_as_heard
    from trainer.enrolment.signal import require_eligible

    start = generic or resolve("generic", None)
    name = Model.load(start).card.network if patient else str(network or Trained.BEATNET)
    if name not in list(NetworkName):
        raise UsageError(f"{start} holds a network this version cannot train: {name}.")
    whose, own = patient or "generic", None
    if patient not in (None, SIMULATED):
        own = here(patient)
        one = partial(annotated_as_heard, annotator=annotator)
        fetch = partial(obtain, data=data, annotator=annotator)
        ((_, record),) = each([own], one, data=data, fetch=fetch)
        require_eligible(Model.load(start).card, record.name, len(record.samples) // WINDOW)
        whose = record.wearer
    path = out or Path("runs") / f"{whose}-{name}.onnx"
    require_file(path)

    from ecgmon_cli import train_windows

    if patient is None:
        model = train_windows.generic(name, path, seed, data, keep_going=keep_going)
    else:
        model = train_windows.own(start, own, path, seed, data, annotator, keep_going=keep_going)
    _report(model, path)


def _report(model: "Model", path: Path) -> None:
    card = model.card
    Console().print(
        f"{path}: {card.name}, {card.parameters:,} parameters, threshold {card.threshold:.2f}, "
        f"trained on {card.windows:,} windows ({card.abnormal_windows:,} abnormal)\n"
        f"{_figures('validation', card.validation)}"
        f"{_figures('evaluation', card.evaluation) if card.evaluation else ''}"
        f"  sha256 {model.sha256}",
        highlight=False,
        soft_wrap=True,
    )


def _figures(what: str, counts: "Validation") -> str:
    figures = (counts.confusion.balanced_accuracy, counts.confusion.f1)
    balanced, f1 = ("-" if figure is None else f"{figure:.3f}" for figure in figures)
    return f"  {what} ({counts.protocol}): balanced accuracy {balanced}, F1 {f1}\n"
