"""What ``ecgmon replay`` plays: records that are found or fetched, or simulated wearers."""

from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from ecgmon.core.errors import RecordError

if TYPE_CHECKING:
    from ecgmon.records import Record
    from ecgmon_cli.replay_session import PlayedSource

MIXED: Final = "mixed"
"""All scenarios in turn, for many simulated wearers."""


def scenarios() -> list[str]:
    """Return the names of all scenarios of simulated wearers."""
    from replay.simulator.scenarios import SCENARIOS

    return list(SCENARIOS)


def simulated(
    scenario: str,
    seed: int,
    duration: float | None,
    *,
    loop: bool = False,
    wearer: str | None = None,
) -> "PlayedSource":
    """Simulate one wearer; with ``loop`` the scenario starts over and over."""
    from ecgmon_cli.replay_session import PlayedSource
    from replay.simulator.endless import endless
    from replay.simulator.simulation import simulate

    if loop:
        return PlayedSource(endless(scenario, seed=seed, wearer=wearer), endless=True)
    simulation = simulate(scenario, seed=seed, duration_s=duration, wearer=wearer)
    return PlayedSource(simulation.record, simulation.expected)


def simulated_wearers(
    scenario: str, n: int, seed: int, duration: float | None, *, loop: bool
) -> "list[PlayedSource]":
    """Simulate ``n`` wearers, each with a seed of its own."""
    names = scenarios() if scenario == MIXED else [scenario]
    digits = max(2, len(str(n)))
    return [
        simulated(name, seed + i, duration, loop=loop, wearer=f"simulated-{name}-{i + 1:0{digits}}")
        for i, name in zip(range(n), cycle(names), strict=False)
    ]


def beside(record: "Record", second: "Record") -> "Record":
    """Return a second lead of a record, with a name of its own.

    Raises
    ------
    RecordError
        If both cannot be sent side by side.
    """
    if second.rate != record.rate or len(second.samples) != len(record.samples):
        raise RecordError(
            f"Lead {second.lead} of {record.name} has {second.rate:g} samples a second and lead "
            f"{record.lead} {record.rate:g}: give a --second-lead of the same rate."
        )
    if second.lead != record.lead:
        return second
    if second.gain == record.gain and (second.samples == record.samples).all():
        raise RecordError(
            f"Lead {record.lead} of {record.name} is sent already: give another --second-lead."
        )
    return replace(second, lead=f"{second.lead[:6]}-2")


def recorded(
    names: list[str],
    data: Path | None,
    lead: str | None,
    annotator: str | None,
    skipped: dict[str, RecordError] | None = None,
    second_lead: str | None = None,
) -> "list[PlayedSource]":
    """Find or fetch records and read them; print what is wrong with their annotations.

    With ``skipped``, a record that cannot be read is entered there, and the others go on.
    """
    from ecgmon.records.fetch import obtain
    from ecgmon.records.find import here
    from ecgmon.records.many import each
    from ecgmon.records.read import read
    from ecgmon.records.record import Found
    from ecgmon_cli.replay_session import PlayedSource

    console = Console(stderr=True)
    with Progress(
        TextColumn("Fetching {task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} files"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("", total=None, visible=False)

        def fetch(name: str) -> Found:
            return obtain(
                name,
                data=data,
                annotator=annotator,
                progress=lambda file, done, total: bar.update(
                    task, description=file, completed=done, total=total, visible=True
                ),
            )

        def one(found: Found) -> PlayedSource:
            record = read(found, lead=lead, annotator=annotator, lenient=True)
            if second_lead is None:
                return PlayedSource(record)
            second = read(found, lead=second_lead, lenient=True)
            return PlayedSource(record, second=beside(record, second))

        read_all = each(map(here, names), one, data=data, fetch=fetch, skipped=skipped)
    sources = [source for _, source in read_all]
    for record in (source.record for source in sources):
        if record.notice:
            unscored = "" if record.annotations else " It is played without scores."
            notice = f"{record.notice}{unscored}"
            console.print(notice, highlight=False, markup=False, soft_wrap=True)
    return sources
