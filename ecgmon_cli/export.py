"""``ecgmon export``: what the monitor has kept of a wearer, for other programs."""

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ecgmon.core.constants import WINDOW
from ecgmon.core.errors import RecordError, UsageError
from ecgmon.core.paths import captured_folder
from ecgmon.terminal.progress import long_work
from ecgmon_cli.options import ConfigFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress

    from ecgmon.export.journal_reader import JournalMessages
    from ecgmon.export.streams import ExportedStream
    from ecgmon.holter.figures import Figures


class ExportFormat(StrEnum):
    """What to export to."""

    WFDB = "wfdb"
    CSV = "csv"
    JSON = "json"
    TOTALS = "totals"
    HTML = "html"


def export(
    patient: Annotated[str, typer.Option(metavar="ID", help="Id of the wearer.")],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help="Start of the export.", show_default="all there is"
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="End of the export.", show_default="all there is"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Folder for WFDB records, else the file; - is stdout.",
            show_default="this folder, or stdout",
        ),
    ] = None,
    format_: Annotated[
        ExportFormat, typer.Option("--format", help="Format to write.")
    ] = ExportFormat.WFDB,
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The monitor's journal.",
            show_default="as configured",
        ),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Export what the monitor has stored of a wearer; the monitor may run meanwhile.

    A TIME is ISO 8601, or the time before now: -90s, -30m, -2h, -7d.

    wfdb: a record for each stream, with windows and alarms as annotations (.ecgmon). csv: a row for
    every second. json: the same, all alarms, gaps and changes of the model, and the totals.

    totals: how many beats of each class, couplets, runs, pauses and heart rates by hour, as a
    report of a long-term ECG has them, for a wearer whose beats a model has named. html: the same
    as a page.

    Examples
    --------
      ecgmon export --patient ann --from -2h -o night

      ecgmon export --patient ann --from 2026-01-31T22:00 --to -1h --format csv -o ann.csv

      ecgmon export --patient ann --format json | jq .streams[].messages

      ecgmon export --patient ann --from -24h --format totals

      ecgmon export --patient ann --from -24h --format html -o ann.html
    """
    from ecgmon.config import load
    from ecgmon.export import journal_reader as reader
    from ecgmon.export import streams
    from ecgmon.export.beat_totals import beat_totals
    from ecgmon.export.timespec import moment
    from ecgmon.records.captured.layout import home
    from monitor.configured import journal_file

    now = time.time()
    start = moment(from_, now) if from_ else float("-inf")
    stop = moment(to, now) if to else float("inf")
    if start >= stop:
        raise UsageError(f"--from {from_} is not before --to {to}: exchange them.")
    home(captured_folder(), patient)  # an id that is none is said at once
    path = journal or journal_file(load(config).config)
    with long_work(transient=True) as bar:
        found_messages = reader.JournalMessages()
        if journal or format_ is not ExportFormat.WFDB or path.exists():
            task = bar.add_task("Reading the journal", total=100, note="")
            found_messages = reader.read(
                path, patient, lambda part: bar.update(task, completed=100 * part)
            )
        found = streams.streams(captured_folder(), patient, found_messages, start, stop)
        if format_ is ExportFormat.WFDB:
            if output == Path("-"):
                raise UsageError("WFDB records are files: name a folder, or give --format csv.")
            _write_records(found, patient, found_messages, output or Path(), bar)
        else:
            totals = None
            if format_ is not ExportFormat.CSV:
                task = bar.add_task("Counting beats", total=100, note="")
                totals = beat_totals(
                    reader.read_beats(
                        path, patient, lambda part: bar.update(task, completed=100 * part)
                    ),
                    found,
                )
            _write_table(
                _pieces(format_, found, patient, found_messages, totals),
                output or Path("-"),
                found,
                bar,
            )
    if found_messages.unreadable:
        Console(stderr=True).print(
            f"{found_messages.unreadable:,} rows of {path} could not be read and were left out.",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def _pieces(
    format_: ExportFormat,
    found: "list[ExportedStream]",
    patient: str,
    found_messages: "JournalMessages",
    totals: "Figures | None",
) -> "Iterator[str]":
    from ecgmon.export.tables import as_csv, as_json
    from ecgmon.holter.report import as_html, as_text

    if not any(len(stream.seconds()) for stream in found):
        raise RecordError(
            f"The journal has nothing of {patient} in that time: "
            "--format wfdb exports the captured signal."
        )
    match format_:
        case ExportFormat.CSV:
            return as_csv(found, found_messages.others)
        case ExportFormat.JSON:
            return as_json(patient, found, found_messages.others, totals)
    if totals is None:
        raise RecordError(
            f"No beat of {patient} was named in that time: a monitor names beats with a model "
            "of the wearer's own, or the one that beats in [models] of its configuration names; "
            "--format csv exports the seconds."
        )
    if format_ is ExportFormat.TOTALS:
        return iter([as_text(totals)])
    return iter([as_html(totals, patient, _span(found))])


def _span(found: "list[ExportedStream]") -> str:
    """Return from when to when there are windows."""
    from ecgmon.export.timespec import iso

    times = [
        stream.time(first)
        for stream in found
        if len(seconds := stream.seconds())
        for first in (int(seconds["first"][0]), int(seconds["first"][-1]) + WINDOW)
    ]
    return f"{iso(min(times))} to {iso(max(times))}, all hours in UTC."


def _write_table(
    pieces: "Iterator[str]", output: Path, found: "list[ExportedStream]", bar: "Progress"
) -> None:
    from ecgmon.export.tables import BATCH

    if output == Path("-"):
        for piece in pieces:
            sys.stdout.write(piece)
        sys.stdout.flush()
        return
    total = sum(len(stream.seconds()) for stream in found)
    task = bar.add_task("Writing seconds", total=total, note="")
    try:
        with output.open("w", encoding="utf-8", newline="") as file:
            for piece in pieces:
                file.write(piece)
                bar.advance(task, BATCH)
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}.") from error


def _write_records(
    found: "list[ExportedStream]",
    patient: str,
    found_messages: "JournalMessages",
    folder: Path,
    bar: "Progress",
) -> None:
    from ecgmon.export.wfdb_record import write

    runs = [run for stream in found for run in stream.runs()]
    if not runs:
        raise RecordError(
            f"No signal of {patient} is captured in that time: --format csv exports windows."
        )
    total = round(sum((stop - first) / records[0].rate for first, stop, records in runs))
    task = bar.add_task("Writing seconds", total=total, note="")
    for stream in found:
        for record in write(
            stream, patient, found_messages.others, folder, lambda more: bar.advance(task, more)
        ):
            minutes, seconds = divmod(record.seconds, 60)
            Console().print(
                f"{record.path}.hea: {minutes:.0f}:{seconds:02.0f} of lead {record.lead or '-'} "
                f"at {record.rate:g} Hz",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
