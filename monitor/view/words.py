"""What the view says of windows and moments, in words."""

from typing import Final, Literal

from ecgmon.grid import RATE
from ecgmon.wire import messages

Verdict = Literal["normal", "abnormal", "noisy", "absent", "unclassified"]

UNUSABLE: Final[dict[Verdict, str]] = {"noisy": "░", "absent": "╌", "unclassified": "·"}
"""The verdicts without a probability, and how they are marked."""


def verdict(window: messages.Window) -> Verdict:
    """Return what was said of a window; *unclassified* is signal that no model has judged."""
    if window.state != "signal":
        return window.state
    if window.abnormal is None:
        return "unclassified"
    return "abnormal" if window.abnormal else "normal"


def moment(sample: int) -> str:
    """Return the time of a sample since the start of its stream: ``mm:ss`` or ``h:mm:ss``."""
    minutes, seconds = divmod(sample // RATE, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"
