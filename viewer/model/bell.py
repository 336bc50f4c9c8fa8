"""The terminal's bell: when it rings."""

import math
from collections.abc import Collection, Mapping
from typing import Final

from viewer.model.alarm_sounds import PATTERNS, SILENCE, Key, Standing, sound

PULSE_S: Final = 0.25
"""Time from ring to ring in a burst."""


class Bell:
    """Rings what is heard, a burst as single rings in time, so that bursts can be told apart.

    Attributes
    ----------
    next : float
        Monotonic time of the next ring; infinite while there is none to come.
    """

    def __init__(self) -> None:
        self.next = math.inf
        self._heard = SILENCE
        self._began = 0.0
        self._left = 0

    def hear(
        self,
        standing: Mapping[Key, Standing],
        paused: Collection[tuple[str | None, str]],
        now: float,
    ) -> None:
        """Take how the alarms stand at monotonic time ``now``."""
        before, self._heard = self._heard, sound(standing, paused, self._heard)
        if self._heard.priority is None:
            self.next = math.inf
        elif self._heard.new:
            self._burst(now)
        elif self._heard.priority != before.priority:  # a worse one ended: back to this one's pace
            self._burst(now + (PATTERNS[self._heard.priority].repeat_s or math.inf))

    def ring(self, now: float) -> bool:
        """Tell whether to ring once now."""
        if now < self.next or self._heard.priority is None:
            return False
        pattern = PATTERNS[self._heard.priority]
        self._left -= 1
        if self._left > 0:
            self.next = now + PULSE_S
        else:
            self._burst(max(self._began + (pattern.repeat_s or math.inf), now + PULSE_S))
        return True

    def _burst(self, at: float) -> None:
        """Let the next burst begin then."""
        priority = self._heard.priority
        self._began = self.next = at
        self._left = PATTERNS[priority].rings if priority else 0
