import pytest

from ecgmon.core.constants import RATE
from ecgmon.terminal.canvas import Look
from ecgmon.wire import messages
from tests.viewer.conftest import NOON, rows
from viewer.model.snapshot import FORGET_S, WEARERS, MonitorSnapshot
from viewer.terminal.overview import OverviewContext, explain, render


def situation(**given):
    return OverviewContext(
        **{"title": "tcp://here", "now": 0.0, "time": NOON, "last_message_at": NOON} | given
    )


@pytest.fixture
def snapshot():
    def snapshot(*received):
        snapshot = MonitorSnapshot()
        for message in received:
            snapshot.apply(message, 0.0)
        return snapshot

    return snapshot


@pytest.fixture
def ward(monitor, snapshot, own):
    """Five wearers: one well, one with an asystole, one paused, one noisy, one gone."""
    ann, ben, cem, dan, eva = map(type(monitor), ("ann", "ben", "cem", "dan", "eva"))
    return snapshot(
        ann.opened(),
        *(ann.window(n, heart_rate=61.6) for n in range(90)),
        ann.link(0.2),
        *(ben.window(n, heart_rate=None) for n in range(60)),
        *(ben.window(n, probability=0.9, heart_rate=None) for n in range(60, 75)),
        *(ben.window(n, heart_rate=None) for n in range(75, 90)),
        ben.link(0.3),
        ben.alarm(3, time=NOON - 12),
        ben.alarm(2, kind="abnormal", priority="medium", time=NOON - 30),
        ben.alarm(1, "acknowledged", time=NOON - 3700),
        cem.window(0, heart_rate=72),
        cem.alarm(1, kind="abnormal", priority="medium", text="abnormal beats", time=NOON - 61),
        cem.paused("abnormal", NOON + 92),
        dan.window(0, "noisy"),
        dan.link(4.25),
        dan.alarm(1, "latched", kind="noisy", priority="low", text="noise", time=NOON),
        eva.opened(),
        eva.closed(0),
        own(time=NOON - 5),
    )


def test_each_wearer_has_a_row_the_worst_first(ward):
    shown = rows(render(ward, situation(chosen="cem"), 100, 16))
    assert [" ".join(row.split()) for row in shown[1:8]] == [
        "the monitor: !! 0:05 the disk is full",
        "wearer signal HR alarm abnormal lag",
        "ben signal -- !!! 0:12 no beat for 4 seconds +2 ·······▁▁▄ 0.3 s",
        "→ cem signal 72 !! 1:01 ‖1:32 abnormal beats ·········▁",
        "dan noisy -- ! 0:00 latched noise ·········· 4.2 s",
        "ann signal 62 ·······▁▁▁ 0.2 s",
        "eva ended -- ··········",
    ]
    assert shown[0].startswith(" tcp://here")
    assert "  5 wearers  " in shown[0]
    assert shown[8].startswith(" alarms of cem: 1 active, 1 not acknowledged ─")
    assert shown[-1].startswith(
        " q quit   a acknowledge 1 alarm   ? help   p pause abnormal   r re"
    )


def test_alarms_have_a_colour_and_a_dimmer_one_once_acknowledged(ward):
    canvas = render(ward, situation(chosen="cem"), 100, 16)
    looks = [Look(canvas.looks[row, 22]) for row in range(3, 8)]
    assert looks[:3] == [Look.HIGH_RAISED, Look.MEDIUM, Look.LOW_RAISED]
    assert Look(canvas.looks[1, 20]) == Look.MEDIUM_RAISED
    assert Look(canvas.looks[5, 95]) == Look.WARNING  # a lag of four seconds


def test_nothing_old_is_shown_as_if_it_were_now(ward):
    shown = render(ward, situation(live=False, now=9.0, warnings=("NOT LIVE",)), 100, 16)
    text = rows(shown)
    assert "NOT LIVE" in text[1]
    for row in text[4:9]:
        assert row[9:20].split() == ["?", "--"]
        assert " s" not in row[93:]
    assert not set(shown.looks[4:9].ravel()) & {Look.HIGH_RAISED, Look.LOW_RAISED, Look.NORMAL}


def test_a_wearer_without_messages_is_silent(ward):
    shown = rows(render(ward, situation(now=20.0), 100, 16))
    assert all("silent  --" in row for row in shown[3:7])


@pytest.mark.parametrize(("width", "height"), [(60, 15), (80, 24), (200, 60), (20, 5), (1, 1)])
def test_many_wearers_scroll_and_the_chosen_one_is_always_seen(monitor, snapshot, width, height):
    ids = [f"wearer-{n:03}" for n in range(100)]
    many = snapshot(*(type(monitor)(wearer).window(0) for wearer in ids))
    for chosen in ids:
        canvas = render(many, situation(chosen=chosen), width, height)
        assert (canvas.width, canvas.height) == (width, height)
        if width >= 60:
            (row,) = (row for row in rows(canvas) if row.startswith("→"))
            assert f" {chosen} " in row
            assert "signal" in row
    last = rows(render(many, situation(chosen=ids[-1]), 60, 15))
    assert last[2].startswith("  wearer-08")
    assert "↑" in last[1]


def test_long_ids_keep_both_ends(monitor, snapshot):
    both = snapshot(*(type(monitor)(f"simulated-{x}").window(0) for x in ("normal", "noise-2")))
    names = [row[2:13].strip() for row in rows(render(both, situation(), 60, 15))[2:4]]
    assert names == ["simul…ise-2", "simul…ormal"]


def test_help_is_below_the_picture_and_covers_none_of_it(ward):
    def picture(width, height):
        return render(ward, situation(), width, height)

    for width, height in ((60, 15), (110, 30), (30, 5), (1, 1)):
        canvas = explain(picture, width, height)
        assert (canvas.width, canvas.height) == (width, height)
    shown = rows(explain(picture, 110, 30))
    assert "a acknowledges the chosen wearer's alarms" in "\n".join(shown)
    above = rows(picture(110, 30 - 5))
    assert shown[:-5] == above
    assert above[-1].startswith(" q quit   a acknowledge")


def test_hostile_texts_cannot_steer_the_terminal(monitor, snapshot):
    hostile = "\x1b]0;owned\x07\r\n\u202e心"
    canvas = render(snapshot(monitor.alarm(1, text=hostile, kind=hostile)), situation(), 80, 24)
    assert all(row.isprintable() and len(row) == 80 for row in rows(canvas))


def test_alarms_that_are_not_repeated_after_a_reconnection_are_over(monitor, own, snapshot):
    ben = type(monitor)("ben")
    before = [monitor.alarm(1), ben.alarm(1), ben.paused("noisy", NOON), own(7)]
    known = snapshot(*before)
    known.begin_again()
    for message in (ben.alarm(1), ben.paused("noisy", NOON)):
        known.apply(message, 1.0)
    known.apply(messages.Subscribed(repeated=True), 1.0)  # as every two seconds
    assert len(known.active()) == 3  # not before the snapshot is complete
    known.apply(messages.Subscribed(), 1.0)
    assert known.active() == {("ben", 1): ben.alarm(1)}
    assert known.paused(NOON - 1) == {("ben", "noisy")}
    known.apply(messages.Subscribed(), 1.0)  # as every two seconds
    assert len(known.active()) == 1


def test_wearers_are_forgotten_but_never_one_with_an_alarm(monitor):
    snapshot = MonitorSnapshot()
    snapshot.apply(monitor.alarm(1), 0.0)
    for number in range(WEARERS + 5):
        snapshot.apply(type(monitor)(f"w{number}").window(0), 1.0 + number)
    assert len(snapshot.wearers) == WEARERS
    assert {"203", f"w{WEARERS + 4}"} < snapshot.wearers.keys()
    snapshot = MonitorSnapshot()
    for message in (monitor.opened(), monitor.closed(RATE)):
        snapshot.apply(message, 0.0)
    snapshot.apply(type(monitor)("ben").window(0), FORGET_S - 1)
    assert "203" in snapshot.wearers
    snapshot.apply(type(monitor)("cem").window(0), FORGET_S + 1)
    assert snapshot.wearers.keys() == {"ben", "cem"}
