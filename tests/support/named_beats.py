"""Labelled beats pushed through the conditions of named rhythms, as a beat model brings them."""

from collections import defaultdict
from typing import NamedTuple

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.rhythm_limits import RhythmLimits
from ecgmon.signal import Second
from monitor.alarms.conditions.base import SETTLED
from monitor.alarms.conditions.rhythms import NamedRhythms

LATENCY = 216
"""Most samples from an R peak to the beat's label, 0.6 s."""


class NamedBeat(NamedTuple):
    """A beat: sample, class, RR interval before it; ``withdrawn`` if it was no beat."""

    at: int
    label: str
    rr: int | None
    withdrawn: bool = False


def beats(text, first=1000):
    """Read beats such as ``N300 V150``: each class with the RR interval before it."""
    made, at = [], first
    for number, word in enumerate(text.split()):
        rr = int(word[1:])
        at += rr if number else 0
        made.append(NamedBeat(at, word[0], rr if number else None))
    return made


def push(named, given_beats, noisy=(), gaps=(), until=None, cuts=(), delays=(0,), often=False):
    """Bring beats, noisy seconds (their ends) and gaps (their ends); return what changes.

    ``often``: what changes is looked for each time that something comes, and not only at ``cuts``.
    """
    schedule = []
    for number, one in enumerate(given_beats):
        delay = delays[number % len(delays)]
        schedule.append((one.at + delay, 1, "beat", one))
        if one.withdrawn:
            schedule.append((one.at + (SETTLED - 1 if number % 2 else delay), 2, "withdraw", one))
    schedule += [(end, 3, "noisy", end) for end in noisy]
    schedule += [(first, 0, "gap", first) for first in gaps]
    last = max((when for when, *_ in schedule), default=0)
    schedule += [(cut, 4, "look", cut) for cut in (*cuts, until or last + SETTLED)]
    changes = []
    for when, _, what, of in sorted(schedule, key=lambda item: item[:2]):
        if often or what in ("noisy", "look"):
            changes += named.elapsed(when, (), None)
        if what == "beat":
            named.beat(of.at, of.label, 0.9, of.rr)
        elif what == "withdraw":
            named.withdraw(of.at)
        elif what == "noisy":
            named.second(Second(0, of, "noisy", ()))
        elif what == "gap":
            named.gap(of)
    return changes


def by_kind(changes):
    """Return the changes of each kind, as (holds, at) in the order of their reports."""
    found = defaultdict(list)
    for change in changes:
        found[change.kind].append((change.holds, change.at))
    return dict(found)


def begun(text, limits=None, **how):
    """Return what begins with beats such as ``N300 V150``: each kind, and with which beat."""
    given_beats = text if isinstance(text, list) else beats(text)
    places = {one.at: number for number, one in enumerate(given_beats, 1)}
    named = NamedRhythms(AlarmLimits(rhythms=limits or RhythmLimits()))
    return [
        (change.kind, places.get(change.at, change.at))
        for change in push(named, given_beats, **how)
        if change.holds
    ]
