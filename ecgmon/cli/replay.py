"""``ecgmon replay``: stream a record, or a simulated wearer, and watch it being monitored."""

import json
import math
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from ecgmon.cli.options import (
    SIMULATED,
    AbnormalRule,
    ClearAfter,
    Data,
    Journal,
    Json,
    Model,
    alert_rules,
    write,
)
from ecgmon.errors import RecordMissingError, UsageError

if TYPE_CHECKING:
    from ecgmon.cli.session import Source

FALLBACK: Final = "premature"
"""Scenario shown where a record cannot be had."""


def replay(
    record: Annotated[
        str | None,
        typer.Argument(
            metavar="[RECORD]",
            help="A WFDB record: a path, database/name, or a bare MIT-BIH name such as 203.",
        ),
    ] = None,
    simulate: Annotated[
        str | None,
        typer.Option(
            metavar="SCENARIO",
            help="A simulated wearer instead: normal, premature, runs, pauses, asystole, noise, "
            "lead-off or gaps.",
            autocompletion=lambda: list(_scenarios()),
        ),
    ] = None,
    speed: Annotated[
        str, typer.Option(metavar="N|max", help="Multiple of real time, or max.")
    ] = "1",
    start: Annotated[
        int, typer.Option("--from", metavar="SECONDS", min=0, help="Where to begin.")
    ] = 0,
    duration: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="How much to play. [default: all]")
    ] = None,
    burst: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0, max=60, help="Deliver in bursts, as a radio does."),
    ] = 0.0,
    connect: Annotated[
        str | None,
        typer.Option(metavar="ENDPOINT", help="Stream to this monitor instead of starting one."),
    ] = None,
    model: Model = None,
    lead: Annotated[
        str | None, typer.Option(help="Lead to stream, by name or number. [default: II]")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the simulated wearer.")] = 1,
    score_from: Annotated[
        int | None,
        typer.Option(
            metavar="SECONDS",
            min=0,
            help="Score the record from here on. [default: where the model's enrolment ends]",
        ),
    ] = None,
    abnormal: AbnormalRule = "3/10",
    clear_after: ClearAfter = 30,
    journal: Journal = None,
    json_file: Json = None,
    view: Annotated[
        bool, typer.Option("--view/--no-view", help="Draw, or print plain lines.")
    ] = True,
    data: Data = None,
    or_simulate: Annotated[bool, typer.Option("--or-simulate", hidden=True)] = False,
) -> None:
    """Stream a record as a device would, and watch it being monitored.

    Without --connect it starts a monitor of its own, on loopback sockets. A record with
    annotations is scored: what the monitor said of every second against what the experts said.

    Examples
    --------
      ecgmon replay 203

      ecgmon replay 203 --speed max --json result.json

      ecgmon replay nstdb/em --from 300 --duration 60 --no-view

      ecgmon replay --simulate asystole
    """
    from ecgmon.cli.session import Session, play

    if (record is None) == (simulate is None):
        raise UsageError("Give either a record, such as 203, or --simulate SCENARIO.")
    if connect is not None and (model is not None or journal is not None):
        raise UsageError(
            "--model and --journal are the monitor's: with --connect, give them to ecgmon serve."
        )
    if duration is not None and not math.isfinite(duration):
        raise UsageError(f"--duration {duration} is no duration: give a number of seconds.")
    session = Session(
        speed=_speed(speed),
        start_s=start,
        duration_s=duration,
        burst_s=burst,
        connect=connect,
        model=model,
        score_from_s=score_from,
        rules=alert_rules(abnormal, clear_after),
        journal=journal,
        view=view and sys.stdout.isatty(),
        out=sys.stderr if json_file == Path("-") else sys.stdout,
    )
    if simulate is not None:
        source = _simulated(simulate, seed, duration)
        session = replace(session, notice="SIMULATED WEARER", model=model or SIMULATED)
    else:
        try:
            source = _recorded(str(record), data, lead)
        except RecordMissingError as error:
            if not or_simulate:
                raise
            notice = f"SIMULATED WEARER, not record {record}"
            text = Text.assemble(f"{error}\n", (notice, "bold"))
            Console(file=session.out).print(text, soft_wrap=True)
            source = _simulated(FALLBACK, seed, None)
            session = replace(session, notice=notice, model=model or SIMULATED)
    if json_file is not None:
        write(json_file, "", "a")  # what cannot be is said now, not after half an hour of play
    result = play(source, session)
    if json_file is not None:
        write(json_file, json.dumps(result, indent=2) + "\n")
    if result["interrupted"]:
        raise typer.Exit(128 + signal.SIGINT)


def _speed(text: str) -> float:
    try:
        speed = math.inf if text == "max" else float(text)
    except ValueError:
        speed = math.nan
    if not (0.01 <= speed <= 10_000 or speed == math.inf):
        raise UsageError(f"--speed {text} is no speed: give a number from 0.01 to 10000, or max.")
    return speed


def _scenarios() -> list[str]:
    from replay.scenarios import SCENARIOS

    return list(SCENARIOS)


def _simulated(scenario: str, seed: int, duration: float | None) -> "Source":
    from ecgmon.cli.session import Source
    from replay.simulated import simulate

    simulation = simulate(scenario, seed=seed, duration_s=duration)
    return Source(simulation.record, simulation.expected)


def _recorded(name: str, data: Path | None, lead: str | None) -> "Source":
    """Find or fetch, and read a record."""
    from ecgmon.cli.session import Source
    from ecgmon.records.fetch import obtain
    from ecgmon.records.read import read

    console = Console(stderr=True)
    with Progress(
        TextColumn("Fetching {task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} files"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(name, total=None, visible=False)
        found = obtain(
            name,
            data=data,
            progress=lambda file, done, total: bar.update(
                task, description=file, completed=done, total=total, visible=True
            ),
        )
    return Source(read(found, lead=lead), None)
