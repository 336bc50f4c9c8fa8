"""``ecgmon evaluate --protocol ec57``: annotation files of any program, beat by beat."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from ecgmon.core.errors import RecordError, UsageError
from ecgmon.core.paths import require_writable
from ecgmon.terminal.progress import long_work
from ecgmon_cli.options import say_skipped

if TYPE_CHECKING:
    from trainer.evaluation.ec57.comparison import Comparison
    from trainer.evaluation.ec57.counts import Counts


def ec57(
    annotations: Path | None,
    annotator: str | None,
    out: Path,
    data: Path | None,
    *,
    keep_going: bool,
) -> None:
    """Compare a folder of annotation files with the reference; write and print the figures."""
    if annotations is None:
        raise UsageError(
            "--protocol ec57 compares annotation files: name their folder with --annotations."
        )
    from trainer.evaluation.ec57 import page
    from trainer.evaluation.ec57.comparison import gross
    from trainer.evaluation.ec57.files import Annotator

    tested = Annotator.find(annotations, annotator)
    folder = out / tested.name
    require_writable(folder)
    with long_work(transient=True) as bar:
        task = bar.add_task("Records", total=len(tested.records), note="")
        skipped: dict[str, RecordError] | None = {} if keep_going else None
        compared = tested.compare(
            data, lambda name: bar.update(task, advance=1, note=name), skipped
        )
    if skipped:
        say_skipped(skipped)
        tested = replace(tested, records=tuple(compared))
    try:
        command = f"ecgmon evaluate --protocol ec57 --annotations {annotations}"
        page.write(tested, compared, folder, f"{command} --annotator {tested.extension}")
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder} cannot be written: {error.strerror}."
        ) from error
    total = gross(compared)
    console = Console(markup=False, highlight=False, soft_wrap=True)
    console.print(f"{folder}/README.md written")
    console.print(_table(total.counts))
    console.print(_runs(total))
    if total.rates.n:
        console.print(
            f"Heart rate: RMS error {total.rates.rms:.2f}/min of {total.rates.n:,} measurements."
        )
    if tested.missing:
        console.print(
            f"{len(tested.records)} of the 44 records; no file for {', '.join(tested.missing)}."
        )


def _table(total: "Counts") -> Table:
    from trainer.evaluation.ec57.page import percent

    table = Table("", "beats", "Se %", "+P %", "FPR %", "F1 %")
    for column in table.columns[1:]:
        column.justify = "right"
    for label, figures in total.figures().items():
        beats = total.beats() if label == "QRS" else total.beats(label)
        names = ("sensitivity", "ppv", "false_positive_rate", "f1")
        cells = (percent(figures, name) if name in figures else "" for name in names)
        table.add_row(label, f"{beats:,}", *cells)
    table.caption = f"Shutdown: {total.shutdown_s:.0f} s"
    return table


def _runs(total: "Comparison") -> Table:
    from trainer.evaluation.ec57.page import NAMES, RUNS, run_cells

    table = Table("", *RUNS)
    for column in table.columns[1:]:
        column.justify = "right"
    for kind, runs in total.runs.items():
        for length, figures in runs.figures().items():
            table.add_row(f"{NAMES[kind]} {length}s", *run_cells(figures))
    return table
