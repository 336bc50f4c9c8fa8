"""A heart that stands still: four seconds without a beat, on a line with signal or a still one."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import ClassVar, Final, Literal

from ecgmon.core.alarm_kinds import Kind, Properties
from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import RATE
from ecgmon.core.state import Index, Layout
from ecgmon.signal import Second
from ecgmon.signal.qrs import CONFIRMED_AFTER
from monitor.alarms.conditions.base import Condition, SignalCondition

PAUSE: Final = 4 * RATE
"""Samples without a beat, while there is signal, that mean asystole."""
LATELY: Final = 10 * RATE
"""A line that turns still within so many samples after a beat may be a heart that stands still."""

Standstill = Literal["asystole", "flat-line"]
Change = tuple[Standstill, bool, int]
"""A kind, whether it holds from now on, and from which sample on."""


class Asystole(SignalCondition):
    """Whether the heart stands still, exact to the sample however the stream was cut.

    The silence is counted from the last beat, or from where signal or samples began again if that
    was later. It is known for sure `CONFIRMED_AFTER` samples after it has lasted 4 s, and is told
    then, 4.3 s after the last beat. On a line that was still at the end of the second before, it is
    *flat-line* instead of *asystole*, for a lead that is off looks the same, and nothing at all if
    there was no beat in the 10 s before the line turned still.

    Two beats less than 4 s apart end both, for one may be an artefact, and escape beats 5 s apart
    are no rhythm; so does noise, or a lead that is off for sure, which are other alarms' business.
    Four seconds of signal without a beat after a flat line are an asystole, which takes its place.
    An asystole stays one when the line turns still.

    The silence is counted anew from the end of each second whose baseline returns from a jump of
    the electrode: an amplifier that recovers shows no beat. That ends nothing.

    Parameters
    ----------
    limits : AlarmLimits
        None of them is about it.
    holding : collection of Kind
        What held before the stream began.
    """

    kinds: ClassVar[Mapping[Kind, Properties]] = {
        "asystole": Properties("high", "physiological", True, "no beat for 4 seconds"),
        "flat-line": Properties(
            "high",
            "physiological",
            True,
            "no signal, or the heart stands still: look at the wearer",
        ),
    }
    layout = Layout(
        "asystole",
        1,
        _holds=dict[Standstill, bool],
        _since=Index,
        _latest=Index | None,
        _still=Index | None,
    )

    def __init__(self, limits: AlarmLimits, holding: Collection[Kind] = ()) -> None:
        super().__init__(limits, holding)
        self._holds: dict[Standstill, bool] = {
            "asystole": "asystole" in holding,
            "flat-line": "flat-line" in holding,
        }
        self._since = 0
        self._latest: int | None = None
        self._still: int | None = None

    @property
    def due(self) -> int:
        """When the silence has lasted; a beat may end at any time what holds."""
        if self._holds["asystole"] or self._holds["flat-line"]:
            return 0
        return self._since + PAUSE + CONFIRMED_AFTER

    def elapsed(self, now: int, beats: Sequence[int], lost: int | None) -> list[Condition]:
        """Take how far the stream is, as `advance`."""
        return [Condition(kind, holds, at) for kind, holds, at in self.advance(now, beats)]

    def second(self, second: Second) -> Mapping[Kind, bool]:
        """Take whether a second was usable; what was due while it lasted comes before."""
        if second.state == "signal" or second.lost is not None:
            self.usable(second.end, second.still)
            if second.returning:
                self.restart(second.end)
            return {}
        return {kind: holds for kind, holds, _ in self.lose(second.end)}

    def advance(self, now: int, beats: Iterable[int]) -> list[Change]:
        """Take the beats confirmed by the samples before index ``now``.

        Parameters
        ----------
        now : int
            Stream index of the next sample.
        beats : iterable of int
            Their stream indices in order; those that were told before do not count again.

        Returns
        -------
        list of Change
            A condition begins 4 s after the last beat, and ends with the second beat after it.
        """
        changes: list[Change] = []
        for beat in beats:
            if self._latest is not None and beat <= self._latest:
                continue
            # What was due before this beat had been told before it, had the cuts been finer.
            changes += self._silent_until(beat)
            changes += self._take(beat)
        return changes + self._silent_until(now - CONFIRMED_AFTER)

    def usable(self, at: int, still: int | None) -> None:
        """Note that the second that ended at index ``at`` was measured, and without noise.

        Parameters
        ----------
        still : int or None
            Index from which on the line is still at its end; None if it is not.
        """
        self._still = still
        if still is not None and (self._holds["flat-line"] or not self._beats_before(still)):
            self.restart(at)

    def lose(self, at: int) -> list[Change]:
        """Note that the second that ended at index ``at`` had no usable signal."""
        self.restart(at)
        return self._end(at)

    def restart(self, at: int) -> None:
        """Count the silence from index ``at`` at the earliest."""
        self._since = max(self._since, at)

    def gap(self, at: int) -> None:
        """Note that the samples before index ``at`` are missing."""
        self._still = None
        self.restart(at)

    def _beats_before(self, still: int) -> bool:
        return self._latest is not None and self._latest >= still - LATELY

    def _silent_until(self, known: int) -> list[Change]:
        at = self._since + PAUSE
        if self._holds["asystole"] or known < at:
            return []
        if self._still is None:
            changes: list[Change] = [("asystole", True, at)]
            if self._holds["flat-line"]:
                changes.append(("flat-line", False, at))
            self._holds = {"asystole": True, "flat-line": False}
            return changes
        if self._holds["flat-line"] or not self._beats_before(self._still):
            return []
        self._holds["flat-line"] = True
        return [("flat-line", True, at)]

    def _take(self, beat: int) -> list[Change]:
        # Asystole begins 4 s after a beat at the earliest: two so close came during it.
        ends = self._latest is not None and beat - self._latest < PAUSE
        self._latest = beat
        self._since = max(self._since, beat)
        return self._end(beat) if ends else []

    def _end(self, at: int) -> list[Change]:
        ended: list[Change] = [(kind, False, at) for kind, holds in self._holds.items() if holds]
        self._holds = {"asystole": False, "flat-line": False}
        return ended
