"""The gate for a model of beats: what `trainer.enrolment.gate` does for one of windows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.metrics.classes import Figures, confusion
from ecgmon.models.beat_bundle import BeatModel
from ecgmon.models.beat_kinds import steadied
from ecgmon.models.card import LabelSource
from trainer.data.beats.kachuee import CLASSES
from trainer.data.beats.leads import LeadBeats
from trainer.data.learned_beats import taught
from trainer.enrolment import gate
from trainer.enrolment.enrol import HELD_OUT_S
from trainer.enrolment.own_beats.signal import BeatSignal

ECTOPIC: Final = (CLASSES.index("S"), CLASSES.index("V"))
"""Classes of the panel's beats."""
PANEL_BEATS: Final = gate.PANEL_WINDOWS
"""Largest number of beats of a class from each record, spread evenly over it."""
Counts = tuple[tuple[int, ...], ...]
"""Beats by class (rows) and by what they are called (columns), in the order of `CLASSES`."""


@dataclass(frozen=True, slots=True)
class BeatVerdict:
    """Comparison of a new model of beats with the one in service.

    Parameters
    ----------
    minute_new : Counts
        Beats with a class in the enrolment's last minute, judged by a model that was made in the
        same way from the minutes before it.
    minute_old : Counts or None
        The same beats, judged by the model in service; None if it was fitted to them.
    panel_new, panel_old : Counts
        The panel's beats.
    contradicted : float or None
        Share of the beats that the model in service calls normal, if a review labels none of them
        normal; otherwise None.
    """

    minute_new: Counts
    minute_old: Counts | None
    panel_new: Counts
    panel_old: Counts
    contradicted: float | None = None

    @property
    def objections(self) -> list[str]:
        """Objections to the new model, one sentence each; empty if it may go into service."""
        old = None if self.minute_old is None else right(self.minute_old)
        return gate.objections(
            gate.Compared("beat", "ectopic beats (mean over V and S)"),
            minute=(right(self.minute_new), old),
            panel=(right(self.panel_new), right(self.panel_old)),
            contradicted=self.contradicted,
        )


def compare(
    new: BeatModel,
    minute_new: Counts,
    old: BeatModel,
    signal: BeatSignal,
    labels: LabelSource,
    panel: Sequence[LeadBeats],
) -> BeatVerdict:
    """Compare a wearer's new model with the one in service.

    Parameters
    ----------
    new : BeatModel
        Fitted to the whole enrolment.
    minute_new : Counts
        What one that was fitted without the last minute calls its beats.
    old : BeatModel
        The model in service.
    signal : BeatSignal
        Of the enrolment, with its classes.
    labels : LabelSource
        Where they come from.
    panel : sequence of LeadBeats
        Beats of other people.
    """
    begin = signal.first + signal.seconds - HELD_OUT_S
    fitted = any(
        old.card.has_seen(signal.beats.record, second)
        for second in range(begin, begin + HELD_OUT_S)
    )
    return BeatVerdict(
        minute_new,
        None if fitted else counted(old, signal.beats, last_minute(signal)),
        _found(new, panel),
        _found(old, panel),
        _contradicted(old, signal) if labels == "review" else None,
    )


def last_minute(signal: BeatSignal) -> NDArray[np.bool_]:
    """Return which beats of the enrolment's last minute have a class, shape (beats,)."""
    late = signal.beats.samples >= (signal.seconds - HELD_OUT_S) * RATE
    which: NDArray[np.bool_] = late & signal.labelled
    return which


def counted(model: BeatModel, beats: LeadBeats, which: NDArray[np.bool_]) -> Counts:
    """Count what a monitor with a model calls some beats; a fusion beat is one of class V."""
    if not which.any():
        return ((0,) * len(CLASSES),) * len(CLASSES)
    counts = confusion(taught(beats.labels[which]), called(model, beats)[which], len(CLASSES))
    return tuple(map(tuple, counts.tolist()))


def called(model: BeatModel, beats: LeadBeats) -> NDArray[np.intp]:
    """Return the class of each beat as a monitor calls it, which is not asked of unusable ones.

    Parameters
    ----------
    model : BeatModel
        Who judges.
    beats : LeadBeats
        All beats of the signal: what is said of one is made steady by those before it.

    Returns
    -------
    ndarray of intp, shape (beats,)
        Number in `CLASSES`; that of N for unusable beats.
    """
    found = np.zeros(len(beats), dtype=np.intp)
    inputs = beats.inputs[beats.usable]
    said = steadied(inputs, model.probability(inputs), CLASSES)
    found[beats.usable] = said.argmax(axis=1)
    return found


def right(counts: Counts) -> float:
    """Return the mean share of beats called right over the classes present; 1 if there is none."""
    of_class = np.array(counts)
    return Figures(of_class).mean_recall if of_class.any() else 1.0


def _contradicted(old: BeatModel, signal: BeatSignal) -> float | None:
    """Return the share of the labelled beats that a model calls normal, if no label does."""
    normal = CLASSES.index("N")
    known = signal.labelled
    if (signal.beats.labels == normal).any() or not known.any():
        return None
    return float(np.mean(called(old, signal.beats)[known] == normal))


def _found(model: BeatModel, panel: Sequence[LeadBeats]) -> Counts:
    total = np.zeros((len(CLASSES), len(CLASSES)), dtype=np.int64)
    for lead in panel:
        which = np.zeros(len(lead), dtype=bool)
        for label in ECTOPIC:
            of_class = np.flatnonzero(lead.usable & (lead.labels == label))
            if len(of_class):
                spread = np.linspace(0, len(of_class) - 1, min(PANEL_BEATS, len(of_class)))
                which[of_class[spread.astype(int)]] = True
        total += np.array(counted(model, lead, which))
    return tuple(map(tuple, total.tolist()))
