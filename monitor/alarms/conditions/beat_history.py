"""What is remembered of a wearer's beats, from which rhythms are named."""

from collections import deque
from typing import Annotated, Final

import msgspec

from ecgmon.core.constants import RATE
from ecgmon.core.rhythm_limits import LONGEST_RUN, RhythmLimits
from ecgmon.core.rhythm_rules import SUDDEN, USUAL_OF
from ecgmon.core.state import Index, Indices, Layout, Stateful
from monitor.alarms.conditions.asystole import PAUSE
from monitor.alarms.conditions.base import NEVER
from monitor.alarms.conditions.beat_patterns import Seen

LETTERS_KEPT: Final = 9
"""Letters that the longest cycle needs."""
LEARNT_BEATS: Final = 30
"""Beats after which a wearer is learnt."""
LEARNT_AFTER: Final = 60 * RATE
"""Samples after the first beat from which on a wearer is learnt, however few they bring."""

_MIDDLE: Final = (USUAL_OF - 1) // 2
"""Place of the lower median of so many RR intervals, sorted."""
_Letters = Annotated[str, msgspec.Meta(max_length=LETTERS_KEPT)]


class BeatHistory(Stateful):
    """The last beats of a stream, their runs and RR intervals.

    Parameters
    ----------
    limits : RhythmLimits
        How many ectopic beats are to be remembered.
    """

    layout = Layout(
        "beat history",
        2,
        _letters=_Letters,
        _run=Indices,
        _sudden=bool,
        _latest=Index | None,
        _rr=Index | None,
        _intervals=Indices,
        _ectopics=Indices,
        _first=Index | None,
        _beats=Index,
    )

    def __init__(self, limits: RhythmLimits) -> None:
        self._letters = ""
        self._run: deque[int] = deque(maxlen=LONGEST_RUN + 1)
        self._sudden = True
        self._latest: int | None = None
        self._rr: int | None = None
        self._intervals: deque[int] = deque(maxlen=USUAL_OF)
        most = max(limits.ectopics_hour_beats, limits.ectopics_minute_beats)
        self._ectopics: deque[int] = deque(maxlen=most + 1)
        self._first: int | None = None
        self._beats = 0

    @property
    def silent_at(self) -> int:
        """Stream index from which on no beat follows the last one: 4 s after it."""
        return NEVER if self._latest is None else self._latest + PAUSE

    def beat(self, at: int, letter: str, rr: int | None) -> Seen:
        """Take the next beat.

        Parameters
        ----------
        at : int
            Its stream index.
        letter : str
            N, S or V.
        rr : int or None
            Samples since the beat before; None if that is not known.
        """
        if rr is None or self._latest is None:
            rr, ended = None, self._end_run()
            self._letters = ""
        else:
            ended = "" if self._letters.endswith(letter) else self._end_run()
        usual = sorted(self._intervals)[_MIDDLE] if len(self._intervals) == USUAL_OF else None
        if not self._run:
            self._sudden = rr is None or usual is None or rr <= SUDDEN * usual
        if rr is not None and self._letters[-1:] + letter == "NN":
            self._intervals.append(rr)
        self._letters = (self._letters + letter)[-LETTERS_KEPT:]
        self._run.append(at)
        before, self._rr = self._rr if rr is not None else None, rr
        self._latest = at
        self._count(at, letter)
        letters, run = self._letters, self._run
        return Seen(at, letters, rr, before, usual, run, self._sudden, ended, self._ectopics)

    def interrupt(self, at: int) -> Seen:
        """Take that nothing reaches from before index ``at`` to after it."""
        ended = self._end_run()
        self._letters, self._latest, self._rr = "", None, None
        return Seen(at, "", None, None, None, self._run, self._sudden, ended, self._ectopics)

    def _end_run(self) -> str:
        ended = self._letters[-1:] * len(self._run)
        self._run.clear()
        return ended

    def _count(self, at: int, letter: str) -> None:
        """Count an ectopic beat, unless the wearer is still being learned."""
        self._first = at if self._first is None else self._first
        self._beats += 1
        learnt = self._beats >= LEARNT_BEATS or at - self._first >= LEARNT_AFTER
        if learnt and letter != "N":
            self._ectopics.append(at)
