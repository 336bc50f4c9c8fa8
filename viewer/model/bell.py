"""The terminal's bell: when it rings."""

import math
from collections.abc import Collection, Mapping
from typing import Final

from viewer.model.alarm_sounds import PATTERNS, SILENCE, Key, SoundingAlarm, sound

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
        self._sound = SILENCE
        self._began = 0.0
        self._left = 0

    def hear(
        self,
        active: Mapping[Key, SoundingAlarm],
        paused: Collection[tuple[str | None, str]],
        now: float,
    ) -> None:
        """Take how the alarms stand at monotonic time ``now``."""
        before, self._sound = self._sound, sound(active, paused, self._sound)
        if self._sound.priority is None:
            self.next = math.inf
        elif self._sound.new:
            self._burst(now)
        elif self._sound.priority != before.priority:  # a worse one ended: back to this one's pace
            self._burst(now + (PATTERNS[self._sound.priority].repeat_s or math.inf))

    def ring(self, now: float) -> bool:
        """Tell whether to ring once now."""
        if now < self.next or self._sound.priority is None:
            return False
        pattern = PATTERNS[self._sound.priority]
        self._left -= 1
        if self._left > 0:
            self.next = now + PULSE_S
        else:
            self._burst(max(self._began + (pattern.repeat_s or math.inf), now + PULSE_S))
        return True

    def _burst(self, at: float) -> None:
        """Let the next burst begin then."""
        priority = self._sound.priority
        self._began = self.next = at
        self._left = PATTERNS[priority].rings if priority else 0
