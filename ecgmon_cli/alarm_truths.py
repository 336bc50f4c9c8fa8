"""``ecgmon evaluate --protocol alarms``: alarms that experts called true or false."""

import contextlib
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ecgmon.core.errors import RecordError, UsageError
from ecgmon.core.paths import require_writable
from ecgmon_cli.played_records import judge_each, play_whole, write_and_show
from ecgmon_cli.replay_sources import beside

if TYPE_CHECKING:
    from ecgmon.records import Record
    from trainer.evaluation.alarm_truths.truths import AlarmTruth

PROCEDURE: Final = 3
"""To be raised by hand where other alarms are raised of the same signal by the same version."""


def alarm_truths(database: Path | None, out: Path, work: Path, *, keep_going: bool) -> None:
    """Play the records of a folder, and write and print what became of their alarms."""
    if database is None:
        raise UsageError(
            "--protocol alarms plays records with alarms of known truth: name their folder with "
            "--database."
        )
    from ecgmon.records.converted import converted
    from ecgmon.records.read import read
    from trainer.evaluation.alarm_truths import page
    from trainer.evaluation.alarm_truths.truths import truths

    known = truths(database)
    found = {truth.found.name: truth.found for truth in known}
    name = database.resolve().name
    folder = out / name
    for each in (folder, work):
        require_writable(each)
    kept = work / f"alarms-{name}-{_decided_by()}"
    judged = judge_each(
        known,
        lambda truth: truth.found.name,
        lambda truth: (truth, _raised(truth, kept)),
        keep_going=keep_going,
    )
    if not judged:
        raise RecordError(f"No record of {database} could be played: see above.")
    command = f"ecgmon evaluate --protocol alarms --database {database}"
    write_and_show(
        lambda: page.write(
            folder,
            name,
            command,
            judged,
            lambda of: converted(read(found[of], lenient=True)),
        ),
        folder,
        ("", "true", "found", "%", "false", "suppressed", "%", "score"),
        page.rows(page.counted(judged)),
    )


def _decided_by() -> str:
    """Return a digest of what decides which alarms are raised."""
    from ecgmon.models.beat_bundle import BeatModel
    from ecgmon.models.bundle import Model
    from ecgmon.models.resolve import GENERIC, GENERIC_BEATS, GENERIC_RHYTHMS, built_in
    from ecgmon.models.rhythm_bundle import RhythmModel
    from trainer.evaluation.alarm_truths.truths import LIMITS
    from trainer.evaluation.results.digest import digest

    return digest(
        {
            "procedure": PROCEDURE,
            "version": version("ecgmon"),
            "model": Model.load(built_in()[GENERIC]).sha256,
            "beats": BeatModel.load(built_in()[GENERIC_BEATS]).sha256,
            "rhythms": RhythmModel.load(built_in()[GENERIC_RHYTHMS]).sha256,
            "limits": LIMITS,
        }
    )


def _raised(truth: "AlarmTruth", kept: Path) -> bool:
    """Play a record unless its annotations are kept; tell whether its alarm was raised."""
    from ecgmon.models.resolve import GENERIC_BEATS, built_in
    from ecgmon.records.read import read
    from replay.scoring.annotations import ANNOTATOR
    from trainer.evaluation.alarm_truths.score import raised
    from trainer.evaluation.alarm_truths.truths import LIMITS, UNTIL_S
    from trainer.evaluation.ec57.files import read_annotations

    path = kept / f"{truth.found.wearer}.{ANNOTATOR}"
    record = read(truth.found, lenient=True)
    if not path.is_file():
        beats = built_in()[GENERIC_BEATS]
        second = _second_lead(truth, record)
        play_whole(record, kept, LIMITS, beat_model=beats, duration_s=UNTIL_S, second=second)
    # In samples at 360 Hz, as the annotations of all records are compared.
    return raised(read_annotations(path, record.rate, "remove it"), truth.kind)


def _second_lead(truth: "AlarmTruth", record: "Record") -> "Record | None":
    """Return the second ECG lead of a record; None if none can be sent beside the first."""
    from ecgmon.records.read import read

    for lead in truth.leads[1:2]:
        with contextlib.suppress(RecordError):  # one that is damaged or of another rate
            return beside(record, read(truth.found, lead=lead, lenient=True))
    return None
