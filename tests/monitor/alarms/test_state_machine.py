"""The machine of alarms against its table, with restarts and clocks that are set."""

import math

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ecgmon.core.constants import RATE
from ecgmon.core.errors import UsageError
from monitor.alarms.kinds import KINDS
from monitor.alarms.state_machine import LONGEST_PAUSE_S, AlarmStateMachine
from monitor.alarms.transitions import AlarmPause, Change
from viewer.model.alarm_sounds import PATTERNS, SILENCE, sound

BURST_S = 180
SOME = ("asystole", "extreme-low-rate", "abnormal", "noisy")
"""Two that latch, two that do not; few, so that they meet."""
steps = st.floats(0, 2) | st.sampled_from([0.0, 30.0, 3600.0, -0.5, -3600.0, -7200.0])


def seen(alarms):
    """All that can be seen of the machine."""
    return alarms.active, alarms.pauses, alarms.highest, alarms.holding


class Bedside(RuleBasedStateMachine):
    """Random events for the alarms of a wearer, and a model of the expected states."""

    def __init__(self):
        super().__init__()
        self.alarms = AlarmStateMachine()
        self.journal = []
        self.states = {}  # number -> (kind, state) of active alarms
        self.left = {}  # kind -> seconds that its pause has left
        self.now = 1e9
        self.last = None  # the latest time given to the machine
        self.numbers = 0
        self.ended = {}  # kind -> (number, at) of the last alarm, if it may come again in a burst
        self.counts = {}  # number -> how many times its condition has begun
        self.quiet = (0, 0)  # length of the journal and highest number when all was quiet
        self.sounding = SILENCE

    @initialize(now=st.floats(0, 2e9))
    def begin(self, now):
        self.now = now

    def of(self, kind):
        return next((n for n, (k, _) in self.states.items() if k == kind), None)

    def pass_time(self, step):
        self.now += step
        ended = []
        for kind in list(self.left):
            self.left[kind] -= max(self.now - self.last, 0.0)
            if self.left[kind] <= 1e-6:
                ended.append(kind)
                del self.left[kind]
        self.last = self.now
        return ended

    def check(self, transitions, ended, change=None):
        """Compare the messages with the pauses that should have ended and the other changes."""
        self.journal += transitions
        assert all(t.time == self.now for t in transitions)
        assert [
            t.kind for t in transitions if isinstance(t, AlarmPause) and t.until is None
        ] == ended
        changes = [t for t in transitions if isinstance(t, Change)]
        assert [(c.number, c.kind, c.state) for c in changes] == ([change] if change else [])
        assert all(c.count == self.counts[c.number] for c in changes)
        if change:
            number, kind, state = change
            self.states[number] = kind, state
            if state == "cleared":
                del self.states[number]
                if not KINDS[kind].latching:
                    self.ended[kind] = number, changes[0].at
        if not self.states and not self.left:
            self.quiet = len(self.journal), self.numbers

    @rule(
        kind=st.sampled_from(SOME),
        holds=st.booleans(),
        step=steps,
        at=st.integers(0, 2 * BURST_S * RATE),
    )
    def condition(self, kind, holds, step, at):
        ended = self.pass_time(step)
        number, change = self.of(kind), None
        state = self.states[number][1] if number else None
        if holds and state in (None, "latched"):
            last = self.ended.pop(kind, None)
            if number is None and last and 0 <= at - last[1] <= BURST_S * RATE:
                number = last[0]
            elif number is None:
                self.numbers += 1
                number = self.numbers
            self.counts[number] = self.counts.get(number, 0) + 1
            change = number, kind, "raised"
            if KINDS[kind].priority == "high" and self.left.pop(kind, None) is not None:
                ended.append(kind)
        elif not holds and state == "raised" and KINDS[kind].latching:
            change = number, kind, "latched"
        elif not holds and state in ("raised", "acknowledged"):
            change = number, kind, "cleared"
        transitions = self.alarms.condition(kind, holds, self.now, stream="ab", at=at)
        self.check(transitions, ended, change)
        if change:
            # The pause that it breaks through is over before it is raised.
            assert isinstance(transitions[-1], Change)
            assert (transitions[-1].at, transitions[-1].stream, transitions[-1].by) == (
                at,
                "ab",
                None,
            )
            assert transitions[-1].text == KINDS[kind].text

    @rule(data=st.data(), step=steps)
    def acknowledge(self, data, step):
        number = data.draw(st.integers(max(0, self.numbers - 4), self.numbers + 1))
        if number not in self.states:
            with pytest.raises(UsageError, match="stands no more"):
                self.alarms.acknowledge(number, "a nurse", self.now + step)
            return
        ended = self.pass_time(step)
        kind, state = self.states[number]
        became = {"raised": "acknowledged", "latched": "cleared"}.get(state)
        transitions = self.alarms.acknowledge(number, "a nurse", self.now)
        self.check(transitions, ended, became and (number, kind, became))
        assert not became or transitions[-1].by == "a nurse"

    @rule(kind=st.sampled_from(SOME), seconds=st.sampled_from([0, 1, 60, 3600]), step=steps)
    def pause(self, kind, seconds, step):
        ended = self.pass_time(step)
        if not seconds and self.left.pop(kind, None) is not None:
            ended.append(kind)
        transitions = self.alarms.pause(kind, seconds, "a nurse", self.now)
        if seconds:
            self.left[kind] = seconds
            assert transitions[-1] == AlarmPause(kind, self.now + seconds, "a nurse", self.now)
        self.check(transitions, ended)

    @rule(step=steps)
    def tick(self, step):
        self.check(self.alarms.tick(self.now + step), self.pass_time(step))

    @rule(data=st.data(), step=steps)
    def restart(self, data, step):
        """Go on from the journal: all of it, or since all was quiet, or the last of each."""
        since, highest = self.quiet
        last = {(type(t), getattr(t, "number", t.kind)): t for t in self.journal}
        what = data.draw(st.sampled_from(["all", "since all was quiet", "the last of each"]))
        if what == "all":
            self.alarms = AlarmStateMachine.from_transitions(self.journal)
        elif what == "the last of each":
            some = data.draw(st.permutations(list(last.values())))
            self.alarms = AlarmStateMachine.from_transitions(some)
        else:
            self.alarms = AlarmStateMachine.from_transitions(self.journal[since:], highest)
            known = {t.number for t in self.journal[since:] if isinstance(t, Change)}
            self.ended = {k: one for k, one in self.ended.items() if one[0] in known}
        # It has not seen the ticks since; what was left of a pause is counted from what it saw.
        self.last = max((p.time for p in self.alarms.pauses.values()), default=None)
        self.left = {kind: p.until - self.last for kind, p in self.alarms.pauses.items()}
        self.now += step
        if self.last is None:
            self.last = self.now

    @invariant()
    def what_stands_is_what_should(self):
        active = self.alarms.active
        assert {c.number: (c.kind, c.state) for c in active} == self.states
        assert len({c.kind for c in active}) == len(active)
        assert self.alarms.highest == self.numbers
        assert self.alarms.pauses.keys() == self.left.keys()

    @invariant()
    def a_restart_would_change_nothing(self):
        since, highest = self.quiet
        assert seen(AlarmStateMachine.from_transitions(self.journal)) == seen(self.alarms)
        assert seen(AlarmStateMachine.from_transitions(self.journal[since:], highest)) == seen(
            self.alarms
        )

    @invariant()
    def a_pause_never_lasts_longer_than_was_asked_for(self):
        for kind, pause in self.alarms.pauses.items():
            assert pause.until - self.last == pytest.approx(self.left[kind], abs=1e-5)
            assert self.left[kind] <= LONGEST_PAUSE_S + 1e-5  # rounding

    @invariant()
    def what_rings_is_neither_acknowledged_nor_paused(self):
        active = {("203", c.number): c for c in self.alarms.active}
        self.sounding = sound(active, {("203", kind) for kind in self.alarms.pauses}, self.sounding)
        loud = [
            KINDS[kind].priority
            for kind, state in self.states.values()
            if state in ("raised", "latched") and kind not in self.left
        ]
        assert self.sounding.priority == next((p for p in PATTERNS if p in loud), None)


TestBedside = Bedside.TestCase
TestBedside.settings = settings(max_examples=80, stateful_step_count=40)


def test_a_condition_reported_each_second_raises_one_alarm():
    alarms = AlarmStateMachine()
    transitions = [t for now in range(60) for t in alarms.condition("silent", True, now)]
    text = KINDS["silent"].text
    assert transitions == [Change(1, "silent", "medium", "raised", None, None, 0, text)]
    assert (transitions[0].priority, transitions[0].category) == ("medium", "technical")


def test_an_acknowledged_alarm_that_comes_again_is_a_new_one():
    alarms, transitions = AlarmStateMachine(), []
    transitions += alarms.condition("no-signal", True, 1, at=360)
    transitions += alarms.acknowledge(1, "a nurse", 2)
    transitions += alarms.condition("no-signal", False, 3, at=1080)
    transitions += alarms.condition("no-signal", True, 4, at=1440)
    assert [(t.number, t.state, t.at, t.by) for t in transitions] == [
        (1, "raised", 360, None),
        (1, "acknowledged", 360, "a nurse"),
        (1, "cleared", 1080, None),
        (2, "raised", 1440, None),
    ]
    with pytest.raises(UsageError, match="Alarm 1 stands no more"):
        alarms.acknowledge(1, "a nurse", 5)


def test_a_text_of_its_own_stays_with_an_alarm():
    alarms = AlarmStateMachine()
    transitions = alarms.condition("disk", True, 1, text="no space left")
    transitions += alarms.condition("disk", True, 2, text="something else")
    transitions += alarms.acknowledge(1, "a nurse", 3)
    transitions += alarms.condition("disk", False, 4)
    assert [t.text for t in transitions] == ["no space left"] * 3


def test_a_lethal_alarm_stays_until_it_is_acknowledged_and_may_begin_again_meanwhile():
    alarms = AlarmStateMachine()
    transitions = [t for now in range(6) for t in alarms.condition("asystole", now % 2 == 0, now)]
    transitions += alarms.acknowledge(1, "a nurse", 6)
    assert [t.number for t in transitions] == [1] * 7
    assert [t.state for t in transitions] == ["raised", "latched"] * 3 + ["cleared"]
    assert alarms.active == []


def test_a_pause_of_one_kind_leaves_the_others_alone():
    alarms = AlarmStateMachine()
    alarms.pause("noisy", 60, "a nurse", 0)
    assert [t.kind for t in alarms.condition("asystole", True, 1)] == ["asystole"]
    assert set(alarms.pauses) == {"noisy"}


def test_an_alarm_of_medium_priority_does_not_break_through_its_pause():
    alarms = AlarmStateMachine()
    alarms.pause("abnormal", 60, "a nurse", 0)
    assert [t.kind for t in alarms.condition("abnormal", True, 1)] == ["abnormal"]
    assert set(alarms.pauses) == {"abnormal"}


def test_a_pause_is_known_again_when_the_clock_is_set_back():
    alarms = AlarmStateMachine()
    alarms.pause("abnormal", 60, "a nurse", 7200)
    alarms.tick(7210)
    assert alarms.tick(3600) == [AlarmPause("abnormal", 3650, "a nurse", 3600)]
    assert alarms.tick(3649) == []
    assert alarms.tick(3650) == [AlarmPause("abnormal", None, None, 3650)]


def test_a_pause_does_not_grow_when_the_clock_was_set_back_during_a_restart():
    alarms = AlarmStateMachine()
    transitions = alarms.pause("abnormal", 60, "a nurse", 7200)
    restarted = AlarmStateMachine.from_transitions(transitions)
    assert restarted.tick(3600) == [AlarmPause("abnormal", 3660, "a nurse", 3600)]


def test_if_the_end_of_an_alarm_was_never_written_the_younger_one_of_its_kind_is_active():
    alarms = AlarmStateMachine()
    transitions = [t for now in range(3) for t in alarms.condition("silent", now % 2 == 0, now)]
    older, cleared, younger = transitions
    assert cleared.state == "cleared"
    assert AlarmStateMachine.from_transitions([younger, older]).active == [younger]


@pytest.mark.parametrize("seconds", [-1, 3601, math.inf, math.nan])
def test_a_pause_of_no_sensible_length_is_refused(seconds):
    alarms = AlarmStateMachine()
    alarms.pause("abnormal", 60, "a nurse", 0)
    with pytest.raises(UsageError, match="choose 0 to 3600 s"):
        alarms.pause("abnormal", seconds, "a nurse", 100)
    assert set(alarms.pauses) == {"abnormal"}, "a refused call changes nothing"


def test_re_arming_what_is_not_paused_changes_nothing():
    assert AlarmStateMachine().pause("abnormal", 0, "a nurse", 1) == []
