"""``ecgmon enroll``: a model of a wearer's own, put into service if it does no harm."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from ecgmon.cli.models import GENERIC, resolve, stored
from ecgmon.cli.options import Data, Json, write
from ecgmon.cli.progress import long_work
from ecgmon.cli.train import require_torch
from ecgmon.errors import BundleError

if TYPE_CHECKING:
    from trainer.enrolment.gate import Verdict

KEPT: Final = 3
"""Exit code where the new model is stored and not put into service."""


def enroll(
    patient: Annotated[
        str, typer.Option(metavar="ID", help="The wearer; the name the device will give.")
    ],
    record: Annotated[
        str,
        typer.Option(
            metavar="RECORD", help="Annotated record whose first 5 minutes are learned from."
        ),
    ],
    generic: Annotated[
        Path | None,
        typer.Option(help="Bundle to start from.", show_default="the built-in generic model"),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Put it into service even if it does worse.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 1,
    data: Data = None,
    json_file: Json = None,
) -> None:
    """Fine-tune a model for a new wearer and put it into service.

    It serves only if it is not worse than the one in service on the enrolment's last minute and
    on a panel of other wearers' abnormal seconds; otherwise it is kept, the old one goes on, and
    the exit code is 3. A running monitor takes it up within two seconds.

    Examples
    --------
      ecgmon enroll --patient 203 --record 203

      ecgmon enroll --patient ann --record home/ann --force
    """
    require_torch()
    from dataclasses import replace

    from ecgmon.bundle import Model
    from trainer import noise, splits
    from trainer.dataset import load
    from trainer.enrolment import gate
    from trainer.enrolment.enrol import check, enrol, tuning
    from trainer.networks import NETWORKS

    store = stored()
    store.versions(patient)  # an id that cannot be is said now, not after the training
    start = generic or resolve(GENERIC, None)
    serving = Model.load(resolve(None, patient))
    card = Model.load(start).card
    if card.network not in NETWORKS:
        raise BundleError(f"{start} holds a network this version cannot train: {card.network}.")
    kind = NETWORKS[card.network]
    if serving.card.geometry != card.geometry:
        raise BundleError(
            f"{serving.card.name}, in service for {patient}, sees other history than {start} and "
            "cannot be compared with it: give a bundle like it with --generic."
        )
    if json_file is not None:
        write(json_file, "", "a")  # what cannot be is said now, not after the training
    (wearer,) = load([record], kind, data)
    check(card, wearer)
    names = [*splits.TRAINING, *gate.PANEL]
    with long_work() as bar, tempfile.TemporaryDirectory() as folder:
        task = bar.add_task("Records", total=len(names), note="")
        sets = load(names, kind, data, lambda name: bar.update(task, advance=1, note=name))
        rehearsal, panel = sets[: len(splits.TRAINING)], sets[len(splits.TRAINING) :]
        recordings = noise.load(kind.geometry, data)
        task = bar.add_task("Fits", total=2, note="")
        own = replace(wearer, wearer=patient)
        way = tuning(
            start,
            own,
            rehearsal,
            seed,
            recordings,
            lambda epoch: bar.update(task, advance=1, note=f"loss {epoch.loss:.4f}"),
        )
        new = enrol(start, own, way, seed, made := Path(folder) / "new.onnx")
        verdict = gate.compare(new, serving, wearer, panel)
        version = store.add(patient, made)
    serves = force or not verdict.objections
    if serves:
        store.activate(patient, version, forced=force)
    if json_file is not None:
        figures = {"patient": patient, "version": version, "in_service": serves}
        write(json_file, json.dumps(figures | _figures(verdict), indent=2) + "\n")
    else:
        _report(patient, version, verdict, serves=serves, serving=serving.card.name)
    if not serves:
        raise typer.Exit(KEPT)


def _figures(verdict: "Verdict") -> dict[str, Any]:
    return asdict(verdict) | {"objections": verdict.objections}


def _report(patient: str, version: int, verdict: "Verdict", *, serves: bool, serving: str) -> None:
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="cyan")
    for heading in ("", "windows", "new model: wrong", f"{serving}: wrong"):
        table.add_column(heading, justify="right" if heading else "left")
    for what, new, old in (
        ("last minute", verdict.minute_new, verdict.minute_old),
        ("panel", verdict.panel_new, verdict.panel_old),
    ):
        for kind, windows in (("normal", new.fp + new.tn), ("abnormal", new.tp + new.fn)):
            if windows:
                wrong = [f"{c.fp if kind == 'normal' else c.fn}" if c else "-" for c in (new, old)]
                table.add_row(f"{what}, {kind}", f"{windows}", *wrong)
    console.print(table)
    if verdict.minute_old is None:
        console.print(f"{serving} was fitted to the last minute and is not judged on it.")
    for objection in verdict.objections:
        console.print(f"Against the new model: {objection}.", style="yellow")
    if serves:
        console.print(f"Version {version} is in service for {patient}.", style="green")
    else:
        console.print(
            f"Version {version} is kept; {serving} stays in service for {patient}. To use it all "
            f"the same: ecgmon models activate {patient} {version}",
            style="yellow",
        )
