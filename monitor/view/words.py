"""What the view says of windows, in words."""

from typing import Final, Literal

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
