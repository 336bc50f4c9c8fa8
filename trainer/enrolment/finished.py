"""What is known of a finished enrolment, whatever the model judges."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ecgmon.models.card import AnyCard
from ecgmon.signal.quality import NAMES

Row = tuple[str, str, str, str]
"""What is compared: name, how many, and the errors of the new and the old model."""


class AnyModel(Protocol):
    """A model of any kind."""

    @property
    def card(self) -> AnyCard:
        """What it is."""


class AnyVerdict(Protocol):
    """The comparison of two models of one kind."""

    @property
    def minute_old(self) -> object | None:
        """What the old model made of the last minute; None if it was fitted to it."""

    @property
    def objections(self) -> list[str]:
        """What speaks against the new model, one sentence each."""


ModelT = TypeVar("ModelT", bound=AnyModel, covariant=True)
VerdictT = TypeVar("VerdictT", bound=AnyVerdict, covariant=True)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class FinishedEnrolment(ABC, Generic[ModelT, VerdictT]):
    """A finished enrolment.

    Parameters
    ----------
    version : int
        Version of the new model in the store.
    in_service : bool
        Whether the new model was put into service.
    new, old : Model or BeatModel
        The new model and the one it was compared with: that in service, or else the generic one.
    verdict : Verdict or BeatVerdict
        Comparison of the two.
    report : Path
        File of the report.
    judged : int
        Number of beats that a clinician judged.
    """

    version: int
    in_service: bool
    new: ModelT
    old: ModelT
    verdict: VerdictT
    report: Path
    judged: int = 0

    unit: ClassVar[str]
    """What is counted: windows or beats."""

    @property
    def wearer(self) -> str:
        """Whose model it is."""
        return self.new.card.wearer or ""

    @property
    def old_name(self) -> str:
        """Name of the model that the new one was compared with."""
        return self.old.card.name

    @property
    def served(self) -> str:
        """Name of the model that was in service."""
        return self.old_name

    @property
    def saw_minute(self) -> bool:
        """Whether that model was fitted to the last minute, and so was not judged on it."""
        return self.verdict.minute_old is None

    @property
    def objections(self) -> list[str]:
        """What speaks against the new model, one sentence each."""
        return self.verdict.objections

    @abstractmethod
    def rows(self) -> list[Row]:
        """Return what is compared."""

    @abstractmethod
    def figures(self) -> dict[str, Any]:
        """Return all figures of the enrolment, for JSON."""

    @abstractmethod
    def summary(self) -> str:
        """Return one sentence about the signal and its labels."""


AnyEnrolment = FinishedEnrolment[AnyModel, AnyVerdict]
"""One of a model of any kind."""


def seconds_by_state(state: NDArray[np.int8]) -> dict[str, int]:
    """Return how many seconds an enrolment has, and how many of each state of the signal."""
    each = {name: int(np.sum(state == number)) for number, name in enumerate(NAMES)}
    return {
        "seconds": len(state),
        "usable": each["signal"],
        "noisy": each["noisy"],
        "absent": each["absent"],
    }
