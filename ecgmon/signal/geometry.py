"""Geometry of a model's input: context, look-ahead and sampling rate."""

from dataclasses import dataclass
from typing import Final, Literal

from ecgmon.core.constants import RATE, WINDOW

AmplitudeUnit = Literal["window", "second"]
"""What samples are divided by: the wearer's usual peak-to-peak amplitude when the window is
complete, all of its samples alike; or each second before that by what was usual at its own end, so
that it looks the same to all windows that see it."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """The input of a window model: how much signal around the window, and at which rate.

    Parameters
    ----------
    history_s : float
        Seconds before the window.
    look_ahead_s : float
        Seconds after the window, at most 0.5: each result is late by this much.
    rate : int
        Samples per second of the model's input.
    unit : str
        *window* or *second*, see `AmplitudeUnit`.

    Raises
    ------
    ValueError
        If the extent is out of range or not a whole number of samples at either rate.
    """

    history_s: float
    look_ahead_s: float
    rate: int
    unit: AmplitudeUnit = "window"

    def __post_init__(self) -> None:
        if not (0 <= self.history_s <= 30 and 0 <= self.look_ahead_s <= 0.5):
            raise ValueError("history must be 0 to 30 s and look-ahead 0 to 0.5 s")
        if not 30 <= self.rate <= RATE:
            raise ValueError(f"the model's rate must be 30 to {RATE} Hz")
        for seconds in (self.history_s, self.look_ahead_s):
            for rate in (RATE, self.rate):
                if not float(seconds * rate).is_integer():
                    raise ValueError(f"{seconds} s is not a whole number of samples at {rate} Hz")

    @property
    def history(self) -> int:
        """Samples before the window at `RATE`."""
        return round(self.history_s * RATE)

    @property
    def look_ahead(self) -> int:
        """Samples after the window at `RATE`."""
        return round(self.look_ahead_s * RATE)

    @property
    def context(self) -> int:
        """Samples at `RATE` from the start of the history to the end of the look-ahead."""
        return self.history + WINDOW + self.look_ahead

    @property
    def blocks(self) -> int:
        """Seconds before the end of the look-ahead that the context reaches into."""
        return -(-self.context // WINDOW)

    @property
    def inputs(self) -> int:
        """Samples of the model's input, at its own rate."""
        return round((self.history_s + WINDOW / RATE + self.look_ahead_s) * self.rate)


RHYTHM: Final = Geometry(history_s=3, look_ahead_s=0, rate=120)
"""What rhythm models see: a second and the three before it, without waiting for more. A tachycardia
brings ten beats in it. 6 s found little more, and more falsely (docs/results/rhythms.md)."""
