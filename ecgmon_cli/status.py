"""``ecgmon status``: how a running monitor and its wearers are, once."""

import json
import time
from typing import TYPE_CHECKING, Any, Final

import typer
from msgspec import to_builtins
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ecgmon_cli.attach import JsonAnswer, asking
from ecgmon_cli.options import write
from ecgmon_cli.where import Key, Monitor, OldEndpoint, where

if TYPE_CHECKING:
    from ecgmon.wire import messages
    from viewer.model.alarm_list import AlarmList
    from viewer.model.snapshot import MonitorSnapshot
    from viewer.model.wearer import ViewState

SAID_S: Final = 1.5
"""Within it every wearer's window and link have been told once."""
HIGH_WAITS: Final = 3
"""Exit code while a high alarm waits for somebody."""
WIDE: Final = 100
"""Columns from which on there is room for the models' names."""
LIKENESS: Final = "usual beat"
"""Heading of how like that of the enrolment the usual beat is, where a wearer's model knows it."""
STYLES: Final[dict[str, str]] = {"high": "red", "medium": "yellow", "low": "cyan"}


def status(
    endpoint: OldEndpoint = None,
    monitor: Monitor = None,
    key: Key = None,
    json_file: JsonAnswer = None,
) -> None:
    """Show the state of a running monitor and its wearers, once.

    The exit code is 0; 1 if no monitor answers; 3 if there is an alarm of high priority that nobody
    has acknowledged.

    Examples
    --------
      ecgmon status

      ecgmon status --json - | jq '.wearers[] | select(.state != "signal")'

      ecgmon status --monitor tcp://192.168.1.10:5556 --key nurse.key || call-the-nurse
    """
    from ecgmon.wire import messages
    from ecgmon.wire.viewer_client import topics

    kinds = (
        messages.Opened,
        messages.Window,
        messages.Link,
        messages.Closed,
        messages.Alarm,
        messages.Paused,
    )
    there = where("publish", monitor, key, endpoint)
    with asking(there, topics(kinds)) as attached:
        snapshot = attached.snapshot
        attached.listen(SAID_S, lambda: all(map(_known, snapshot.wearers.values())))
    if json_file is not None:
        write(json_file, json.dumps(_everything(snapshot, there.endpoint), indent=2) + "\n")
    else:
        _print(snapshot, there.endpoint)
    waiting = [alarm.message for alarm_list in snapshot.alarm_lists for alarm in alarm_list.waiting]
    if any(alarm.priority == "high" for alarm in waiting):
        raise typer.Exit(HIGH_WAITS)


def paused_until(alarm_list: "AlarmList", now: float) -> dict[str, float]:
    """Return the kinds that are paused, and until when."""
    return {kind: round(now + alarm_list.paused_s(kind, now), 3) for kind in alarm_list.paused(now)}


def _known(state: "ViewState") -> bool:
    """Tell whether an open stream has been told of; a wearer may have alarms without one."""
    if state.opened is None or state.closed:
        return True
    return state.link is not None and state.newest is not None


def _everything(snapshot: "MonitorSnapshot", endpoint: str) -> dict[str, Any]:
    now = time.time()
    own = {"endpoint": endpoint, **_alarms(snapshot.own, now)}
    wearers = [
        {
            "wearer": state.wearer,
            "state": _state(state),
            "heart_rate": window.heart_rate if (window := _window(state)) else None,
            "stream": state.stream,
            "lead": state.lead,
            "model": state.model,
            **(_link(state.link) if state.link else {"link": None}),
            **_alarms(state.alarm_list, now),
        }
        for state in snapshot.order()
    ]
    return {"monitor": own, "wearers": wearers}


def _link(link: "messages.Link") -> dict[str, Any]:
    names = ("received", "missing", "repeated", "lag_s", "drift_ppm", "likeness")
    return {"link": {name: getattr(link, name) for name in names}}


def _likeness(link: "messages.Link | None") -> str:
    """Return how like that of the enrolment the usual beat is; nothing where that is not known."""
    return "" if link is None or link.likeness is None else f"{link.likeness:.2f}"


def _alarms(alarm_list: "AlarmList", now: float) -> dict[str, Any]:
    return {
        "alarms": [to_builtins(alarm.message) for alarm in alarm_list.active],
        "paused_until": paused_until(alarm_list, now),
    }


def _state(state: "ViewState") -> str:
    from viewer.terminal.overview import signal_state

    return signal_state(state, time.monotonic())


def _window(state: "ViewState") -> "messages.Window | None":
    return state.current(time.monotonic())


def _print(snapshot: "MonitorSnapshot", endpoint: str) -> None:
    from ecgmon.terminal.canvas import plain
    from viewer.terminal.overview import active

    console = Console(highlight=False)
    now = time.time()
    wearers = snapshot.order()
    console.print(f"{endpoint}: {len(wearers)} wearer{'' if len(wearers) == 1 else 's'}")
    if text := active(snapshot.own, now, 100):
        worst = snapshot.own.active[0].message.priority
        console.print(Text(f"the monitor: {plain(text)}", style=STYLES[worst]))
    if not wearers:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("wearer", "signal"):
        table.add_column(heading, no_wrap=True)
    enrolled = any(state.link and state.link.likeness is not None for state in wearers)
    for heading in ("HR", "lag", *([LIKENESS] if enrolled else [])):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("alarm", overflow="fold")
    wide = console.width >= WIDE
    if wide:
        table.add_column("model", no_wrap=True, style="dim")
    longest = max(len(state.wearer) for state in wearers)
    room = console.width - longest - (50 if wide else 28) - enrolled * (len(LIKENESS) + 2)
    for state in wearers:
        window = _window(state)
        rate = window.heart_rate if window else None
        text, style = active(state.alarm_list, now, max(room, 24)), ""
        if text:
            style = STYLES[state.alarm_list.active[0].message.priority]
        table.add_row(
            state.wearer,
            _state(state),
            "--" if rate is None else f"{rate:.0f}",
            f"{state.link.lag_s:.1f} s" if state.link else "",
            *([_likeness(state.link)] if enrolled else []),
            Text(plain(text), style=style),
            *([Text(plain(state.model or ""))] if wide else []),
        )
    console.print(table)
