"""``ecgmon evaluate --protocol rhythm``: episodes of rhythms, ventricular and atrial."""

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ecgmon.core.errors import RecordError, UsageError
from ecgmon.core.paths import require_writable
from ecgmon_cli.played_records import judge_each, play_whole, write_and_show

if TYPE_CHECKING:
    from ecgmon.records.record import Found
    from trainer.evaluation.rhythms.record import RhythmRecord

PROCEDURE: Final = 2
"""To be raised by hand where other alarms are raised of the same signal by the same version."""


def rhythm_episodes(database: Path | None, out: Path, work: Path, *, keep_going: bool) -> None:
    """Play the records of a folder, and write and print what became of their episodes."""
    if database is None:
        raise UsageError(
            "--protocol rhythm plays records with rhythm annotations: name their folder with "
            "--database."
        )
    from ecgmon.records.converted import converted
    from ecgmon.records.read import read
    from trainer.evaluation.rhythms import page

    name = database.resolve().name
    places = records_of(database)
    found = {place.name: place for place in places}
    folder = out / name
    for each in (folder, work):
        require_writable(each)
    kept = work / f"rhythm-{name}-{_decided_by()}"
    judged = judge_each(
        places, lambda found: found.name, lambda found: _judged(found, kept), keep_going=keep_going
    )
    records = [one for one in judged if one]
    if not records:
        raise RecordError(
            f"No record of {database} has rhythm annotations, such as (AFIB or [: give another "
            "folder with --database."
        )
    command = f"ecgmon evaluate --protocol rhythm --database {database}"
    write_and_show(
        lambda: page.write(folder, name, command, records, lambda of: converted(read(found[of]))),
        folder,
        page.COLUMNS,
        page.gross(records),
    )


def records_of(folder: Path) -> "list[Found]":
    """Return the WFDB records of a folder, by name.

    Raises
    ------
    UsageError
        If the folder cannot be read, or holds none.
    """
    from ecgmon.records.record import Found

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
    from ecgmon.models.atrial_bundle import AtrialModel
    from ecgmon.models.bundle import Model
    from ecgmon.models.resolve import GENERIC, GENERIC_ATRIAL, GENERIC_RHYTHMS, built_in
    from ecgmon.models.rhythm_bundle import RhythmModel
    from trainer.evaluation.results.digest import digest

    return digest(
        {
            "procedure": PROCEDURE,
            "version": version("ecgmon"),
            "model": Model.load(built_in()[GENERIC]).sha256,
            "rhythms": RhythmModel.load(built_in()[GENERIC_RHYTHMS]).sha256,
            "atrial": AtrialModel.load(built_in()[GENERIC_ATRIAL]).sha256,
        }
    )


def _judged(found: "Found", kept: Path) -> "RhythmRecord | None":
    """Play a record unless its alarms are kept; None where nobody has annotated rhythms."""
    from ecgmon.core.alarm_limits import AlarmLimits
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
        play_whole(record, kept, AlarmLimits())
    published = read_annotations(path, record.rate, "remove it")
    return rhythm_record(converted(record), published)
