"""``ecgmon evaluate --protocol alarms``: alarms that experts called true or false."""

import io
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

from ecgmon.core.errors import RecordError, UsageError
from ecgmon.core.paths import require_writable
from ecgmon.terminal.progress import long_work
from ecgmon_cli.options import say_skipped

if TYPE_CHECKING:
    from trainer.evaluation.alarm_truths.truths import AlarmTruth

PROCEDURE: Final = 2
"""To be raised by hand where other alarms are raised of the same signal by the same version."""


def alarm_truths(database: Path | None, out: Path, work: Path, *, keep_going: bool) -> None:
    """Play the records of a folder, and write and print what became of their alarms."""
    if database is None:
        raise UsageError(
            "--protocol alarms plays records with alarms of known truth: name their folder with "
            "--database."
        )
    from trainer.evaluation.alarm_truths import page
    from trainer.evaluation.alarm_truths.truths import truths

    known = truths(database)
    name = database.resolve().name
    folder = out / name
    for each in (folder, work):
        require_writable(each)
    kept = work / f"alarms-{name}-{_decided_by()}"
    skipped: dict[str, RecordError] = {}
    judged: list[tuple[AlarmTruth, bool]] = []
    with long_work(transient=True) as bar:
        task = bar.add_task("Records", total=len(known), note="")
        for truth in known:
            bar.update(task, advance=1, note=truth.found.name)
            try:
                judged.append((truth, _raised(truth, kept)))
            except RecordError as error:
                if not keep_going:
                    raise
                skipped[truth.found.name] = error
    if skipped:
        say_skipped(skipped)
    if not judged:
        raise RecordError(f"No record of {database} could be played: see above.")
    command = f"ecgmon evaluate --protocol alarms --database {database}"
    try:
        page.write(folder, name, command, judged)
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder} cannot be written: {error.strerror}."
        ) from error
    console = Console(markup=False, highlight=False, soft_wrap=True)
    console.print(f"{folder}/README.md written")
    heads = ("", "true", "found", "%", "false", "suppressed", "%", "score")
    table = Table(*heads, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in page.rows(page.counted(judged)):
        table.add_row(*row)
    console.print(table)


def _decided_by() -> str:
    """Return a digest of what decides which alarms are raised."""
    from ecgmon.models.beat_bundle import BeatModel
    from ecgmon.models.bundle import Model
    from ecgmon.models.resolve import GENERIC, GENERIC_BEATS, built_in
    from trainer.evaluation.alarm_truths.truths import LIMITS
    from trainer.evaluation.results.digest import digest

    return digest(
        {
            "procedure": PROCEDURE,
            "version": version("ecgmon"),
            "model": Model.load(built_in()[GENERIC]).sha256,
            "beats": BeatModel.load(built_in()[GENERIC_BEATS]).sha256,
            "limits": LIMITS,
        }
    )


def _raised(truth: "AlarmTruth", kept: Path) -> bool:
    """Play a record unless its annotations are kept; tell whether its alarm was raised."""
    from ecgmon.models.resolve import GENERIC, GENERIC_BEATS, built_in
    from ecgmon.records.read import read
    from ecgmon_cli.replay_session import PlayedSource, Session, play
    from replay.scoring.annotations import ANNOTATOR
    from trainer.evaluation.alarm_truths.score import raised
    from trainer.evaluation.alarm_truths.truths import LIMITS, UNTIL_S
    from trainer.evaluation.ec57.files import read_annotations

    path = kept / f"{truth.found.wearer}.{ANNOTATOR}"
    record = read(truth.found, lenient=True)
    if not path.is_file():
        kept.mkdir(parents=True, exist_ok=True)
        session = Session(
            speed=float("inf"),
            start_s=0,
            duration_s=UNTIL_S,
            burst_s=0.0,
            connect=None,
            model=GENERIC,
            beat_model=built_in()[GENERIC_BEATS],
            score_from_s=None,
            limits=LIMITS,
            journal=None,
            view=False,
            out=io.StringIO(),
            annotations=kept,
        )
        if play(PlayedSource(record), session)["interrupted"]:
            raise KeyboardInterrupt
    # In samples at 360 Hz, as the annotations of all records are compared.
    return raised(read_annotations(path, record.rate, "remove it"), truth.kind)
