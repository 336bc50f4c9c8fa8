"""The outcome of an enrolment of a model of beats."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from ecgmon.models.beat_bundle import BeatModel
from ecgmon.models.card import LabelSource
from trainer.data.beats.kachuee import CLASSES
from trainer.data.learned_beats import taught
from trainer.enrolment.finished import FinishedEnrolment, Row, seconds_by_state
from trainer.enrolment.own_beats.gate import BeatVerdict, Counts
from trainer.enrolment.own_beats.signal import BeatSignal


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class EnrolledBeats(FinishedEnrolment[BeatModel, BeatVerdict]):
    """A finished enrolment of a model of beats; see `FinishedEnrolment`.

    Parameters
    ----------
    signal : BeatSignal
        Signal with the classes that the new model was fitted to.
    labels : LabelSource
        Where the classes come from.
    """

    signal: BeatSignal
    labels: LabelSource

    unit: ClassVar[str] = "beats"

    def counts(self) -> dict[str, int]:
        """Return the enrolment's seconds by state, and the beats of each class taught."""
        classes = taught(self.signal.beats.labels[self.signal.labelled])
        beats = np.bincount(classes, minlength=len(CLASSES)).tolist()
        of_state = seconds_by_state(self.signal.state) | {"beats": len(self.signal.beats)}
        return of_state | dict(zip(CLASSES, beats, strict=True))

    def rows(self) -> list[Row]:
        """Return what is compared: class, number of beats, and errors of new and old model."""
        verdict = self.verdict
        pairs = (
            ("last minute", verdict.minute_new, verdict.minute_old),
            ("panel", verdict.panel_new, verdict.panel_old),
        )
        return [
            (f"{what}, {name}", f"{sum(new[i])}", f"{_wrong(new, i)}", _old_wrong(old, i))
            for what, new, old in pairs
            for i, name in enumerate(CLASSES)
            if sum(new[i])
        ]

    def figures(self) -> dict[str, Any]:
        """Return all figures of the enrolment, for JSON."""
        return {
            "patient": self.wearer,
            "version": self.version,
            "in_service": self.in_service,
            "record": self.signal.beats.record,
            "labels": self.labels,
            "classes": CLASSES,
            **self.counts(),
            **asdict(self.verdict),
            "objections": self.objections,
            "report": str(self.report),
        }

    def summary(self) -> str:
        """Return one sentence about the signal and the classes of its beats."""
        counts = self.counts()
        each = ", ".join(f"{counts[name]} {name}" for name in CLASSES if counts[name])
        without = len(self.signal.beats) - int(self.signal.labelled.sum())
        return (
            f"{counts['seconds']} s of {self.signal.beats.record}: {counts['usable']} usable, "
            f"{counts['beats']} beats: {each}, {without} without a class ({self.labels})."
        )


def _wrong(counts: Counts, of: int) -> int:
    return sum(counts[of]) - counts[of][of]


def _old_wrong(counts: Counts | None, of: int) -> str:
    return "-" if counts is None else f"{_wrong(counts, of)}"
