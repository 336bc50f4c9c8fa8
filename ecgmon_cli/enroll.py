"""``ecgmon enroll``: a model of a wearer's own, put into service if it does no harm."""

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from ecgmon.core.errors import UsageError
from ecgmon.models.resolve import GENERIC, stored
from ecgmon_cli.options import Annotator, Data, Json, require_torch, write
from ecgmon_cli.where import Key, Monitor, where

if TYPE_CHECKING:
    from ecgmon.models.card import LabelSource
    from trainer.enrolment.base import BaseEnrolment
    from trainer.enrolment.finished import AnyEnrolment
    from trainer.enrolment.request import EnrolmentRequest

KEPT: Final = 3
"""Exit code where the new model is stored and not put into service."""
UNFINISHED: Final = 4
"""Exit code where the review was left: it can be gone on with."""


def enroll(
    patient: Annotated[
        str,
        typer.Option(
            metavar="ID",
            help="Id of the wearer, as the device will send it.",
            autocompletion=lambda: stored().wearers(),
        ),
    ],
    record: Annotated[
        str | None,
        typer.Option(metavar="RECORD", help="Learn from the first 5 minutes of a record."),
    ] = None,
    annotator: Annotator = None,
    captured: Annotated[
        bool,
        typer.Option("--captured", help="Learn from the last 5 minutes that a monitor captured."),
    ] = False,
    live: Annotated[
        int | None,
        typer.Option(
            metavar="MINUTES",
            min=3,
            max=30,
            help="Learn from the next minutes of a running monitor.",
        ),
    ] = None,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Learn anew from the signal and labels of the model in service."
        ),
    ] = False,
    beats: Annotated[
        bool,
        typer.Option("--beats", help="Make the wearer's model of beats (classes N, S, V) instead."),
    ] = False,
    review: Annotated[
        bool,
        typer.Option(
            "--review",
            help="Judge twenty beats in the terminal; the default without annotations.",
        ),
    ] = False,
    assume_normal: Annotated[
        bool, typer.Option("--assume-normal", help="Assume that the signal is the usual rhythm.")
    ] = False,
    afresh: Annotated[
        bool,
        typer.Option("--afresh", help="Start anew instead of continuing an unfinished review."),
    ] = False,
    monitor: Monitor = None,
    key: Key = None,
    generic: Annotated[
        Path | None,
        typer.Option(help="Bundle to fine-tune from.", show_default="the built-in generic model"),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Put the model into service even if it is worse.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random draws.")] = 1,
    data: Data = None,
    json_file: Json = None,
) -> None:
    """Make a model for one wearer and put it into service.

    Labels are the record's annotations. Without them a clinician judges
    twenty beats in the terminal, or the signal is assumed to be the usual
    rhythm. That is refused if the generic model calls a quarter of it abnormal.

    The model serves only if it is not worse than the one in service on the
    enrolment's last minute, and finds at most 5 % fewer of a panel of other
    wearers' abnormal seconds. Otherwise it is stored, the old one serves,
    and the exit code is 3. An interrupted review ends with exit code 4; the
    same command continues it. A running monitor uses the model within two
    seconds.

    --again makes the wearer's model of windows anew from what the one in
    service was made from: the record and its annotations, or the signal and
    answers that were kept. Nothing is asked. ecgmon models list says who needs
    it after an upgrade. A model in service that sees the signal in another way
    cannot be compared: the generic model then takes its place.

    --beats makes the model that names single beats. The review then asks of
    which class a beat is, and the panel is of ectopic beats. The first time,
    beats of other people are prepared, for a minute or two.

    Examples
    --------
      ecgmon enroll --patient 203 --record 203

      ecgmon enroll --patient ann --live 5

      ecgmon enroll --patient ann --captured --assume-normal

      ecgmon enroll --patient 203 --record 203 --beats

      ecgmon enroll --patient ann --again
    """
    require_torch(
        "; or enrol on another machine and bring the model: ecgmon models export and import"
    )
    if sum((record is not None, captured, live is not None, again)) != 1:
        raise UsageError(
            "Give the signal to learn from: --record, --captured, --live or --again, one only."
        )
    if again and (review or assume_normal or afresh):
        raise UsageError(
            "--again takes the labels that were kept: leave --review, --assume-normal and --afresh "
            "out."
        )
    if again and beats:
        raise UsageError(
            "What a model of beats was made from is not kept with it: give --beats with --record, "
            "--captured or --live."
        )
    if annotator is not None and record is None and not again:
        raise UsageError("--annotator chooses annotations of a --record: give both.")
    if review and assume_normal:
        raise UsageError("A signal is reviewed or assumed normal: leave one of the options out.")
    if patient == GENERIC:
        raise UsageError(f"{GENERIC} is the name of the generic model: choose another id.")
    stored().versions(patient)  # an id that cannot be is said now, not after the training
    if json_file is not None:
        write(json_file, "", "a")  # as is what cannot be written

    from trainer.enrolment import kept
    from trainer.enrolment.request import (
        EnrolmentRequest,
        FromCaptured,
        FromKept,
        FromLive,
        FromRecord,
        StoppedError,
    )

    source: FromRecord | FromCaptured | FromLive | FromKept = FromCaptured()
    if again:
        source = kept.in_service(patient, annotator)
    elif record is not None:
        source = FromRecord(record, annotator)
    elif live is not None:
        source = FromLive(live, where("publish", monitor, key))
    labels: LabelSource | None = "review" if review else None
    if assume_normal:
        labels = "assumed normal"
    request = EnrolmentRequest(
        patient,
        source,
        "beat" if beats else "window",
        labels,
        afresh=afresh,
        generic=generic,
        force=force,
        seed=seed,
        data=data,
    )
    try:
        enrolment = _enrolment(request)
        if enrolment.notice:
            _say(enrolment.notice)
        done = enrolment.run()
    except StoppedError as stopped:
        _say(str(stopped))
        raise typer.Exit(128 + signal.SIGINT) from None
    if done is None:
        without = ", without --afresh," if afresh else ""
        _say(f"The review is kept: the same command{without} goes on with it.")
        raise typer.Exit(UNFINISHED)
    if json_file is not None:
        write(json_file, json.dumps(done.figures(), indent=2) + "\n")
    else:
        _show(done)
    if not done.in_service:
        raise typer.Exit(KEPT)


def _enrolment(request: "EnrolmentRequest") -> "BaseEnrolment":
    if request.kind == "beat":
        from trainer.enrolment.own_beats.service import BeatEnrolment

        return BeatEnrolment(request)
    from trainer.enrolment.service import Enrolment

    return Enrolment(request)


def _show(done: "AnyEnrolment") -> None:
    old, patient, version = done.old_name, done.wearer, done.version
    console = Console(highlight=False)
    console.print(done.summary())
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="cyan")
    for heading in ("", done.unit, f"{old}: wrong", "new model: wrong"):
        table.add_column(heading, justify="right" if heading else "left")
    for what, number, by_new, by_old in done.rows():
        table.add_row(what, number, by_old, by_new)
    console.print(table)
    if done.saw_minute:
        console.print(f"{old} was fitted to the last minute and is not judged on it.")
    for objection in done.objections:
        console.print(f"Against the new model: {objection}.", style="yellow")
    if done.in_service:
        console.print(f"Version {version} is in service for {patient}.", style="green")
    else:
        console.print(
            f"Version {version} is kept; {done.served} stays in service for {patient}. To use it "
            f"all the same: ecgmon models activate {patient} {version}",
            style="yellow",
        )
    console.print(f"Report: {done.report}", soft_wrap=True)


def _say(text: str) -> None:
    Console(stderr=True, highlight=False).print(text, soft_wrap=True)
