"""The alerts panel: those that stand stand out, and none of them is pushed out by newer ones."""

import textwrap
from typing import Final

from ecgmon.terminal.canvas import Canvas, Look
from ecgmon.terminal.paper import moment
from ecgmon.wire import messages
from monitor.view.state import KnownAlert, ViewState

# The marks that IEC 60601-1-8 uses where there is no colour.
_MARKS: Final[dict[messages.Priority, str]] = {"high": "!!!", "medium": "!! ", "low": "!  "}
_LOOKS: Final[dict[tuple[messages.Priority, messages.AlertState], Look]] = {
    ("high", "raised"): Look.HIGH_RAISED,
    ("medium", "raised"): Look.MEDIUM_RAISED,
    ("low", "raised"): Look.LOW_RAISED,
    ("high", "acknowledged"): Look.HIGH,
    ("medium", "acknowledged"): Look.MEDIUM,
    ("low", "acknowledged"): Look.LOW,
}
_PRIORITIES: Final = tuple(_MARKS)
_SHORT: Final[dict[messages.AlertState, str]] = {
    "raised": "raised",
    "acknowledged": "ack'd",
    "cleared": "cleared",
}
_STATES: Final = tuple(_SHORT)
_WIDE: Final = 64
_NARROW: Final = 8


def draw(canvas: Canvas, state: ViewState) -> None:
    """Draw a heading and one row for each alert, newest first."""
    alerts = state.alerts
    standing = sum(alert.standing for alert in alerts)
    raised = sum(alert.message.state == "raised" for alert in alerts)
    heading = f"{standing} standing" if standing else "none standing"
    if raised:
        heading += f", {raised} not acknowledged"
    canvas.head(f"alerts: {heading}", Look.STRONG if raised else Look.TEXT)
    # Where there is not room for all, the weightiest are shown, still in the order of time.
    room = max(canvas.height - 1, 0)
    weightiest = sorted(range(len(alerts)), key=lambda number: _weight(alerts[number]))[:room]
    spare = room - len(weightiest)
    row = 1
    for alert in (alerts[number] for number in sorted(weightiest)):
        lines = _lines(alert, canvas.width, 1 + (spare if alert.standing else 0))
        spare -= len(lines) - 1
        for line in lines:
            canvas.write(row, 0, f"{line:<{canvas.width}}", _look(alert))
            row += 1


def _lines(alert: KnownAlert, width: int, most: int) -> list[str]:
    """Return an alert in at least one and at most the given number of lines."""
    message, since = alert.message, moment(alert.since)
    mark, text = _MARKS[message.priority], message.text
    head = f"{mark} {since:>5} {_SHORT[message.state]:<7} "
    if width >= _WIDE:
        head = f"{mark} {message.priority:<6} {since:>7} {message.state:<12} "
        text = f"{message.kind}: {text}"
    room = max(width - len(head), _NARROW)
    first, *others = textwrap.wrap(text, room, max_lines=most, placeholder="…") or [""]
    return [head + first, *(" " * len(head) + line for line in others)]


def _look(alert: KnownAlert) -> Look:
    return _LOOKS.get((alert.message.priority, alert.message.state), Look.FAINT)


def _weight(alert: KnownAlert) -> tuple[int, int]:
    priority = _PRIORITIES.index(alert.message.priority) if alert.standing else 0
    return _STATES.index(alert.message.state), priority
