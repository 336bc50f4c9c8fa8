"""The outcome of an enrolment."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.labels import ABNORMAL, NORMAL
from ecgmon.metrics.two_classes import Confusion
from ecgmon.models.bundle import Model
from trainer.enrolment.finished import FinishedEnrolment, Row, seconds_by_state
from trainer.enrolment.gate import Verdict
from trainer.enrolment.signal import EnrolmentSignal


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Enrolled(FinishedEnrolment[Model, Verdict]):
    """A finished enrolment of a model of windows; see `FinishedEnrolment`.

    Parameters
    ----------
    signal : EnrolmentSignal
        Signal with the labels that the new model was fitted to.
    """

    signal: EnrolmentSignal

    unit: ClassVar[str] = "windows"

    @property
    def served(self) -> str:
        """Name of the model that was in service."""
        return self.verdict.not_compared or self.old_name

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
        return seconds_by_state(self.signal.state) | {
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
        """Return a sentence on signal, labels and threshold, and one if the gate had to change."""
        counts, card = self.counts(), self.new.card
        other = self.verdict.not_compared
        return (
            f"{counts['seconds']} s of {self.signal.record.record}: {counts['usable']} usable, "
            f"{counts['normal']} normal, {counts['abnormal']} abnormal ({card.labels}); "
            f"threshold {card.threshold:.2f}."
        ) + (
            f" {other}, in service, sees the signal in another way: the new model is compared with "
            f"{self.old_name}, which it was made from."
            if other
            else ""
        )


def _wrong(counts: Confusion | None, kind: str) -> str:
    if counts is None:
        return "-"
    return str(counts.fp if kind == "normal" else counts.fn)
