"""Asystole: four seconds of signal without a beat."""

from collections.abc import Iterable
from typing import Final

from ecgmon.grid import RATE
from ecgmon.signal.beats import CONFIRMED_AFTER

PAUSE: Final = 4 * RATE
"""Samples without a beat, while there is signal, that mean asystole."""


class Asystole:
    """Whether the heart stands still, exact to the sample however the stream was cut.

    The silence is counted from the last beat, or from where signal or samples began again if that
    was later. It is known for sure `CONFIRMED_AFTER` samples after it has lasted 4 s, and is told
    then, 4.3 s after the last beat.

    Two beats less than 4 s apart end it, for one may be an artefact, and escape beats 5 s apart
    are no rhythm; so does losing the signal, which is another alarm's business.

    Parameters
    ----------
    holds : bool
        Whether it held before the stream began.
    """

    def __init__(self, holds: bool = False) -> None:
        self.holds = holds
        self._since = 0
        self._latest = -PAUSE

    def advance(self, now: int, beats: Iterable[int]) -> list[tuple[bool, int]]:
        """Take the beats confirmed by the samples before index ``now``.

        Parameters
        ----------
        now : int
            Stream index of the next sample.
        beats : iterable of int
            Their stream indices in order; those that were told before do not count again.

        Returns
        -------
        list of (bool, int)
            Whether asystole holds from now on, and its sample: 4 s after the last beat, or the
            second beat that ended it.
        """
        changes: list[tuple[bool, int]] = []
        for beat in beats:
            if beat <= self._latest:
                continue
            # What was due before this beat had been told before it, had the cuts been finer.
            changes += self._silent_until(beat)
            changes += self._take(beat)
        return changes + self._silent_until(now - CONFIRMED_AFTER)

    def lose(self, at: int) -> list[tuple[bool, int]]:
        """Note that the second that ended at index ``at`` had no usable signal."""
        self.restart(at)
        if not self.holds:
            return []
        self.holds = False
        return [(False, at)]

    def restart(self, at: int) -> None:
        """Count the silence from index ``at`` at the earliest."""
        self._since = max(self._since, at)

    def _silent_until(self, known: int) -> list[tuple[bool, int]]:
        at = self._since + PAUSE
        if self.holds or known < at:
            return []
        self.holds = True
        return [(True, at)]

    def _take(self, beat: int) -> list[tuple[bool, int]]:
        # Asystole begins 4 s after a beat at the earliest: two so close came during it.
        ends = self.holds and beat - self._latest < PAUSE
        self._latest = beat
        self._since = max(self._since, beat)
        self.holds = self.holds and not ends
        return [(False, beat)] if ends else []
