"""``ecgmon alarms``: list, acknowledge, pause and look up the alarms of a running monitor."""

import json
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from msgspec import to_builtins
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ecgmon.core.errors import EcgmonError, UsageError
from ecgmon_cli.attach import Attached, By, JsonAnswer, asking, user
from ecgmon_cli.options import write
from ecgmon_cli.status import STYLES
from ecgmon_cli.where import EndpointGroup, Key, MonitorOrEndpoint, where

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ecgmon.wire import messages
    from viewer.model.alarm_list import AlarmList
    from viewer.model.snapshot import MonitorSnapshot

MOST_S: Final = 3600
"""Longest pause that a message may ask for."""
OWN: Final = "the monitor"

app = typer.Typer(
    help="List, acknowledge, pause and look up the alarms of a running monitor.",
    epilog="Start with: ecgmon alarms list",
    no_args_is_help=True,
    cls=EndpointGroup,
)


def _kinds() -> list[str]:
    from monitor.alarms.kinds import KINDS

    return list(KINDS)


def _complete(context: typer.Context) -> list[str]:
    """Return the wearers whom the monitor watches, for the shell to complete."""
    try:
        with ask(context.params.get("endpoint"), context.params.get("key")) as monitor:
            return sorted(monitor.snapshot.wearers)
    except EcgmonError:
        return []


Wearers = Annotated[
    list[str] | None,
    typer.Argument(metavar="[WEARER]...", help="Wearers' ids.", autocompletion=_complete),
]
All = Annotated[bool, typer.Option("--all", help="All wearers, and the monitor itself.")]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", help="What it is about, such as abnormal.", autocompletion=_kinds),
]


@app.command("list")
def list_alarms(
    wearers: Wearers = None,
    endpoint: MonitorOrEndpoint = None,
    key: Key = None,
    json_file: JsonAnswer = None,
) -> None:
    """List the alarms that stand, the worst first; of all, or of these wearers.

    Examples
    --------
      ecgmon alarms list

      ecgmon alarms list 203 --json -
    """
    with ask(endpoint, key) as monitor:
        books = _books(monitor.snapshot, wearers, all_=not wearers)
    found = [(alarm, book) for book in books for alarm in book.standing]
    found.sort(key=lambda pair: pair[0].weight)
    if json_file is not None:
        write_json(json_file, [alarm.message for alarm, _ in found])
        return
    if not found:
        say("No alarm stands.")
        return
    now = time.time()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("wearer", "since", "priority", "state", "alarm"):
        table.add_column(heading, no_wrap=heading != "alarm")
    for alarm, book in found:
        message = alarm.message
        left_s = book.paused_s(message.kind, now)
        table.add_row(
            message.wearer or OWN,
            _at(alarm.began),
            Text(message.priority, style=STYLES[message.priority]),
            f"paused {left_s:.0f} s" if left_s else message.state,
            plain_text(f"{message.kind}: {message.text}{f' ({message.by})' if message.by else ''}"),
        )
    Console(highlight=False).print(table)


@app.command()
def ack(
    wearers: Wearers = None,
    all_: All = False,
    by: By = None,
    endpoint: MonitorOrEndpoint = None,
    key: Key = None,
    json_file: JsonAnswer = None,
) -> None:
    """Acknowledge the alarms of wearers that nobody has acknowledged yet.

    Examples
    --------
      ecgmon alarms ack 203

      ecgmon alarms ack --all --by "nurse Ann"
    """
    from ecgmon.wire import messages

    with ask(endpoint, key) as monitor:
        books = _books(monitor.snapshot, wearers, all_=all_)
        alarms = [alarm.message for book in books for alarm in book.waiting]
        who = by or user()
        for alarm in alarms:
            request = messages.Acknowledge(wearer=alarm.wearer, alarm=alarm.alarm, by=who)
            monitor.ask(request)
    if json_file is not None:
        write_json(json_file, alarms)
        return
    for alarm in alarms:
        say(f"{alarm.wearer or OWN}: {alarm.kind} acknowledged.")
    if not alarms:
        say("No alarm waits to be acknowledged.")


@app.command()
def pause(
    wearers: Wearers = None,
    all_: All = False,
    kinds: Kinds = None,
    seconds: Annotated[
        int,
        typer.Option("--for", metavar="SECONDS", min=1, max=MOST_S, help="How long."),
    ] = 120,
    by: By = None,
    endpoint: MonitorOrEndpoint = None,
    key: Key = None,
    json_file: JsonAnswer = None,
) -> None:
    """Keep alarms of wearers from sounding for a while: those that stand, or those of a kind.

    Examples
    --------
      ecgmon alarms pause 203

      ecgmon alarms pause 203 --kind no-signal --for 600
    """
    from ecgmon.wire import messages

    with ask(endpoint, key) as monitor:
        wanted = [
            messages.Pause(wearer=book.wearer, kind=kind, seconds=seconds, by=by or user())
            for book in _books(monitor.snapshot, wearers, all_=all_)
            for kind in kinds or dict.fromkeys(alarm.message.kind for alarm in book.standing)
        ]
        if not wanted:
            raise UsageError("No alarm stands that could be paused: name a kind with --kind.")
        _pause(monitor, wanted, json_file, f"paused for {seconds} s")


@app.command()
def rearm(
    wearers: Wearers = None,
    all_: All = False,
    kinds: Kinds = None,
    by: By = None,
    endpoint: MonitorOrEndpoint = None,
    key: Key = None,
    json_file: JsonAnswer = None,
) -> None:
    """Let alarms of wearers that are paused sound again.

    Examples
    --------
      ecgmon alarms rearm 203

      ecgmon alarms rearm --all --kind abnormal
    """
    from ecgmon.wire import messages

    with ask(endpoint, key) as monitor:
        now = time.time()
        wanted = [
            messages.Pause(wearer=book.wearer, kind=kind, seconds=0, by=by or user())
            for book in _books(monitor.snapshot, wearers, all_=all_)
            for kind in kinds or book.paused(now)
        ]
        _pause(monitor, wanted, json_file, "sounds again")
    if not wanted and json_file is None:
        say("Nothing is paused.")


def ask(endpoint: str | None, key: Path | None) -> "AbstractContextManager[Attached]":
    """Connect to a monitor that has said which alarms stand."""
    from ecgmon.wire import messages
    from ecgmon.wire.viewer_client import topics

    wanted = topics((messages.Opened, messages.Alarm, messages.Paused))
    return asking(where("publish", endpoint, key), wanted)


def _books(
    snapshot: "MonitorSnapshot", wearers: list[str] | None, *, all_: bool
) -> "list[AlarmList]":
    """Return the alarms of those who were named; raises `UsageError` where nobody was, or both."""
    if bool(wearers) == all_:
        raise UsageError("Say whose alarms: name wearers, or give --all.")
    if not wearers:
        return snapshot.books
    known = ", ".join(sorted(snapshot.wearers)) or "nobody"
    for wearer in wearers:
        if wearer not in snapshot.wearers:
            raise UsageError(f"The monitor does not watch {wearer}: it watches {known}.")
    return [snapshot.wearers[wearer].book for wearer in dict.fromkeys(wearers)]


def _pause(
    monitor: Attached, wanted: "list[messages.Pause]", json_file: Path | None, done: str
) -> None:
    for request in wanted:
        monitor.ask(request)
    if json_file is not None:
        write_json(json_file, wanted)
        return
    for request in wanted:
        say(f"{request.wearer or OWN}: {request.kind} {done}.")


def write_json(path: Path, found: object) -> None:
    """Write messages to a file that the user named."""
    write(path, json.dumps(to_builtins(found), indent=2) + "\n")


def _at(unix: float) -> str:
    return f"{datetime.fromtimestamp(unix).astimezone():%m-%d %H:%M:%S}"


def plain_text(text: str) -> Text:
    """Return what a monitor said as a text that neither marks up nor steers the terminal."""
    from ecgmon.terminal.canvas import plain

    return Text(plain(text))


def say(text: str) -> None:
    """Print a line."""
    Console(highlight=False, soft_wrap=True, markup=False).print(text)
