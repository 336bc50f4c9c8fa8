"""The heart rate, large, and what the model says now."""

from typing import Final

from ecgmon.terminal.canvas import Canvas, Look
from ecgmon.wire import messages
from viewer.terminal.digits import large
from viewer.terminal.format import Verdict, verdict

WIDTH: Final = 22
_LOOKS: Final[dict[Verdict, Look]] = {"normal": Look.NORMAL, "abnormal": Look.ABNORMAL_MARK}


def heart_rate(window: messages.Window | None) -> str:
    """Return the heart rate as shown: ``--`` when it is not known."""
    if window is None or window.heart_rate is None or not 0 <= window.heart_rate < 999.5:
        return "--"
    return f"{window.heart_rate:.0f}"


def draw(canvas: Canvas, window: messages.Window | None) -> None:
    """Draw the verdict, and the heart rate as large as there is room for.

    Parameters
    ----------
    canvas : Canvas
        Where to.
    window : messages.Window or None
        What holds now; None when nothing is known to hold now.
    """
    if window:
        called = verdict(window)
        canvas.write(0, 0, called.upper(), _LOOKS.get(called, Look.UNUSABLE))
    canvas.write_right(0, "HR /min", Look.FAINT)
    shown = heart_rate(window)
    look = Look.UNUSABLE if shown == "--" else Look.NORMAL
    for scale in (2, 1):
        digits = large(shown, scale)
        height, width = digits.shape
        if height < canvas.height:
            canvas.part(1, canvas.width - width, height, width).paint(digits, look)
            return
    canvas.write_right(1, shown, look)
