"""Named rhythms: conditions from labelled beats, and from the shape of the signal."""

from bisect import insort
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, ClassVar, Final, NamedTuple

import msgspec

from ecgmon.core.alarm_kinds import Kind, Priority, Properties
from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import RATE
from ecgmon.core.labels import BeatClass
from ecgmon.core.rhythm_limits import RhythmLimits
from ecgmon.core.rhythm_rules import LETTERS
from ecgmon.core.rhythm_verdict import RhythmVerdict
from ecgmon.core.state import NESTED, Index, Layout
from ecgmon.signal import Second
from monitor.alarms.conditions.base import SETTLED, Condition, SignalCondition
from monitor.alarms.conditions.beat_patterns import SHAPE
from monitor.alarms.conditions.rhythm_announcements import RhythmAnnouncements
from monitor.alarms.conditions.rhythm_table import Row, table
from monitor.alarms.conditions.waveform import VentricularWaveform

_MOST_EVENTS: Final = 1000
"""Most events that a state may hold; beats of `SETTLED` samples are some eight."""


class _Event(NamedTuple):
    """A beat with its letter, or an interruption, which has none and comes first."""

    at: Index
    letter: Annotated[str, msgspec.Meta(max_length=1)] = ""
    rr: Index | None = None


def _place(event: _Event) -> tuple[int, bool]:
    return event.at, bool(event.letter)


def _properties(row: Row) -> Properties:
    priority: Priority = "low" if row.level == "off" else row.level  # by default none is off
    return Properties(priority, "physiological", priority == "high", row.text)


class NamedRhythms(SignalCondition):
    """The rows of `rhythm_table`, from beats that are certain.

    A beat counts `SETTLED` samples after its R peak, when it can no longer be withdrawn: noise that
    looked like a beat raises no alarm. Nothing reaches across a second without usable signal, a gap
    or a withdrawn beat. Ventricular fibrillation and tachycardia begin by the signal's shape, too
    (`VentricularWaveform`), whether or not beats are labelled.

    Parameters
    ----------
    limits : AlarmLimits
        The limits.
    holding : collection of Kind
        What held before the stream began.
    """

    kinds: ClassVar[Mapping[Kind, Properties]] = {
        row.kind: _properties(row) for row in table(RhythmLimits())
    }
    layout = Layout(
        "named rhythms",
        4,
        _table=NESTED,
        _waveform=NESTED,
        _events=Annotated[list[_Event], msgspec.Meta(max_length=_MOST_EVENTS)],
        _known=Index,
        _due=Index,
    )

    def __init__(self, limits: AlarmLimits, holding: Collection[Kind] = ()) -> None:
        super().__init__(limits, holding)
        self._rows = {row.kind: row for row in table(limits.rhythms)}
        self._table = RhythmAnnouncements(limits.rhythms, {*holding} & {*self.kinds})
        self._waveform = VentricularWaveform()
        self._events: list[_Event] = []
        self._known = -1
        self._due = self._table.due

    def beat(self, at: int, label: BeatClass, probability: float, rr: int | None) -> None:
        """Take a beat; one that comes too late counts for nothing."""
        self._add(_Event(at, LETTERS[label], rr))

    def withdraw(self, at: int) -> None:
        """Take a beat back; nothing reaches across its place."""
        kept = [event for event in self._events if event.at != at or not event.letter]
        if len(kept) < len(self._events):
            self._events = kept
            self._add(_Event(at))

    @property
    def due(self) -> int:
        """When the next beat is certain, or what holds ends."""
        return self._due + SETTLED

    def elapsed(self, now: int, beats: Sequence[int], lost: int | None) -> list[Condition]:
        """Take how far the stream is."""
        known = now - SETTLED
        if known < self._due:
            return []
        changes: list[Condition] = []
        while self._events and self._events[0].at <= known:
            at, letter, rr = self._events.pop(0)
            changes += self._table.beat(at, letter, rr) if letter else self._table.interrupt(at)
        changes += self._table.advance(known)
        self._known = known
        self._wait()
        return changes

    def rhythm(self, end: int, verdict: RhythmVerdict | None) -> Mapping[Kind, bool]:
        """Take the verdict on the rhythm; it counts at once."""
        if verdict is None:
            self._waveform.interrupt()
            return {}
        shown = self._waveform.add(verdict.tachycardia, verdict.fibrillation)
        if shown is None or not self._table.show(shown, end):
            return {}
        self._wait()
        return {shown: True}

    def second(self, second: Second) -> Mapping[Kind, bool]:
        """Take whether a second was usable."""
        if second.state != "signal":
            self._add(_Event(second.end - RATE))
            self._add(_Event(second.end))
        return {}

    def gap(self, first: int) -> None:
        """Take that samples before index ``first`` are missing."""
        self._waveform.interrupt()
        if self._known < 0:
            self._table.begin(first)
        self._add(_Event(first))

    def priority(self, kind: Kind) -> Priority:
        """Return the priority that the wearer's limits give a kind."""
        level = self._rows[kind].level
        return super().priority(kind) if level == "off" else level

    def text(self, kind: Kind) -> str:
        """Return the text with what it rests on."""
        rests_on = SHAPE if self._table.is_shown(kind) else self._rows[kind].pattern.limit
        return f"{super().text(kind)}: {rests_on}"

    def _add(self, event: _Event) -> None:
        events = self._events
        if event.at > self._known:
            if not events or event.at > events[-1].at:
                events.append(event)
            elif event not in events:
                insort(events, event, key=_place)
        self._wait()

    def _wait(self) -> None:
        """Note when something is due next."""
        due = self._table.due
        self._due = min(due, self._events[0].at) if self._events else due
