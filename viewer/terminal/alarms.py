"""The alarms panel: those that stand stand out, and none of them is pushed out by newer ones."""

import textwrap
from typing import Final

from ecgmon.terminal.canvas import Canvas, Look
from ecgmon.terminal.paper import moment
from viewer.model.alarm_list import KnownAlarm
from viewer.model.wearer import ViewState
from viewer.terminal.format import MARKS, clock, look, status

_WIDE: Final = 64
_NARROW: Final = 8


def draw(canvas: Canvas, state: ViewState, time: float, of: str = "") -> None:
    """Draw a heading and one row for each alarm, newest first.

    Parameters
    ----------
    canvas : Canvas
        Where to.
    state : ViewState
        Whose.
    time : float
        Seconds since the Unix epoch, for what is paused.
    of : str
        Follows the heading's first word.
    """
    alarms = state.alarms
    active, waiting = len(state.alarm_list.active), len(state.alarm_list.waiting)
    heading = f"{active} active" if active else "none active"
    if waiting:
        heading += f", {waiting} not acknowledged"
    canvas.head(f"alarms{of}: {heading}", Look.STRONG if waiting else Look.TEXT)
    # Where there is not room for all, the weightiest are shown, still in the order of time.
    room = max(canvas.height - 1, 0)
    weightiest = sorted(range(len(alarms)), key=lambda number: _weight(alarms[number]))[:room]
    spare = room - len(weightiest)
    row = 1
    for alarm in (alarms[number] for number in sorted(weightiest)):
        lines = _lines(alarm, state, time, canvas.width, 1 + (spare if alarm.active else 0))
        spare -= len(lines) - 1
        for line in lines:
            shown = look(alarm, state.alarm_list, time)
            canvas.write(row, 0, f"{line:<{canvas.width}}", shown)
            row += 1


def _lines(alarm: KnownAlarm, state: ViewState, time: float, width: int, most: int) -> list[str]:
    """Return an alarm in at least one and at most the given number of lines."""
    message, since = alarm.message, began(alarm, state)
    mark, text = MARKS[message.priority], message.told
    head = f"{mark} {since:>5} {status(alarm, state.alarm_list, time, short=True):<7} "
    if width >= _WIDE:
        state_text = status(alarm, state.alarm_list, time)
        head = f"{mark} {message.priority:<6} {since:>7} {state_text:<12} "
        if not all(word in text for word in message.kind.split("-")):
            text = f"{message.kind}: {text}"  # what the manual and `ecgmon alarms` call it
    room = max(width - len(head), _NARROW)
    first, *others = textwrap.wrap(text, room, max_lines=most, placeholder="…") or [""]
    return [head + first, *(" " * len(head) + line for line in others)]


def began(alarm: KnownAlarm, state: ViewState) -> str:
    """Return when an alarm began: in the stream shown, else the time of day."""
    if alarm.since is None or alarm.message.stream != state.stream:
        return clock(alarm.began)
    return moment(alarm.since)


def _weight(alarm: KnownAlarm) -> tuple[bool, bool, tuple[int, int, int]]:
    return not alarm.waiting, not alarm.active, alarm.weight if alarm.active else (0, 0, 0)
