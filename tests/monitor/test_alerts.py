"""The alerts against a plain reading of their rules, second by second."""

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.alerts import PRIORITY, AlertRules, Alerts, Hysteresis, Second

RATE = 360


@dataclass(frozen=True)
class Happening:
    """What truly happens in a second: the state, whether it is abnormal, when hearts beat."""

    state: str = "signal"
    abnormal: bool | None = False
    beats: tuple[int, ...] = (180,)
    gap: bool = False


NORMAL, ABNORMAL = Happening(), Happening(abnormal=True)
STILL = Happening(beats=())
ABSENT, NOISY = (Happening(state, None, ()) for state in ("absent", "noisy"))
GAP = Happening(abnormal=None, beats=(), gap=True)

beats = st.lists(st.integers(0, RATE - 1), max_size=2, unique=True).map(sorted).map(tuple)
anything = st.builds(
    Happening,
    st.sampled_from(["signal", "signal", "signal", "noisy", "absent"]),
    st.sampled_from([False, True, None]),
    beats,
    st.sampled_from([False] * 9 + [True]),
)
stretches = st.lists(
    st.tuples(
        st.sampled_from([NORMAL, ABNORMAL, STILL, ABSENT, NOISY, GAP]) | anything,
        st.integers(1, 12),
    ),
    max_size=25,
).map(lambda parts: [second for second, times in parts for _ in range(times)])
hysteresis = st.integers(1, 12).flatmap(
    lambda n: st.builds(Hysteresis, st.integers(1, n), st.just(n), st.integers(1, 40))
)
rules = st.just(AlertRules()) | st.builds(AlertRules, hysteresis, hysteresis, hysteresis)


def observed(happenings):
    """Say of each second what the monitor knows of it; beats are counted across gaps."""
    count = last = 0
    for number, happening in enumerate(happenings):
        start = number * RATE
        if happening.gap:
            last = start + RATE
        for beat in happening.beats:
            count, last = count + 1, start + beat
        known_beat = start + RATE if happening.gap else last
        yield Second(start + RATE, happening.state, happening.abnormal, known_beat, count)


def k_of_n(flags, rule):
    """Raise where k of the last n hold, none from before it was last cleared."""
    changes, since, standing = {}, 0, False
    for second in range(len(flags)):
        if not standing:
            if sum(flags[max(since, second - rule.n + 1) : second + 1]) >= rule.k:
                changes[second] = "raised"
                standing = True
        elif second + 1 >= rule.clear and not any(flags[second + 1 - rule.clear : second + 1]):
            changes[second] = "cleared"
            standing, since = False, second + 1
    return changes


def asystole(happenings):
    """Raise after 4 s of signal without a beat; clear at the second beat, or without signal."""
    changes, standing, again = {}, False, 0
    silent_since = None  # the last beat, or the start of signal, or the end of a gap
    for second, happening in enumerate(happenings):
        start, end = second * RATE, (second + 1) * RATE
        if happening.state != "signal":
            silent_since = None
            if standing:
                changes[second] = "cleared"
                standing = False
            # Beats may be found in noise. They count when the signal comes back within 4 s.
            continue
        if silent_since is None:
            silent_since = start
        if happening.gap:
            silent_since = end
        if happening.beats:
            silent_since = max(silent_since, start + happening.beats[-1])
            again += len(happening.beats)
        if standing and again >= 2:
            changes[second] = "cleared"
            standing = False
        elif not standing and end - silent_since >= 4 * RATE:
            changes[second] = "raised"
            standing, again = True, 0
    return changes


def expected(happenings, rule):
    return {
        "abnormal": k_of_n([h.abnormal is True for h in happenings], rule.abnormal),
        "no-signal": k_of_n([h.state == "absent" for h in happenings], rule.no_signal),
        "noisy": k_of_n([h.state == "noisy" for h in happenings], rule.noisy),
        "asystole": asystole(happenings),
    }


def run(happenings, rule):
    alerts = Alerts(rule)
    return [change for second in observed(happenings) for change in alerts.observe(second)]


def by_kind(changes):
    found = {kind: {} for kind in PRIORITY}
    for change in changes:
        found[change.kind][change.at // RATE - 1] = change.state
    return found


@settings(max_examples=300)
@given(stretches, rules)
@example([ABNORMAL] * 3 + [NORMAL] * 40 + [ABNORMAL] * 3, AlertRules())
@example([ABNORMAL, NORMAL] * 3, AlertRules(abnormal=Hysteresis(3, 10, 1)))
@example([*[NORMAL] * 9, *[STILL] * 6, GAP, *[NORMAL] * 6], AlertRules())
@example([*[STILL] * 3, ABSENT, *[STILL] * 5], AlertRules())
def test_alerts_are_raised_and_cleared_by_the_rules(happenings, rule):
    assert by_kind(run(happenings, rule)) == expected(happenings, rule)


@settings(max_examples=150)
@given(stretches, rules, st.data())
def test_each_alert_is_raised_once_acknowledged_at_most_once_and_cleared_once(
    happenings, rule, data
):
    alerts, changes, standing = Alerts(rule), [], {}
    for second in observed(happenings):
        for change in alerts.observe(second):
            changes.append(change)
            if change.state == "raised":
                assert change.kind not in {c.kind for c in standing.values()}
                standing[change.alert] = change
            else:
                assert standing.pop(change.alert).kind == change.kind
        if data.draw(st.booleans()):
            wanted = data.draw(st.integers(-1, len(changes) + 1))
            known = standing.get(wanted)
            change = alerts.acknowledge(wanted, "a nurse", second.end + 5)
            assert (change is not None) == (known is not None and known.state == "raised")
            if change is not None:
                assert (change.kind, change.by) == (known.kind, "a nurse")
                assert (change.state, change.at) == ("acknowledged", second.end + 5)
                standing[wanted] = change
                changes.append(change)
        assert {change.alert: change for change in alerts.standing} == standing

    raised = [change.alert for change in changes if change.state == "raised"]
    assert raised == list(range(1, len(raised) + 1))
    for alert in raised:
        mine = [change for change in changes if change.alert == alert]
        states = [change.state for change in mine]
        assert states == [s for s in ("raised", "acknowledged", "cleared") if s in states]
        assert len({(change.kind, change.priority, change.text) for change in mine}) == 1
        assert mine[0].priority == PRIORITY[mine[0].kind]


@given(stretches, stretches, rules)
def test_the_past_decides_alone_and_equal_seconds_give_equal_alerts(happenings, more, rule):
    once = run(happenings, rule)
    assert run(happenings, rule) == once
    assert run(happenings + more, rule)[: len(once)] == once


def test_an_acknowledged_alert_that_comes_again_is_a_new_one():
    alerts, seconds = Alerts(AlertRules()), list(observed([ABSENT] * 5 + [NORMAL] * 5))
    again = list(observed([ABSENT] * 5 + [NORMAL] * 5 + [ABSENT] * 5))[10:]
    first = [change for second in seconds[:5] for change in alerts.observe(second)]
    acknowledged = alerts.acknowledge(1, "a nurse", 1900)
    later = [change for second in [*seconds[5:], *again] for change in alerts.observe(second)]
    assert [(c.alert, c.state) for c in [*first, acknowledged, *later]] == [
        (1, "raised"),
        (1, "acknowledged"),
        (1, "cleared"),
        (2, "raised"),
    ]
    assert alerts.acknowledge(1, "a nurse", 9999) is None


def test_asystole_waits_four_seconds_after_the_signal_came_back():
    for lost in (ABSENT, NOISY):
        for silent in range(1, 4):
            changes = run([*[NORMAL] * 3, *[STILL] * silent, lost, *[STILL] * 4], AlertRules())
            assert [(c.kind, c.at) for c in changes] == [("asystole", (3 + silent + 5) * RATE)]


def test_a_gap_during_asystole_does_not_make_it_stand_for_ever():
    happenings = [*[NORMAL] * 500, *[STILL] * 8, GAP, *[NORMAL] * 3]
    changes = run(happenings, AlertRules())
    assert [(c.kind, c.state) for c in changes] == [("asystole", "raised"), ("asystole", "cleared")]
    assert changes[1].at == (500 + 8 + 1 + 2) * RATE


def test_an_alert_never_flaps_when_it_clears_faster_than_it_is_raised():
    rule = AlertRules(abnormal=Hysteresis(3, 60, 2))
    changes = run([*[ABNORMAL] * 3, *[NORMAL] * 57], rule)
    assert [(c.state, c.at // RATE) for c in changes] == [("raised", 3), ("cleared", 5)]
    assert all(a.at < b.at for a, b in pairwise(changes))
