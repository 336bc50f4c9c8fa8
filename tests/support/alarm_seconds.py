"""A wearer with a scripted heart and scripted electrodes, pushed through in any pieces."""

from collections import defaultdict
from dataclasses import dataclass

from hypothesis import strategies as st

from ecgmon.core.constants import RATE
from ecgmon.signal import Second
from ecgmon.signal.qrs import CONFIRMED_AFTER
from monitor.alarms.conditions.base import Condition
from monitor.alarms.conditions.condition_set import WearerConditions

LOOK_AHEAD = RATE // 2


@dataclass(frozen=True)
class Happening:
    """The truth of a second: its signal, the model's verdict, the times of beats.

    ``lost`` is how many of its samples never arrive, from ``lost_from`` on.
    """

    state: str = "signal"
    abnormal: bool | None = False
    beats: tuple[int, ...] = (180,)
    lost_from: int = 0
    lost: int = 0


NORMAL, ABNORMAL = Happening(), Happening(abnormal=True)
STILL = Happening(beats=())
ABSENT, NOISY = (Happening(state, None, ()) for state in ("absent", "noisy"))
GAP = Happening("signal", None, (), 100, 100)

beats = st.lists(st.integers(0, RATE - 1), max_size=4, unique=True).map(sorted).map(tuple)
anything = st.builds(
    Happening,
    st.sampled_from(["signal", "signal", "signal", "noisy", "absent"]),
    st.sampled_from([False, True, None]),
    beats,
    st.integers(0, RATE // 2),
    st.sampled_from([0] * 9 + [1, 90, 180]),
)
stretches = st.lists(
    st.tuples(
        st.sampled_from([NORMAL, ABNORMAL, STILL, ABSENT, NOISY, GAP]) | anything,
        st.integers(1, 12),
    ),
    max_size=15,
).map(lambda parts: [second for second, times in parts for _ in range(times)])


@dataclass(frozen=True)
class PushedChange:
    """A condition, and how many samples of the stream had been pushed when it was reported."""

    condition: Condition
    known: int


def push(
    conditions: WearerConditions, happenings, cuts=(), *, when_due=False
) -> list[PushedChange]:
    """Push a wearer's stream, cut at these indices and where samples are lost.

    With ``when_due`` the conditions are asked only where they are due, and before a gap.
    """
    length = len(happenings) * RATE
    all_beats = [n * RATE + beat for n, h in enumerate(happenings) for beat in h.beats]
    gaps = {
        n * RATE + h.lost_from: n * RATE + h.lost_from + h.lost
        for n, h in enumerate(happenings)
        if h.lost
    }
    pushed: list[PushedChange] = []
    now = begun = 0  # the next sample, and the first one after what was lost last

    def confirmed(after, until):
        """Beats known from the samples before ``until`` and not from those before ``after``."""
        return tuple(
            beat
            for beat in all_beats
            if beat >= begun and max(after, begun) < beat + CONFIRMED_AFTER + 1 <= until
        )

    def pass_by(until, lost=False):
        """Tell of the seconds and verdicts that are due after ``now``, up to ``until``."""
        half = RATE // 2  # the chain stops at the ends of seconds and of look-aheads
        for at in range((now // half + 1) * half, until + 1, half):
            if at % RATE == 0:
                beats = () if lost else confirmed(at - RATE, at)
                second = Second(0, at, happenings[at // RATE - 1].state, beats)
                pushed.extend(PushedChange(change, at) for change in conditions.second(second))
            elif at > RATE:
                end = at - LOOK_AHEAD
                verdict = None if lost else happenings[end // RATE - 1].abnormal
                pushed.extend(
                    PushedChange(change, at) for change in conditions.judged(end, verdict)
                )

    for stop in sorted({*cuts, *gaps, length}):
        if not now <= stop <= length:
            continue  # a cut within what is lost
        pass_by(stop)
        now = stop
        if not when_due or now in gaps or now >= conditions.due:
            running = confirmed(now // RATE * RATE, now)
            pushed += [PushedChange(change, now) for change in conditions.elapsed(now, running)]
        if now in gaps:
            conditions.gap(gaps[now])
            pass_by(gaps[now], lost=True)
            now = begun = gaps[now]
    return pushed


def by_kind(pushed):
    """Return the changes of each kind, as (holds, at) in the order of their reports."""
    found = defaultdict(list)
    for one in pushed:
        found[one.condition.kind].append((one.condition.holds, one.condition.at))
    return dict(found)
