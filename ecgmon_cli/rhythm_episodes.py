"""``ecgmon evaluate --protocol rhythm``: episodes of ventricular rhythms."""

import io
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

from ecgmon.core.errors import RecordError, UsageError
from ecgmon.core.paths import require_writable
from ecgmon.records.record import Found
from ecgmon.terminal.progress import long_work
from ecgmon_cli.options import say_skipped

if TYPE_CHECKING:
    from ecgmon.records import Record
    from trainer.evaluation.rhythms.record import RhythmRecord

PROCEDURE: Final = 1
"""To be raised by hand where other alarms are raised of the same signal by the same version."""


def rhythm_episodes(database: Path | None, out: Path, work: Path, *, keep_going: bool) -> None:
    """Play the records of a folder, and write and print what became of their episodes."""
    if database is None:
        raise UsageError(
            "--protocol rhythm plays records with rhythm annotations: name their folder with "
            "--database."
        )
    from trainer.evaluation.rhythms import page

    name = database.resolve().name
    places = records_of(database)
    folder = out / name
    for each in (folder, work):
        require_writable(each)
    kept = work / f"rhythm-{name}-{_decided_by()}"
    skipped: dict[str, RecordError] = {}
    judged: list[RhythmRecord] = []
    with long_work(transient=True) as bar:
        task = bar.add_task("Records", total=len(places), note="")
        for found in places:
            bar.update(task, advance=1, note=found.name)
            try:
                one = _judged(found, kept)
            except RecordError as error:
                if not keep_going:
                    raise
                skipped[found.name] = error
            else:
                judged += [one] if one else []
    if skipped:
        say_skipped(skipped)
    if not judged:
        raise RecordError(
            f"No record of {database} has rhythm annotations, such as (VFL or [: give another "
            "folder with --database."
        )
    try:
        page.write(folder, name, f"ecgmon evaluate --protocol rhythm --database {database}", judged)
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder} cannot be written: {error.strerror}."
        ) from error
    console = Console(markup=False, highlight=False, soft_wrap=True)
    console.print(f"{folder}/README.md written")
    table = Table(*page.COLUMNS, box=None, pad_edge=False)
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.justify = "right"
    for cells in page.gross(judged):
        table.add_row(*cells)
    console.print(table)


def records_of(folder: Path) -> list[Found]:
    """Return the WFDB records of a folder, by name.

    Raises
    ------
    UsageError
        If the folder cannot be read, or holds none.
    """
    try:
        names = sorted(path.stem for path in folder.iterdir() if path.suffix == ".hea")
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be read ({error.strerror}): give a folder of WFDB records with "
            "--database."
        ) from error
    if not names:
        raise UsageError(f"{folder} holds no WFDB records: give another one with --database.")
    return [Found(f"{folder.resolve().name}/{name}", name, folder / name) for name in names]


def _decided_by() -> str:
    """Return a digest of what decides which alarms are raised."""
    from ecgmon.models.bundle import Model
    from ecgmon.models.resolve import GENERIC, GENERIC_RHYTHMS, built_in
    from ecgmon.models.rhythm_bundle import RhythmModel
    from trainer.evaluation.results.digest import digest

    return digest(
        {
            "procedure": PROCEDURE,
            "version": version("ecgmon"),
            "model": Model.load(built_in()[GENERIC]).sha256,
            "rhythms": RhythmModel.load(built_in()[GENERIC_RHYTHMS]).sha256,
        }
    )


def _judged(found: Found, kept: Path) -> "RhythmRecord | None":
    """Play a record unless its alarms are kept; None where nobody has annotated rhythms."""
    from ecgmon.records.converted import converted
    from ecgmon.records.read import read
    from replay.scoring.annotations import ANNOTATOR
    from trainer.evaluation.ec57.files import read_annotations
    from trainer.evaluation.rhythms.record import rhythm_record

    record = read(found)
    marks = record.annotations
    if marks is None or not ({"[", "+"} & {*marks.symbols}):
        return None
    path = kept / f"{found.wearer}.{ANNOTATOR}"
    if not path.is_file():
        kept.mkdir(parents=True, exist_ok=True)
        _play(record, kept)
    published = read_annotations(path, record.rate, "remove it")
    return rhythm_record(converted(record), published)


def _play(record: "Record", kept: Path) -> None:
    """Play a record whole to a monitor of its own, which writes what it publishes."""
    from ecgmon.core.alarm_limits import AlarmLimits
    from ecgmon.models.resolve import GENERIC
    from ecgmon_cli.replay_session import PlayedSource, Session, play

    session = Session(
        speed=float("inf"),
        start_s=0,
        duration_s=None,
        burst_s=0.0,
        connect=None,
        model=GENERIC,
        score_from_s=None,
        limits=AlarmLimits(),
        journal=None,
        view=False,
        out=io.StringIO(),
        annotations=kept,
    )
    if play(PlayedSource(record), session)["interrupted"]:
        raise KeyboardInterrupt
