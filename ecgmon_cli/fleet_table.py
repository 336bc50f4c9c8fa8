"""A fleet's state as tables: what is at risk first, then monitors, partitions and streams."""

from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from monitor.fleet.status import FleetStatus, PartitionStatus, StreamStatus

NARROW: Final = 80
"""Columns below which partitions are told without their rarer figures."""


def print_status(seen: "FleetStatus", risks: list[str], console: "Console") -> None:
    """Print it all.

    Parameters
    ----------
    seen : FleetStatus
        The fleet.
    risks : list of str
        What is at risk, a sentence each.
    console : Console
        Where.
    """
    for risk in risks:
        console.print(Text.assemble(("At risk: ", "bold red"), risk))
    if not risks:
        console.print(Text("All is well.", style="green"))
    monitors = [f"{_plain(one.name)} ({len(one.owned)})" for one in seen.monitors]
    named = ", ".join(monitors) or "none"
    console.print(Text(f"Monitors alive, and partitions of each: {named}"))
    console.print()
    console.print(_partitions(seen.partitions, wide=console.width >= NARROW))
    console.print()
    console.print(_streams(seen, wide=console.width >= NARROW))


def _partitions(partitions: "list[PartitionStatus]", *, wide: bool) -> Table:
    table = _table("owner", "lag", "waiting")
    for heading in ("since", "a second", "not saved", "states") if wide else ():
        table.add_column(heading, justify="right", no_wrap=True)
    for one in partitions:
        owner = Text(_plain(one.owner or "nobody"), style="" if one.alive else "red")
        cells = [Text(str(one.partition)), owner, Text(_seconds(one.lag_s)), _count(one.pending)]
        if wide:
            cells += [Text(_seconds(one.owned_s)), Text(f"{one.arriving:.0f}")]
            cells += [_count(one.uncovered), Text(_seconds(one.states_s))]
        table.add_row(*cells)
    return table


def _streams(seen: "FleetStatus", *, wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="cyan")
    table.add_column("stream", overflow="fold")
    for heading in ("GB", "used", "copies", *(["messages", "kept"] if wide else [])):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in seen.streams:
        share = seen.used.get(one.stream)
        cells = [
            Text(_plain(one.stream)),
            Text(f"{one.bytes / 1e9:.2f}"),
            Text("-" if share is None else f"{share:.0%}"),
            Text(_copies(one)),
        ]
        if wide:
            cells += [_count(one.messages), Text(_seconds(one.max_age_s or None))]
        table.add_row(*cells)
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="cyan")
    table.add_column("part", justify="right", no_wrap=True)
    table.add_column(headings[0], overflow="fold")
    for heading in headings[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _copies(stream: "StreamStatus") -> str:
    """Return how many of the copies that there should be have everything."""
    whole = bool(stream.leader or stream.replicas == 1) + sum(one.current for one in stream.copies)
    return f"{whole}/{stream.replicas}"


def _count(number: int) -> Text:
    return Text(f"{number:,}")


def _seconds(seconds: float | None) -> str:
    """Return a length of time in few characters."""
    if seconds is None:
        return "-"
    if seconds == float("inf"):
        return "stands"
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s"


def _plain(text: str) -> str:
    """Return what a monitor calls itself without what steers a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)[:60]
