"""``ecgmon alarms``: list, acknowledge, pause and look up the alarms of a running monitor."""

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ecgmon.core.errors import UsageError
from ecgmon_cli.alarm_options import All, Kinds, Wearers, ask, plain_text, say, write_json
from ecgmon_cli.attach import Attached, By, JsonAnswer, user
from ecgmon_cli.status import STYLES
from ecgmon_cli.where import EndpointGroup, Key, MonitorOrEndpoint

if TYPE_CHECKING:
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


@app.command("list")
def list_alarms(
    wearers: Wearers = None,
    endpoint: MonitorOrEndpoint = None,
    key: Key = None,
    json_file: JsonAnswer = None,
) -> None:
    """List active alarms, the worst first: of all wearers, or of these.

    Examples
    --------
      ecgmon alarms list

      ecgmon alarms list 203 --json -
    """
    with ask(endpoint, key) as monitor:
        alarm_lists = _alarm_lists(monitor.snapshot, wearers, all_=not wearers)
    found = [(alarm, alarm_list) for alarm_list in alarm_lists for alarm in alarm_list.active]
    found.sort(key=lambda pair: pair[0].weight)
    if json_file is not None:
        write_json(json_file, [alarm.message for alarm, _ in found])
        return
    if not found:
        say("No alarm is active.")
        return
    now = time.time()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("wearer", "since", "priority", "state", "alarm"):
        table.add_column(heading, no_wrap=heading != "alarm")
    for alarm, alarm_list in found:
        message = alarm.message
        left_s = alarm_list.paused_s(message.kind, now)
        table.add_row(
            message.wearer or OWN,
            _at(alarm.began),
            Text(message.priority, style=STYLES[message.priority]),
            f"paused {left_s:.0f} s" if left_s else message.state,
            plain_text(f"{message.kind}: {message.told}{f' ({message.by})' if message.by else ''}"),
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
    """Acknowledge alarms of these wearers that nobody has acknowledged yet.

    Examples
    --------
      ecgmon alarms ack 203

      ecgmon alarms ack --all --by "nurse Ann"
    """
    from ecgmon.wire import messages

    with ask(endpoint, key) as monitor:
        alarm_lists = _alarm_lists(monitor.snapshot, wearers, all_=all_)
        alarms = [alarm.message for alarm_list in alarm_lists for alarm in alarm_list.waiting]
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
        say("No alarm needs to be acknowledged.")


@app.command()
def pause(
    wearers: Wearers = None,
    all_: All = False,
    kinds: Kinds = None,
    seconds: Annotated[
        int,
        typer.Option("--for", metavar="SECONDS", min=1, max=MOST_S, help="Length of the pause."),
    ] = 120,
    by: By = None,
    endpoint: MonitorOrEndpoint = None,
    key: Key = None,
    json_file: JsonAnswer = None,
) -> None:
    """Pause the sound of these wearers' alarms for a time: the active ones, or those of a kind.

    Examples
    --------
      ecgmon alarms pause 203

      ecgmon alarms pause 203 --kind no-signal --for 600
    """
    from ecgmon.wire import messages

    with ask(endpoint, key) as monitor:
        requests = [
            messages.Pause(wearer=alarm_list.wearer, kind=kind, seconds=seconds, by=by or user())
            for alarm_list in _alarm_lists(monitor.snapshot, wearers, all_=all_)
            for kind in kinds or dict.fromkeys(alarm.message.kind for alarm in alarm_list.active)
        ]
        if not requests:
            raise UsageError("No alarm is active: name a kind to pause with --kind.")
        _pause(monitor, requests, json_file, f"paused for {seconds} s")


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
    """End pauses of these wearers' alarms: of all kinds, or of one.

    Examples
    --------
      ecgmon alarms rearm 203

      ecgmon alarms rearm --all --kind abnormal
    """
    from ecgmon.wire import messages

    with ask(endpoint, key) as monitor:
        now = time.time()
        requests = [
            messages.Pause(wearer=alarm_list.wearer, kind=kind, seconds=0, by=by or user())
            for alarm_list in _alarm_lists(monitor.snapshot, wearers, all_=all_)
            for kind in kinds or alarm_list.paused(now)
        ]
        _pause(monitor, requests, json_file, "sounds again")
    if not requests and json_file is None:
        say("Nothing is paused.")


def _alarm_lists(
    snapshot: "MonitorSnapshot", wearers: list[str] | None, *, all_: bool
) -> "list[AlarmList]":
    """Return the alarms of those who were named; raises `UsageError` where nobody was, or both."""
    if bool(wearers) == all_:
        raise UsageError("Say whose alarms: name wearers, or give --all.")
    if not wearers:
        return snapshot.alarm_lists
    known = ", ".join(sorted(snapshot.wearers)) or "nobody"
    for wearer in wearers:
        if wearer not in snapshot.wearers:
            raise UsageError(f"The monitor does not watch {wearer}: it watches {known}.")
    return [snapshot.wearers[wearer].alarm_list for wearer in dict.fromkeys(wearers)]


def _pause(
    monitor: Attached, requests: "list[messages.Pause]", json_file: Path | None, done: str
) -> None:
    for request in requests:
        monitor.ask(request)
    if json_file is not None:
        write_json(json_file, requests)
        return
    for request in requests:
        say(f"{request.wearer or OWN}: {request.kind} {done}.")


def _at(unix: float) -> str:
    return f"{datetime.fromtimestamp(unix).astimezone():%m-%d %H:%M:%S}"
