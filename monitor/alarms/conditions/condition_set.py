"""The set of all alarm conditions of one stream.

Their time is the sample index, so the same signal gives the same conditions at any replay speed,
and for each kind the same however the stream was cut into pushes.
"""

from collections.abc import Collection, Mapping, Sequence
from operator import attrgetter
from typing import Final

from ecgmon.core.alarm_kinds import Kind, Priority
from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import WINDOW
from ecgmon.core.labels import BeatClass
from ecgmon.core.rhythm_verdict import RhythmVerdict
from ecgmon.core.state import NESTED, Index, Layout, Stateful
from ecgmon.signal import Second
from monitor.alarms.conditions import CONDITIONS
from monitor.alarms.conditions.base import Condition, SignalCondition

_DUE: Final = attrgetter("due")


class WearerConditions(Stateful):
    """All alarm conditions of one stream, fed with the same seconds and verdicts.

    After each push of samples: `second` for every second that it completed, then `elapsed` if it
    is `due`. The verdict on a second may follow any time later, in order.

    Where several change at once, those that begin come first: what is bad never seems over while
    it turns into something worse, or into something that hides it.

    Parameters
    ----------
    limits : AlarmLimits
        What begins and ends them.
    holding : collection of Kind
        What held before: alarms belong to the wearer and outlive a stream. It ends by the same
        rules as if it had begun here.

    Attributes
    ----------
    due : int
        Stream index from which on `elapsed` is to be called, earlier only where a line is lost; 0
        in a second that began with a gap, since of its beats nothing else tells.
    """

    layout = Layout(
        "wearer conditions",
        3,
        _conditions=NESTED,
        _holds=dict[Kind, bool],
        _ended=Index,
        _whole_from=Index,
        due=Index,
    )

    def __init__(self, limits: AlarmLimits, holding: Collection[Kind] = ()) -> None:
        self._conditions = tuple(made(limits, holding) for made in CONDITIONS)
        # Asked for every second of every wearer: those that would answer nothing are left out.
        self._running = self._overriding("elapsed")
        self._of_seconds = self._overriding("second")[::-1]
        self._judging = self._overriding("judged")
        self._of_rhythms = self._overriding("rhythm")
        self._of_atrial = self._overriding("atrial")
        self._of_usual = self._overriding("usual")
        self._of_beats = self._overriding("beat")
        self._of_kind = {kind: one for one in self._conditions for kind in one.kinds}
        self._holds = dict.fromkeys(holding, True)
        self._ended = 0
        self._whole_from = 0
        self.due = 0

    def second(self, second: Second) -> list[Condition]:
        """Take the next whole second of the stream and return what changes by it."""
        # First what was due while it lasted: whether it had signal was not known then.
        changes = self._elapsed(second.end, second.strong, second.lost)
        self._ended = second.end
        holds: dict[Kind, bool] = {}
        for one in self._of_seconds:
            holds |= one.second(second)
        self._wait()
        return changes + self._change(holds, second.end)

    def elapsed(self, now: int, beats: Sequence[int], lost: int | None = None) -> list[Condition]:
        """Note how far the running second is: what must be told soon does not wait for its end.

        Parameters
        ----------
        now : int
            Stream index of the next sample.
        beats : sequence of int
            All beats confirmed since the last whole second that are not weak, in order. The second
            brings them again.
        lost : int or None
            Stream index from which on the line is lost; the second brings it again.
        """
        changes = self._elapsed(now, beats, lost)
        self._wait()
        return changes

    def judged(self, end: int, abnormal: bool | None) -> list[Condition]:
        """Take the model's verdict on the second that ended at index ``end``; None: not judged."""
        holds: dict[Kind, bool] = {}
        for one in self._judging:
            holds |= one.judged(abnormal)
        return self._change(holds, end)

    def rhythm(self, end: int, verdict: RhythmVerdict | None) -> list[Condition]:
        """Take the verdict on the rhythm up to index ``end``; None where it was not judged."""
        holds: dict[Kind, bool] = {}
        for one in self._of_rhythms:
            holds |= one.rhythm(end, verdict)
        self._wait()
        return self._change(holds, end)

    def atrial(self, end: int, fibrillation: float | None) -> list[Condition]:
        """Take the probability of atrial fibrillation at index ``end``; None if it is not known."""
        holds: dict[Kind, bool] = {}
        for one in self._of_atrial:
            holds |= one.atrial(fibrillation)
        return self._change(holds, end)

    def usual(self, end: int, likeness: float | None) -> list[Condition]:
        """Take how like that of the enrolment the usual beat is; see `SignalCondition.usual`."""
        holds: dict[Kind, bool] = {}
        for one in self._of_usual:
            holds |= one.usual(likeness)
        return self._change(holds, end)

    def beat(self, at: int, label: BeatClass, probability: float, rr: int | None) -> None:
        """Take a beat that a beat model has named; see `SignalCondition.beat`.

        Nothing changes by it at once: what follows from it, `elapsed` and `second` tell.
        """
        for one in self._of_beats:
            one.beat(at, label, probability, rr)
        self._wait()

    def withdraw(self, at: int) -> None:
        """Take that the beat at index ``at`` was none; see `SignalCondition.withdraw`."""
        for one in self._of_beats:
            one.withdraw(at)
        self._wait()

    def gap(self, first: int) -> None:
        """Note that samples before index ``first`` are missing; `first` is the next one.

        RR intervals and the silence of asystole start anew there. Nothing changes by it: the
        seconds that are missing are brought by `second`, before or after.
        """
        self._whole_from = -(-first // WINDOW) * WINDOW
        for one in self._conditions:
            one.gap(first)
        self._wait()

    def text(self, kind: Kind) -> str | None:
        """Return what a person reads of an alarm, with its limits; None for another's kind."""
        one = self._of_kind.get(kind)
        return one.text(kind) if one else None

    def priority(self, kind: Kind) -> Priority | None:
        """Return the priority of an alarm by the wearer's limits; None for another's kind."""
        one = self._of_kind.get(kind)
        return one.priority(kind) if one else None

    def _elapsed(self, now: int, beats: Sequence[int], lost: int | None) -> list[Condition]:
        changes: list[Condition] = []
        for one in self._running:
            for found in one.elapsed(now, beats, lost):
                changes += self._change({found.kind: found.holds}, found.at)
        return changes

    def _wait(self) -> None:
        whole = self._ended >= self._whole_from
        self.due = min(map(_DUE, self._running)) if whole else 0

    def _change(self, holds: Mapping[Kind, bool], at: int) -> list[Condition]:
        if holds.items() <= self._holds.items():
            return []
        changes = [
            Condition(kind, now, at)
            for kind, now in holds.items()
            if now != self._holds.get(kind, False)
        ]
        self._holds |= holds
        return sorted(changes, key=lambda change: not change.holds)

    def _overriding(self, method: str) -> list[SignalCondition]:
        """Return the conditions that do something in a method."""
        base = getattr(SignalCondition, method)
        return [one for one in self._conditions if getattr(type(one), method) is not base]
