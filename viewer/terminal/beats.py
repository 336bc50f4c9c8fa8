"""The row below the trace: ectopic beats of the last minute and hour, and the rhythm's name."""

from collections.abc import Iterator
from typing import Final

from ecgmon.core.constants import RATE
from ecgmon.terminal.canvas import Canvas, Look
from viewer.model.beat_list import HOUR
from viewer.model.rhythm import name, standing
from viewer.model.wearer import ViewState
from viewer.terminal.format import look, minutes

_ORIGINS: Final = (("V", "ventricular"), ("S", "supraventricular"))


def draw(canvas: Canvas, state: ViewState, time: float) -> None:
    """Draw the counts at the left and the rhythm at the right, in as many words as fit.

    Parameters
    ----------
    canvas : Canvas
        One row.
    state : ViewState
        Of a wearer whose beats are judged.
    time : float
        Seconds since the Unix epoch, for what is paused.
    """
    alarm = standing(state.alarm_list)
    rhythm = f" {name(alarm)} " if alarm else ""
    for words in (True, False):
        parts = list(_counts(state, words=words))
        if sum(len(text) for text, _ in parts) + len(rhythm) <= canvas.width:
            break
    column = 0
    for text, shown in parts:
        column = canvas.write(0, column, text, shown)
    if alarm:  # on the narrowest terminals the name is written over the counts
        canvas.write_right(0, rhythm, look(alarm, state.alarm_list, time))


def _counts(state: ViewState, *, words: bool) -> Iterator[tuple[str, Look]]:
    minute, hour = state.beats.last_minute(state.clock), state.beats.last_hour(state.clock)
    known = state.clock - (state.beats.since or 0)
    period = "/h" if known >= HOUR else f"in {minutes(known / RATE)}"
    for letter, origin in _ORIGINS:
        yield f"{origin if words else letter} ", Look.FAINT
        yield f"{minute[letter]} /min", Look.TEXT
        yield f"  {hour[letter]} {period}   ", Look.TEXT
