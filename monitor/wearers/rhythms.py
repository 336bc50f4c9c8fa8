"""A stream's rhythm: judged each second, and what follows from it for the verdict on the second."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from ecgmon.core.constants import WINDOW
from ecgmon.core.rhythm_verdict import RhythmVerdict
from ecgmon.core.signal_states import Reason
from ecgmon.models.atrial_bundle import AtrialModel
from ecgmon.models.rhythm_bundle import RhythmModel
from ecgmon.signal import Pushed
from ecgmon.signal.types import RhythmInputs
from ecgmon.wire import messages
from monitor.alarms.conditions.base import Condition
from monitor.inference.rhythms import (
    DOUBTFUL,
    SURE,
    AtrialVerdict,
    classify_atrial,
    classify_rhythms,
)
from monitor.wearers.active_stream import ActiveStream
from monitor.wearers.session import model_event

RhythmModelT = TypeVar("RhythmModelT", RhythmModel, AtrialModel)
_NAMES: Final = {RhythmModel: "rhythms", AtrialModel: "atrial rhythms"}
SURE_ALONE: Final = 0.5
"""Probability from which on a second is abnormal by a generic window model against that of beats:
a bundle branch block is abnormal to the first, and of class N to the other."""
JudgedSecond = tuple[float | None, bool | None, Reason | None]
"""Probability of *abnormal*, whether it is, and why neither is known."""


def judge_rhythms(
    actives: Mapping[int, ActiveStream], pushed: Pushed
) -> list[tuple[int, int, RhythmVerdict | AtrialVerdict | None]]:
    """Judge the rhythms of what a chain has completed, of streams by the rows that are judged.

    Returns
    -------
    list of tuple
        Row, stream index at which it is known, and verdict; None for a second that was not judged.
    """
    return [
        *classify_rhythms(pushed.rhythms, _models(actives, pushed.rhythms, RhythmModel)),
        *classify_atrial(pushed.atrial, _models(actives, pushed.atrial, AtrialModel)),
    ]


def _models(
    actives: Mapping[int, ActiveStream], inputs: RhythmInputs, kind: type[RhythmModelT]
) -> dict[int, RhythmModelT]:
    """Return the models of a kind that judge inputs, by row."""
    rows = set(inputs.rows.tolist()) & actives.keys()
    return {row: model for row in rows if (model := actives[row].judge_of(kind))}


def change_rhythm(
    active: ActiveStream, end: int, verdict: RhythmVerdict | AtrialVerdict | None
) -> list[Condition]:
    """Take a verdict at stream index ``end``; return what changes by it."""
    if isinstance(verdict, AtrialVerdict):
        if active.backlog and verdict.fibrillation is None and not active.atrial.is_known:
            return []  # the beats before a restart are forgotten, which ends no episode
        active.atrial.add(verdict.fibrillation)
        return active.conditions.atrial(end, verdict.fibrillation)
    active.rhythm = verdict
    return active.conditions.rhythm(end, verdict)


def is_ventricular(active: ActiveStream, first: int) -> bool:
    """Tell whether the rhythm model is sure of a ventricular rhythm in the second at ``first``."""
    rhythm = active.rhythm
    return rhythm is not None and rhythm.end == first + WINDOW and rhythm.ventricular >= SURE


def overruled(
    active: ActiveStream, first: int, probability: float | None, abnormal: bool | None
) -> JudgedSecond:
    """Return the verdict on the second that starts at ``first``, by the models of both kinds.

    A second that the window model calls normal is abnormal where the beat model calls one of its
    beats ectopic, or the rhythm model is sure of a ventricular rhythm. It is not classified where
    that one is in doubt, or where no beat is near that looks like others. One that a generic window
    model calls abnormal without being sure is normal where the beat model calls all its beats so.
    """
    if abnormal is None or probability is None:
        return None, None, None
    span = first, first + WINDOW
    if abnormal:
        other = active.recent.all_normal(*span)
        generic = active.model.card.wearer is None
        if other is None or not generic or probability >= SURE_ALONE:
            return probability, True, None
        probability = min(probability, other)
    elif (ectopic := active.recent.ectopic(*span)) is not None:
        return ectopic, True, None
    rhythm = active.rhythm
    if rhythm is not None and rhythm.end == first + WINDOW:
        if is_ventricular(active, first):
            return rhythm.ventricular, True, None
        if rhythm.ventricular >= DOUBTFUL:
            return None, None, "rhythm"
    if active.recent.is_strange(first):
        return None, None, "strange"
    return probability, False, None


def change_rhythm_model(
    active: ActiveStream,
    kind: type[RhythmModelT],
    serving: Callable[[str, RhythmModelT | None], tuple[RhythmModelT | None, str | None]],
) -> list[messages.Published]:
    """Let the model of a kind of rhythms that is in service by now judge a stream's.

    Parameters
    ----------
    active : ActiveStream
        The stream; during a recovery nothing changes.
    kind : type
        `RhythmModel` or `AtrialModel`.
    serving : callable
        Gives the model that judges from now on, by wearer and the model that judges so far; and
        why it is not the model in service.
    """
    if active.backlog:
        return []
    wearer, before, name = active.stream.wearer, active.judge_of(kind), _NAMES[kind]
    was_refused = active.rhythms_refused.get(name)
    model, refused = serving(wearer, before)
    active.rhythms_refused[name] = refused
    active.serve(kind, model)
    same = (model and model.sha256) == (before and before.sha256)
    if same and refused in (None, was_refused):
        return []
    text = f"{model.card.name} judges {name}" if model else f"{name} are not judged"
    if refused:
        text = f"{text}: {refused}"
    return [model_event(active, "rhythm-model", text)]
