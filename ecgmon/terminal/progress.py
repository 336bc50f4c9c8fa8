"""The display of progress of long work, on stderr."""

from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

ESTIMATE_S: Final = 900
"""The estimate of what is left goes by the last quarter of an hour: some steps take minutes."""


def long_work(transient: bool = False) -> Progress:
    """Return a progress display with counts, an estimate, and a note for each task.

    A transient one goes away when the work is done, and shows only in a terminal.
    """
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
        speed_estimate_period=ESTIMATE_S,
        transient=transient,
        disable=transient and not console.is_terminal,
    )
