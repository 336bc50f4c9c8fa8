"""The outcome of an enrolment of a model of beats."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ecgmon.models.beat_bundle import BeatModel
from ecgmon.models.card import LabelSource
from ecgmon.signal.quality import NAMES
from trainer.data.beats.kachuee import CLASSES
from trainer.data.learned_beats import taught
from trainer.enrolment.enrolled import Row
from trainer.enrolment.own_beats.gate import BeatVerdict, Counts
from trainer.enrolment.own_beats.signal import BeatSignal


@dataclass(frozen=True, eq=False, slots=True)
class EnrolledBeats:
    """A finished enrolment of a model of beats.

    Parameters
    ----------
    version : int
        Version of the new model in the store.
    in_service : bool
        Whether the new model was put into service.
    signal : BeatSignal
        Signal with the classes that the new model was fitted to.
    labels : LabelSource
        Where the classes come from.
    new, old : BeatModel
        The new model and the one that was in service, or else the generic one.
    verdict : BeatVerdict
        Comparison of the two.
    report : Path
        File of the report.
    judged : int
        Number of beats that a clinician judged.
    """

    version: int
    in_service: bool
    signal: BeatSignal
    labels: LabelSource
    new: BeatModel
    old: BeatModel
    verdict: BeatVerdict
    report: Path
    judged: int = 0

    unit: ClassVar[str] = "beats"

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

    def counts(self) -> dict[str, int]:
        """Return the enrolment's seconds by state, and the beats of each class taught."""
        states = {name: int(np.sum(self.signal.state == i)) for i, name in enumerate(NAMES)}
        classes = taught(self.signal.beats.labels[self.signal.labelled])
        beats = np.bincount(classes, minlength=len(CLASSES)).tolist()
        return {
            "seconds": self.signal.seconds,
            "usable": states["signal"],
            "noisy": states["noisy"],
            "absent": states["absent"],
            "beats": len(self.signal.beats),
        } | dict(zip(CLASSES, beats, strict=True))

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
