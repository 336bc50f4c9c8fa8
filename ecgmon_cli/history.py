"""``ecgmon alarms history``: past alarms and pauses."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ecgmon.core.errors import UsageError
from ecgmon_cli.alarm_options import Wearers, ask, plain_text, say, write_json
from ecgmon_cli.attach import Attached, JsonAnswer
from ecgmon_cli.status import STYLES
from ecgmon_cli.where import Key, MonitorOrEndpoint

if TYPE_CHECKING:
    from ecgmon.wire import messages


def history(
    wearers: Wearers = None,
    last: Annotated[
        int, typer.Option("--last", metavar="N", min=1, help="Show at most this many.")
    ] = 50,
    endpoint: MonitorOrEndpoint = None,
    key: Key = None,
    json_file: JsonAnswer = None,
) -> None:
    """Show past alarms and pauses, newest first: of all wearers, or of these.

    Examples
    --------
      ecgmon alarms history

      ecgmon alarms history 203 --last 500 --json -
    """
    from ecgmon.wire import messages
    from viewer.terminal.history import line, names_width

    with ask(endpoint, key) as monitor:
        each = {wearer: list(_past(monitor, wearer, last)) for wearer in wearers or (None,)}
        watched = monitor.snapshot.wearers
    if unknown := [who for who, past in each.items() if who and not past and who not in watched]:
        raise UsageError(
            f"The monitor does not know {', '.join(unknown)}: it watches "
            f"{', '.join(sorted(watched)) or 'nobody'}."
        )
    found = sorted(
        (entry for entries in each.values() for entry in entries), key=lambda e: -e.time
    )[:last]
    if json_file is not None:
        write_json(json_file, found)
        return
    names = names_width(found)
    for entry in found:
        style = ""
        if isinstance(entry, messages.Alarm) and entry.state == "raised":
            style = STYLES[entry.priority]
        Console(highlight=False, soft_wrap=True).print(plain_text(line(entry, names)), style=style)
    if not found:
        say("No alarms are known.")


def _past(
    monitor: Attached, wearer: str | None, most: int
) -> "Iterator[messages.Alarm | messages.Paused]":
    """Yield what has become of alarms, newest first, but no more than so many entries."""
    from ecgmon.wire import messages

    before: int | None = None
    while most > 0:
        limit = min(most, messages.MAX_PAST)
        past = monitor.ask(messages.History(wearer=wearer, before=before, limit=limit))
        if not isinstance(past, messages.Past):
            return
        yield from past.entries[:most]
        most -= len(past.entries)
        further = past.before is not None and (before is None or past.before < before)
        if not past.entries or not further:
            return
        before = past.before
