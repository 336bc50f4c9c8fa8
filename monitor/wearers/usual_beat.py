"""A stream's usual beat, compared once a minute with that of its wearer's enrolment."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ecgmon.signal import Pushed
from ecgmon.signal.usual_beat import each_minute, likeness
from monitor.alarms.conditions.base import Condition
from monitor.wearers.active_stream import ActiveStream


class Likeness(NamedTuple):
    """How alike the two are."""

    value: float


def compare(actives: Mapping[int, ActiveStream], pushed: Pushed) -> list[tuple[int, int, Likeness]]:
    """Compare the usual beats at each minute of what a chain has completed, of streams by row.

    Returns
    -------
    list of tuple
        Row, stream index at which it is known, and likeness; nothing of a minute without a usual
        beat, of a model that knows none, and of a lead that it may not be asked of.
    """
    enrolled = {
        row: np.array(card.usual_beat, dtype=np.float32)
        for row in set(pushed.atrial.rows.tolist()) & actives.keys()
        if (card := actives[row].model.card).usual_beat and actives[row].may_ask(card)
    }
    return [
        (row, end, Likeness(likeness(now, enrolled[row])))
        for row, end, now in each_minute(pushed.atrial, enrolled)
        if now is not None
    ]


def change_likeness(active: ActiveStream, end: int, alike: float | None) -> list[Condition]:
    """Take a likeness at stream index ``end``, None for nothing to compare with.

    Returns
    -------
    list of Condition
        What changes by it.
    """
    active.likeness = alike
    return active.conditions.usual(end, alike)
