"""The gate: decides whether a wearer's new model may replace the one in service.

Five minutes often hold no abnormal window, and a model that calls everything normal would be right
on them. Therefore the new model must not be worse on the enrolment's last minute, and it must
still find the abnormal windows of a fixed panel of other wearers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ecgmon.core.labels import ABNORMAL, NORMAL
from ecgmon.metrics.two_classes import Confusion
from ecgmon.models.bundle import Model
from ecgmon.models.card import Card
from trainer.data import splits
from trainer.data.dataset import RecordSet
from trainer.enrolment.enrol import HELD_OUT_S

RHYTHMS: Final = ("vfdb/424", "cudb/cu07", "cudb/cu20")
"""Records of ventricular fibrillation and tachycardia; no model was fitted to them."""
PANEL: Final = (*splits.VALIDATION, *RHYTHMS)
"""Records of the panel; no model was fitted to them."""
PANEL_WINDOWS: Final = 50
"""Largest number of abnormal windows from each record, spread evenly over it."""
PANEL_LOSS: Final = 0.05
"""The new model may find this share of the panel's windows less than the one in service, because a
wearer's own model need not find other wearers' abnormal beats as well as the generic model."""

CONTRADICTED: Final = 0.25
"""If a review labels no second normal, it is an objection that the model in service calls more
than this share of the seconds normal. Such labels, from a careless review or a bundle branch block,
teach the new model to call everything abnormal, and no other check would find this."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Comparison of the new model with the old one: that in service, if both see the same windows.

    Parameters
    ----------
    minute_new : Confusion
        Labelled windows of the enrolment's last minute, judged by a model that was made in the same
        way from the minutes before it.
    minute_old : Confusion or None
        The same windows, judged by the old model; None if it was fitted to them.
    panel_new, panel_old : Confusion
        The panel's windows, all of them abnormal.
    knows_less : bool
        Whether the new model was made without labels while the one in service was fitted to this
        wearer's labels.
    contradicted : float or None
        Share of the seconds that the old model calls normal, if a review labels none of them
        normal; otherwise None.
    not_compared : str or None
        Name of the model in service, if it sees the signal in another way. The old model is then
        the one that the new one was made from.
    """

    minute_new: Confusion
    minute_old: Confusion | None
    panel_new: Confusion
    panel_old: Confusion
    knows_less: bool = False
    contradicted: float | None = None
    not_compared: str | None = None

    @property
    def objections(self) -> list[str]:
        """Objections to the new model, one sentence each; empty if it may go into service."""
        old = None if self.minute_old is None else _right(self.minute_old)
        found = objections(
            Compared(
                "second",
                "abnormal windows",
                "the one in service" if self.not_compared is None else "the one it was made from",
            ),
            minute=(_right(self.minute_new), old),
            panel=(_right(self.panel_new), _right(self.panel_old)),
            contradicted=self.contradicted,
        )
        if self.knows_less:
            found.append("it knows no abnormal beat of this wearer, the one in service may")
        return found


@dataclass(frozen=True, slots=True)
class Compared:
    """What two models are compared on, in the words of an objection.

    Parameters
    ----------
    unit : str
        What is labelled, such as ``second``.
    panel : str
        What the panel is of.
    old : str
        The old model.
    """

    unit: str
    panel: str
    old: str = "the one in service"


def objections(
    what: Compared,
    minute: tuple[float, float | None],
    panel: tuple[float, float],
    contradicted: float | None,
) -> list[str]:
    """Return what speaks against a new model, one sentence each.

    Parameters
    ----------
    what : Compared
        What the models were compared on.
    minute : tuple of float, and float or None
        Share of the last minute in which the new model is right, and the old one; None if that
        one was fitted to it.
    panel : tuple of float
        Share of the panel that the new model finds, and the old one.
    contradicted : float or None
        As in `Verdict`.
    """
    found = []
    new, old = minute
    if old is not None and new < old:
        found.append(
            f"it is right in {new:.1%} of the enrolment's last minute (mean over its "
            f"classes), {what.old} in {old:.1%}"
        )
    if contradicted is not None and contradicted > CONTRADICTED:
        found.append(
            f"no {what.unit} of the enrolment is labelled normal, and {what.old} calls "
            f"{contradicted:.0%} of them so"
        )
    new, old = panel
    if new < old - PANEL_LOSS:
        found.append(f"it finds {new:.1%} of the panel's {what.panel}, {what.old} {old:.1%}")
    return found


def compare(
    new: Model,
    old: Model,
    wearer: RecordSet,
    others: Sequence[RecordSet],
    *,
    serving: Card | None = None,
    first: int = 0,
    seconds: int = splits.ENROLMENT_S,
) -> Verdict:
    """Compare a wearer's new model with the one in service, or else the generic one.

    Parameters
    ----------
    new : Model
        From `trainer.enrolment.enrol`, whose card has the counts of the last minute.
    old : Model
        For windows of the same geometry: the model in service, or else the one started from.
    wearer : RecordSet
        The record of the enrolment.
    others : sequence of RecordSet
        The records of `PANEL`; the wearer's own is left out.
    serving : Card, optional
        Of the model in service; the old one's if not given.
    first : int
        Second of the stream at which the record begins.
    seconds : int
        Windows of the enrolment.
    """
    others = [record for record in others if record.record != wearer.record]
    serving = serving or old.card
    minute = slice(seconds - HELD_OUT_S, seconds)
    fitted = any(
        old.card.has_seen(wearer.record, first + second)
        for second in range(minute.start, minute.stop)
    )
    probabilities = old.probability(wearer.inputs[minute])
    return Verdict(
        new.card.validation.confusion,
        None if fitted else wearer.confusion(probabilities, old.card.threshold, minute.start),
        _panel(new, others),
        _panel(old, others),
        new.card.labels == "assumed normal"
        and serving.wearer is not None
        and serving.labels != "assumed normal",
        _contradicted(old, wearer, seconds) if new.card.labels == "review" else None,
        None if serving.geometry == old.card.geometry else serving.name,
    )


def _contradicted(old: Model, wearer: RecordSet, seconds: int) -> float | None:
    """Return the share of the enrolment that a model calls normal, if no label does."""
    labels = wearer.labels[:seconds]
    if (labels == NORMAL).any():
        return None
    probabilities = old.probability(wearer.inputs[:seconds][labels == ABNORMAL])
    return float(np.mean(probabilities < old.card.threshold))


def _panel(model: Model, others: Sequence[RecordSet]) -> Confusion:
    counts = Confusion()
    for record in others:
        abnormal = np.flatnonzero(record.taught == ABNORMAL)
        if not len(abnormal):
            continue
        spread = np.linspace(0, len(abnormal) - 1, min(PANEL_WINDOWS, len(abnormal)))
        found = model.probability(record.inputs[abnormal[spread.astype(int)]])
        tp = int(np.sum(found >= model.card.threshold))
        counts = Confusion(tp=counts.tp + tp, fn=counts.fn + len(found) - tp)
    return counts


def _right(counts: Confusion) -> float:
    """Return the mean share of right windows over the classes present; 1 if there is none."""
    known = [share for share in (counts.sensitivity, counts.specificity) if share is not None]
    return sum(known) / len(known) if known else 1.0
