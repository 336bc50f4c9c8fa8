"""The request for an enrolment and its checks; loads no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ecgmon.core.errors import BundleError, UsageError
from ecgmon.models.bundle import Model
from ecgmon.models.resolve import GENERIC, resolve
from ecgmon.records import Record
from ecgmon.terminal.screen import usable
from ecgmon_cli.train import NetworkName
from trainer.enrolment import eligible, signal


@dataclass(frozen=True, slots=True)
class EnrolmentRequest:
    """What is asked for, whatever the signal is.

    Parameters
    ----------
    patient : str
        Whose model.
    start : Path
        Bundle to start from.
    old : Model
        In service.
    force : bool
        Whether to put the new one into service whatever is against it.
    seed : int
        Of everything random.
    data : Path, optional
        Folder to look for records in first.
    """

    patient: str
    start: Path
    old: Model
    force: bool
    seed: int
    data: Path | None

    @classmethod
    def of(
        cls, patient: str, generic: Path | None, seed: int, data: Path | None, *, force: bool
    ) -> Self:
        """Find the models; raises `BundleError` where one cannot be enrolled with."""
        start = generic or resolve(GENERIC, None)
        base, old = Model.load(start).card, Model.load(resolve(None, patient))
        if base.network not in list(NetworkName):
            raise BundleError(f"{start} holds a network this version cannot train: {base.network}.")
        if old.card.geometry != base.geometry:
            raise BundleError(
                f"{old.card.name}, in service for {patient}, sees other history than {start} and "
                "cannot be compared with it: give a bundle like it with --generic."
            )
        return cls(patient, start, old, force, seed, data)

    def check(self, taken: Record) -> None:
        """Raise `EcgmonError` where a signal at 360 Hz is nothing to enrol on, as far as is seen.

        What its samples are like is looked at later.
        """
        signal.require_length(taken)
        windows = len(taken.samples)
        eligible.check(Model.load(self.start).card, taken.name, windows, windows)


def require_terminal(why: str) -> None:
    """Raise `UsageError` where nobody can review a signal."""
    if not usable():
        raise UsageError(
            f"This is no terminal, and {why}: run it in one to judge twenty beats, or give "
            "--assume-normal."
        )
