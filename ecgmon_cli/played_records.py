"""What the protocols share that play the records of a folder to a monitor."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.table import Table

from ecgmon.core.errors import RecordError, UsageError
from ecgmon.terminal.progress import long_work
from ecgmon_cli.options import say_skipped

if TYPE_CHECKING:
    from ecgmon.core.alarm_limits import AlarmLimits
    from ecgmon.records import Record

Place = TypeVar("Place")
JudgedRecord = TypeVar("JudgedRecord")


def judge_each(
    places: Sequence[Place],
    name: Callable[[Place], str],
    judge: Callable[[Place], JudgedRecord],
    *,
    keep_going: bool,
) -> list[JudgedRecord]:
    """Judge records one by one, with a bar; with ``keep_going`` those that cannot be are named.

    Raises
    ------
    RecordError
        If a record cannot be judged.
    """
    skipped: dict[str, RecordError] = {}
    judged: list[JudgedRecord] = []
    with long_work(transient=True) as bar:
        task = bar.add_task("Records", total=len(places), note="")
        for place in places:
            bar.update(task, advance=1, note=name(place))
            try:
                judged.append(judge(place))
            except RecordError as error:
                if not keep_going:
                    raise
                skipped[name(place)] = error
    if skipped:
        say_skipped(skipped)
    return judged


def play_whole(
    record: "Record",
    folder: Path,
    limits: "AlarmLimits",
    *,
    beat_model: Path | None = None,
    duration_s: float | None = None,
    second: "Record | None" = None,
) -> None:
    """Play a record to a monitor of its own, which writes what it publishes into a folder."""
    from ecgmon.models.resolve import GENERIC
    from ecgmon_cli.replay_session import PlayedSource, Session, play

    folder.mkdir(parents=True, exist_ok=True)
    session = Session(
        speed=float("inf"),
        start_s=0,
        duration_s=duration_s,
        burst_s=0.0,
        connect=None,
        model=GENERIC,
        beat_model=beat_model,
        score_from_s=None,
        limits=limits,
        journal=None,
        view=False,
        out=io.StringIO(),
        annotations=folder,
    )
    if play(PlayedSource(record, second=second), session)["interrupted"]:
        raise KeyboardInterrupt


def write_and_show(
    write: Callable[[], object],
    folder: Path,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
) -> None:
    """Write a page into a folder, say so, and print its table."""
    try:
        write()
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder} cannot be written: {error.strerror}."
        ) from error
    console = Console(markup=False, highlight=False, soft_wrap=True)
    console.print(f"{folder}/README.md written")
    table = Table(*heads, box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.justify = "right"
    for cells in rows:
        table.add_row(*cells)
    console.print(table)
