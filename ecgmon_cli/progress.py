"""Progress of long work, on stderr."""

from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from trainer.training.fit import Epoch

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


class Epochs:
    """A bar for each network in training, from its first epoch to its last; call it after each."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, network: str, epoch: "Epoch") -> None:
        """Show how far a network is."""
        if network not in self._tasks:
            self._tasks[network] = self._bar.add_task(network, total=epoch.of, note="")
        score = "" if epoch.score is None else f", score {epoch.score:.3f}"
        note = f"loss {epoch.loss:.4f}{score}"
        self._bar.update(self._tasks[network], completed=epoch.number, note=note)

    def clear(self) -> None:
        """Take all bars away: what they belonged to is done."""
        while self._tasks:
            self._bar.remove_task(self._tasks.popitem()[1])
