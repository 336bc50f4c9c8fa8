"""``ecgmon replay``: stream a record, or a simulated wearer, and watch it being monitored."""

import json
import math
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.text import Text

from ecgmon.core.errors import RecordError, RecordMissingError, UsageError
from ecgmon_cli.options import (
    SIMULATED,
    AbnormalRule,
    Annotator,
    ClearAfter,
    Data,
    Journal,
    Json,
    KeepGoing,
    Model,
    SecondLead,
    alarm_rules,
    make_folder,
    say_skipped,
    write,
)
from ecgmon_cli.replay_sources import recorded, scenarios, simulated, simulated_wearers
from ecgmon_cli.where import Connect, Key, where

FALLBACK: Final = "premature"
"""Scenario that is shown where a record cannot be fetched."""


def replay(
    records: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RECORD]...",
            help="WFDB records: a path, database/name, or the name of a record of this folder or "
            "MIT-BIH, such as 203. More than one needs --connect.",
        ),
    ] = None,
    simulate: Annotated[
        str | None,
        typer.Option(
            metavar="SCENARIO",
            help="Play a simulated wearer instead: normal, premature, runs, pauses, bradycardia, "
            "tachycardia, extreme, asystole, noise, lead-off or gaps.",
            autocompletion=scenarios,
        ),
    ] = None,
    wearers: Annotated[
        int,
        typer.Option(
            min=1,
            max=2000,
            help="Play this many simulated wearers at once, with --connect; mixed gives them all "
            "scenarios in turn.",
        ),
    ] = 1,
    loop: Annotated[
        bool,
        typer.Option("--loop", help="Repeat the simulation for --duration."),
    ] = False,
    speed: Annotated[
        str, typer.Option(metavar="N|max", help="Speed as a multiple of real time, or max.")
    ] = "1",
    start: Annotated[
        int,
        typer.Option("--from", metavar="SECONDS", min=0, help="Start at this time of the record."),
    ] = 0,
    duration: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Play this much. [default: all]")
    ] = None,
    burst: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0, max=60, help="Send in bursts of this length, as a radio does."
        ),
    ] = 0.0,
    connect: Connect = None,
    key: Key = None,
    patience: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=0,
            max=86_400,
            help="Wait this long for a monitor that went away, with --connect.",
        ),
    ] = 60.0,
    rate: Annotated[
        int | None,
        typer.Option(
            metavar="HZ",
            help="Send this many samples per second, from 100 to 1000. [default: as recorded]",
        ),
    ] = None,
    model: Model = None,
    beat_model: Annotated[
        str | None,
        typer.Option(
            help="Judge beats by this model: a bundle's path, a wearer's id, or beats.",
            show_default="the wearer's own, else none",
        ),
    ] = None,
    lead: Annotated[
        str | None, typer.Option(help="Lead to stream, by name or number. [default: II]")
    ] = None,
    second_lead: SecondLead = None,
    annotator: Annotator = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulated wearer.")] = 1,
    score_from: Annotated[
        int | None,
        typer.Option(
            metavar="SECONDS",
            min=0,
            help="Score the record from this time on. [default: where the model's enrolment ends]",
        ),
    ] = None,
    abnormal: AbnormalRule = "3/10",
    clear_after: ClearAfter = 30,
    journal: Journal = None,
    json_file: Json = None,
    html_file: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FILE",
            help="Write the totals of the beats as a page, if a model has named them; - is stdout.",
        ),
    ] = None,
    write_annotations: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            file_okay=False,
            help="Write what the monitor published (beats, noise, heart rate, alarms) into this "
            "folder as a WFDB annotation file, such as 203.ecgmon.",
        ),
    ] = None,
    view: Annotated[
        bool, typer.Option("--view/--no-view", help="Draw a screen, or print lines.")
    ] = True,
    data: Data = None,
    keep_going: KeepGoing = False,
    or_simulate: Annotated[bool, typer.Option("--or-simulate", hidden=True)] = False,
) -> None:
    """Stream a record as a device would, and watch the monitor judge it.

    Without --connect it starts its own monitor, on loopback sockets. A record with annotations is
    scored: the monitor's verdict of every second against the experts' annotations. Where a model
    names beats, their totals follow: beats of each class, couplets, runs, pauses and heart rates.

    With --connect it survives lost connections and restarts of the monitor, as a wearable does: it
    keeps what is not acknowledged for ten minutes and sends it again. Many records play at once.

    Examples
    --------
      ecgmon replay 203

      ecgmon replay 203 --speed max --json result.json

      ecgmon replay 208 --speed max --beat-model beats --html beats.html

      ecgmon replay nstdb/em --from 300 --duration 60 --no-view

      ecgmon replay 203 --speed max --beat-model beats --write-annotations judged

      ecgmon replay --simulate asystole

      ecgmon replay 100 101 203 --connect tcp://127.0.0.1:5555

      ecgmon replay --simulate mixed --wearers 20 --loop --connect tcp://127.0.0.1:5555
    """
    from ecgmon.models.loading import load_beats
    from ecgmon.models.resolve import resolve
    from ecgmon_cli.played_load import play_all
    from ecgmon_cli.replay_session import Session, play

    names = records or []
    if bool(names) == (simulate is not None):
        raise UsageError("Give either a record, such as 203, or --simulate SCENARIO.")
    if simulate is not None and second_lead is not None:
        raise UsageError("A simulated wearer has one lead: give --second-lead with a record.")
    if simulate is None and (wearers > 1 or loop):
        raise UsageError("--wearers and --loop are for simulated wearers: give --simulate too.")
    many = len(names) > 1 or wearers > 1
    if many and connect is None:
        raise UsageError(
            "Many wearers at once need a running monitor: start ecgmon serve, and give --connect "
            "ENDPOINT; without it, give one record."
        )
    if connect is not None and (model is not None or journal is not None):
        raise UsageError(
            "--model and --journal are for the monitor: with --connect, give them to ecgmon serve."
        )
    if connect is not None and beat_model is not None:
        raise UsageError(
            "--beat-model is for the monitor: with --connect, name the bundle as beats in "
            "[models] of its configuration."
        )
    if write_annotations is not None and loop:
        raise UsageError("--loop never ends a record: leave it or --write-annotations out.")
    if duration is not None and not math.isfinite(duration):
        raise UsageError(f"--duration {duration} is not a duration: give a number of seconds.")
    if html_file is not None and many:
        raise UsageError("--html is the page of one wearer: give one record.")
    if html_file == json_file == Path("-"):
        raise UsageError("--json and --html cannot both be stdout: name a file.")
    if key is not None and connect is None:
        raise UsageError("--key is for the monitor that --connect names: give both.")
    there = None if connect is None else where("ingest", connect, key)
    bundle = None if beat_model is None else resolve(beat_model, None, "beat")
    session = Session(
        speed=_speed(speed),
        start_s=start,
        duration_s=duration,
        burst_s=burst,
        connect=there.endpoint if there else None,
        patience_s=patience,
        secure=there.secure if there else lambda _: None,
        rate=rate,
        model=model,
        beat_model=bundle,
        annotations=write_annotations,
        score_from_s=score_from,
        limits=alarm_rules(abnormal, clear_after),
        journal=journal,
        view=view and sys.stdout.isatty(),
        out=sys.stderr if Path("-") in (json_file, html_file) else sys.stdout,
    )
    if many:
        skipped: dict[str, RecordError] | None = {} if keep_going else None
        sources = (
            recorded(names, data, lead, annotator, skipped, second_lead)
            if simulate is None
            else simulated_wearers(simulate, wearers, seed, duration, loop=loop)
        )
        say_skipped(skipped or {})
    elif simulate is not None:
        sources = [simulated(simulate, seed, duration, loop=loop)]
        session = replace(session, notice="SIMULATED WEARER", model=model or SIMULATED)
    else:
        try:
            sources = recorded(names, data, lead, annotator, None, second_lead)
        except RecordMissingError as error:
            if not or_simulate:
                raise
            notice = f"SIMULATED WEARER, not record {names[0]}"
            text = Text.assemble(f"{error}\n", (notice, "bold"))
            Console(file=session.out).print(text, soft_wrap=True)
            sources = [simulated(FALLBACK, seed, None)]
            session = replace(session, notice=notice, model=model or SIMULATED)
    if bundle is not None:
        load_beats(bundle)
    if write_annotations is not None:
        make_folder(write_annotations)
    for file in (json_file, html_file):
        if file is not None:
            write(file, "", "a")  # fails now if it cannot be written, not after the replay
    result = play_all(sources, session) if many else play(sources[0], session)
    if json_file is not None:
        write(json_file, json.dumps(result, indent=2) + "\n")
    if html_file is not None:
        write(html_file, _report(result))
    if result["interrupted"]:
        raise typer.Exit(128 + signal.SIGINT)
    if result.get("failed"):
        raise typer.Exit(1)


def _report(result: dict[str, Any]) -> str:
    from ecgmon.holter.report import as_html

    if result["totals"] is None:
        raise RecordError(
            f"No beat of {result['patient']} was named, so --html has nothing to show: give "
            "--beat-model beats."
        )
    about = f"Replay of {result['record']}; hours count from its beginning."
    return as_html(result["totals"], result["patient"], about)


def _speed(text: str) -> float:
    try:
        speed = math.inf if text == "max" else float(text)
    except ValueError:
        speed = math.nan
    if not (0.01 <= speed <= 10_000 or speed == math.inf):
        raise UsageError(
            f"--speed {text} is not a speed: give a number from 0.01 to 10000, or max."
        )
    return speed
