"""The outcome of an enrolment."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.labels import ABNORMAL, NORMAL
from ecgmon.metrics.two_classes import Confusion
from ecgmon.models.bundle import Model
from ecgmon.signal.quality import NAMES
from trainer.enrolment.gate import Verdict
from trainer.enrolment.signal import EnrolmentSignal

Row = tuple[str, str, str, str]
"""What is compared: name, how many, and the errors of the new and the old model."""


class FinishedEnrolment(Protocol):
    """What is shown of a finished enrolment, whatever the model judges."""

    @property
    def version(self) -> int:
        """Version of the new model in the store."""

    @property
    def in_service(self) -> bool:
        """Whether the new model was put into service."""

    @property
    def report(self) -> Path:
        """File of the report."""

    @property
    def unit(self) -> str:
        """What is counted: windows or beats."""

    @property
    def wearer(self) -> str:
        """Whose model it is."""

    @property
    def old_name(self) -> str:
        """Name of the model that was in service."""

    @property
    def saw_minute(self) -> bool:
        """Whether that model was fitted to the last minute, and so was not judged on it."""

    @property
    def objections(self) -> list[str]:
        """What speaks against the new model, one sentence each."""

    def rows(self) -> list[Row]:
        """Return what is compared."""

    def figures(self) -> dict[str, Any]:
        """Return all figures of the enrolment, for JSON."""

    def summary(self) -> str:
        """Return one sentence about the signal and its labels."""


@dataclass(frozen=True, eq=False, slots=True)
class Enrolled:
    """A finished enrolment.

    Parameters
    ----------
    version : int
        Version of the new model in the store.
    in_service : bool
        Whether the new model was put into service.
    signal : EnrolmentSignal
        Signal with the labels that the new model was fitted to.
    new, old : Model
        The new model and the one that was in service.
    verdict : Verdict
        Comparison of the two.
    report : Path
        File of the report.
    judged : int
        Number of beats that a clinician judged.
    """

    version: int
    in_service: bool
    signal: EnrolmentSignal
    new: Model
    old: Model
    verdict: Verdict
    report: Path
    judged: int = 0

    unit: ClassVar[str] = "windows"

    @property
    def wearer(self) -> str:
        """Whose model it is."""
        return self.new.card.wearer or ""

    @property
    def old_name(self) -> str:
        """Name of the model that was in service."""
        return self.old.card.name

    @property
    def saw_minute(self) -> bool:
        """Whether that model was fitted to the last minute, and so was not judged on it."""
        return self.verdict.minute_old is None

    @property
    def objections(self) -> list[str]:
        """What speaks against the new model, one sentence each."""
        return self.verdict.objections

    def probability(self, model: Model) -> NDArray[np.float32]:
        """Return a model's probability of *abnormal* of each second; NaN if it is not usable."""
        outputs = model.probability(self.signal.record.inputs[: self.signal.seconds])
        probabilities: NDArray[np.float32] = np.where(
            self.signal.usable, outputs, np.float32(np.nan)
        )
        return probabilities

    def counts(self) -> dict[str, int]:
        """Return the number of the enrolment's seconds by state and label."""
        labels = self.signal.record.labels[: self.signal.seconds]
        states = {name: int(np.sum(self.signal.state == i)) for i, name in enumerate(NAMES)}
        return {
            "seconds": self.signal.seconds,
            "usable": states["signal"],
            "noisy": states["noisy"],
            "absent": states["absent"],
            "normal": int(np.sum(labels == NORMAL)),
            "abnormal": int(np.sum(labels == ABNORMAL)),
        }

    def rows(self) -> list[Row]:
        """Return what is compared: name, number of windows, and errors of new and old model."""
        verdict = self.verdict
        rows = []
        for what, new, old in (
            ("last minute", verdict.minute_new, verdict.minute_old),
            ("panel", verdict.panel_new, verdict.panel_old),
        ):
            for kind, windows in (("normal", new.fp + new.tn), ("abnormal", new.tp + new.fn)):
                if windows:
                    wrong = _wrong(new, kind), _wrong(old, kind)
                    rows.append((f"{what}, {kind}", f"{windows}", *wrong))
        return rows

    def figures(self) -> dict[str, Any]:
        """Return all figures of the enrolment, for JSON."""
        card = self.new.card
        return {
            "patient": card.wearer,
            "version": self.version,
            "in_service": self.in_service,
            "record": self.signal.record.record,
            "labels": card.labels,
            "threshold": card.threshold,
            **self.counts(),
            **asdict(self.verdict),
            "objections": self.verdict.objections,
            "report": str(self.report),
        }

    def summary(self) -> str:
        """Return one sentence about the signal, its labels and the threshold."""
        counts, card = self.counts(), self.new.card
        return (
            f"{counts['seconds']} s of {self.signal.record.record}: {counts['usable']} usable, "
            f"{counts['normal']} normal, {counts['abnormal']} abnormal ({card.labels}); "
            f"threshold {card.threshold:.2f}."
        )


def _wrong(counts: Confusion | None, kind: str) -> str:
    if counts is None:
        return "-"
    return str(counts.fp if kind == "normal" else counts.fn)
