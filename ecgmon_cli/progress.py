"""A bar for each network in training."""

from typing import TYPE_CHECKING

from rich.progress import Progress, TaskID

if TYPE_CHECKING:
    from trainer.training.fit import Epoch


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
