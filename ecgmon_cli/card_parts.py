"""Pieces of what is shown of any model's card."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from ecgmon.models.card import ScoredSpan

MOST_NAMED: Final = 100
"""Records of one database that are named one by one; of more, the JSON has the names."""


def facts_grid(facts: Mapping[str, str | None]) -> Table:
    """Return names and what they are, without those that are not known."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for name, what in facts.items():
        if what:
            table.add_row(name, plain(what))
    return table


def columns(gap: int) -> Table:
    """Return an empty table, its columns so far apart."""
    return Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="cyan")


def hours_of(spans: "Iterable[ScoredSpan]") -> str:
    """Return how much signal of which records."""
    spans = list(spans)
    hours = sum(span.stop - span.start for span in spans) / 3600
    records = list(dict.fromkeys(span.record for span in spans))
    return f"{len(records)} records ({hours:.1f} hours): {names_of(records)}"


def names_of(records: Iterable[str]) -> str:
    """Return ``database/name`` records with each database named once, and some counted only."""
    databases: dict[str, list[str]] = {}
    for record in records:
        database, _, name = record.rpartition("/")
        databases.setdefault(database, []).append(name)
    return ", ".join(
        f"{database} ({len(names):,} of them)"
        if len(names) > MOST_NAMED
        else " ".join([database, *names]).strip()
        for database, names in databases.items()
    )


def plain(given: str) -> Text:
    """Return what a card says, neither as markup nor able to steer the terminal."""
    return Text("".join(c if c.isprintable() else "?" for c in given))
