"""A stream's rhythm: judged each second, and what follows from it for the verdict on the second."""

import time
from collections.abc import Callable, Collection

from ecgmon.core.constants import WINDOW
from ecgmon.core.rhythm_verdict import RhythmVerdict
from ecgmon.core.signal_states import Reason
from ecgmon.models.rhythm_bundle import RhythmModel
from ecgmon.signal import Pushed
from ecgmon.wire import messages
from monitor.inference.rhythms import DOUBTFUL, SURE, classify_rhythms
from monitor.wearers.session import ActiveStream

JudgedSecond = tuple[float | None, bool | None, Reason | None]
"""Probability of *abnormal*, whether it is, and why neither is known."""


def judge_rhythms(
    actives: Collection[ActiveStream], pushed: Pushed
) -> list[tuple[int, int, RhythmVerdict | None]]:
    """Judge the seconds that a chain has completed, of streams that share it.

    Returns
    -------
    list of tuple of int, int and (RhythmVerdict or None)
        Row, stream index at which it is known, and verdict.
    """
    models = {
        active.stream.row: model for active in actives if (model := active.judge_of(RhythmModel))
    }
    return list(classify_rhythms(pushed.rhythms, models)) if models else []


def overruled(
    active: ActiveStream, first: int, probability: float | None, abnormal: bool | None
) -> JudgedSecond:
    """Return the verdict on the second that starts at ``first``, by the models of both kinds.

    A second that the window model calls normal is abnormal where the rhythm model is sure of a
    ventricular rhythm, and not classified where it is in doubt.
    """
    rhythm = active.rhythm
    if abnormal is not False or rhythm is None or rhythm.end != first + WINDOW:
        return probability, abnormal, None
    if rhythm.ventricular >= SURE:
        return rhythm.ventricular, True, None
    if rhythm.ventricular >= DOUBTFUL:
        return None, None, "rhythm"
    return probability, abnormal, None


def change_rhythm_model(
    active: ActiveStream,
    serving: Callable[[str, RhythmModel | None], tuple[RhythmModel | None, str | None]],
) -> list[messages.Published]:
    """Let the model of rhythms that is in service by now judge a stream's.

    Parameters
    ----------
    active : ActiveStream
        The stream; during a recovery nothing changes.
    serving : callable
        Gives the model that judges from now on, by wearer and the model that judges so far; and
        why it is not the model in service.
    """
    if active.backlog:
        return []
    wearer, before = active.stream.wearer, active.judge_of(RhythmModel)
    was_refused = active.rhythms_refused
    model, active.rhythms_refused = serving(wearer, before)
    active.serve(RhythmModel, model)
    same = (model and model.sha256) == (before and before.sha256)
    if same and active.rhythms_refused in (None, was_refused):
        return []
    text = f"{model.card.name} judges rhythms" if model else "rhythms are not judged"
    if active.rhythms_refused:
        text = f"{text}: {active.rhythms_refused}"
    active.log.info("rhythm-model", model=text)
    return [
        messages.Event(
            wearer=wearer,
            stream=active.hello.stream,
            event="rhythm-model",
            text=text[:500],
            time=time.time(),
        )
    ]
