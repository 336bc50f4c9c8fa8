from datetime import datetime

import pytest

from ecgmon.core.constants import RATE
from tests.viewer.conftest import NOON
from viewer.terminal.render import Caption, render


def styles(state, word):
    """Return the styles of what holds a word."""
    lines = render(state, Caption(), 120, 40).lines()
    return [segment.style for line in lines for segment in line if word in segment.text]


def alarm_rows(text, state, width=120, height=24):
    rows = text(state, width, height, Caption())
    first = next(number for number, row in enumerate(rows) if row.startswith(" alarms: "))
    beside = 23 if width >= 60 else 0
    return [row[1 : width - 1 - beside].rstrip(" ─") for row in rows[first : first + 6]]


def test_alarms_are_listed_newest_first(monitor, fold, text):
    state = fold(
        [
            monitor.opened(),
            monitor.alarm(1, at=75 * RATE),
            monitor.alarm(2, at=80 * RATE, kind="noisy", priority="low", text="noise"),
            monitor.alarm(2, "cleared", at=90 * RATE, kind="noisy", priority="low", text="noise"),
            monitor.alarm(3, "acknowledged", at=82 * RATE, priority="medium", kind="abnormal"),
        ]
    )
    assert alarm_rows(text, state) == [
        "alarms: 2 active, 1 not acknowledged",
        "!!  medium   01:22 acknowledged abnormal: no beat for 4 seconds",
        "!   low      01:20 cleared      noisy: noise",
        "!!! high     01:15 raised       asystole: no beat for 4 seconds",
        "",
        "",
    ]
    assert alarm_rows(text, state, 80)[1:4] == [
        "!!  01:22 ack'd   no beat for 4 seconds",
        "!   01:20 cleared noise",
        "!!! 01:15 raised  no beat for 4 seconds",
    ]


def test_what_an_alarm_is_called_is_left_out_where_its_text_says_it(monitor, fold, text):
    run = "ventricular run: 3 to 4 beats in a row"
    state = fold(
        [
            monitor.opened(),
            monitor.alarm(1, at=75 * RATE, kind="ventricular-run", text=run),
            monitor.alarm(2, at=80 * RATE, kind="ectopics-minute", text="11 within a minute"),
        ]
    )
    rows = alarm_rows(text, state)
    assert rows[1].endswith("raised       ectopics-minute: 11 within a minute")
    assert rows[2].endswith(f"raised       {run}")


def test_a_burst_is_one_alarm_with_a_count_from_its_first_beginning_on(monitor, fold, text):
    known = {"kind": "high-rate", "priority": "medium", "text": "heart rate high"}
    changes = [("raised", 75, 1), ("cleared", 130, 1), ("raised", 170, 2)]
    state = fold(
        [
            monitor.opened(),
            *(monitor.alarm(4, s, at=at * RATE, count=n, **known) for s, at, n in changes),
        ]
    )
    assert alarm_rows(text, state)[:3] == [
        "alarms: 1 active, 1 not acknowledged",
        "!!  medium   01:15 raised       heart rate high (2 times)",
        "",
    ]


def test_an_active_alarm_is_never_pushed_out_by_newer_ones(monitor, fold, text):
    state = fold(
        [
            monitor.window(0),
            monitor.alarm(1, at=RATE),
            monitor.alarm(2, at=2 * RATE, priority="low"),
            monitor.alarm(3, "acknowledged", at=3 * RATE),
            *(
                monitor.alarm(n, "cleared", at=n * RATE, priority=["high", "low"][n % 2])
                for n in range(10, 40)
            ),
        ]
    )
    assert [row[13:31].split() for row in alarm_rows(text, state)[1:]] == [
        ["00:39", "cleared"],
        ["00:38", "cleared"],
        ["00:03", "acknowledged"],
        ["00:02", "raised"],
        ["00:01", "raised"],
    ]
    for number in range(3, 10):
        state.apply(monitor.alarm(number, at=(50 + number) * RATE, priority="medium"))
    assert alarm_rows(text, state)[-1].startswith("!!! high     00:01 raised")


def test_a_long_alarm_takes_the_rows_that_are_free(monitor, fold, text):
    long = "no signal for 3 seconds: check the electrodes"
    state = fold([monitor.opened(), monitor.alarm(1, at=0, text=long)])
    assert alarm_rows(text, state, 80)[1:4] == [
        "!!! 00:00 raised  no signal for 3 seconds: check the",
        "                  electrodes",
        "",
    ]
    state.apply(monitor.alarm(2, at=1, text=long * 4))
    heads = [row[:18].strip() for row in alarm_rows(text, state, 80)[1:]]
    assert heads == ["!!! 00:00 raised", "", "", "", "!!! 00:00 raised"]
    assert alarm_rows(text, state, 80)[-1].endswith("…")
    state = fold([monitor.alarm(1, "cleared", at=0, text=long)])
    assert [row.endswith("…") for row in alarm_rows(text, state, 80)[1:3]] == [True, False]


def test_an_alarm_without_a_place_in_the_stream_shown_has_the_time_of_day(
    monitor, other_stream, fold, text
):
    technical = {"kind": "silent", "priority": "medium", "category": "technical", "time": NOON}
    state = fold(
        [
            monitor.opened(),
            monitor.alarm(1, at=75 * RATE, time=NOON),
            monitor.alarm(2, at=None, **technical),
            other_stream.alarm(3, at=80 * RATE, time=NOON),
        ]
    )
    at = f"{datetime.fromtimestamp(NOON).astimezone():%Hh%M}"
    assert [row[4:9] for row in alarm_rows(text, state, 80)[1:4]] == [at, at, "01:15"]


def test_what_is_paused_and_what_only_waits_to_be_seen_says_so(monitor, fold, text):
    state = fold(
        [
            monitor.opened(),
            monitor.alarm(1, "latched"),
            monitor.alarm(2, kind="noisy", priority="low", text="noise"),
            monitor.paused("noisy", NOON + 92),
        ]
    )
    rows = {now: text(state, 80, 24, Caption(time=NOON + now)) for now in (0, 91, 92)}
    assert any("!   00:00 ‖1:32   noise" in row for row in rows[0])
    assert any("!   00:00 ‖0:01   noise" in row for row in rows[91])
    assert any("!   00:00 raised  noise" in row for row in rows[92])
    assert any("!!! 00:00 latched no beat" in row for row in rows[92])
    assert any("alarms: 2 active, 2 not acknowledged" in row for row in rows[92])
    state.apply(monitor.paused("noisy", None))
    assert any("raised  noise" in row for row in text(state, 80, 24, Caption(time=NOON)))


@pytest.mark.parametrize(("priority", "color"), [("high", 203), ("medium", 221), ("low", 80)])
def test_alarms_are_shown_in_colour_and_in_reverse(monitor, fold, priority, color):
    looks = {}
    for state in ("raised", "latched", "acknowledged", "cleared"):
        (style,) = styles(fold([monitor.alarm(1, state, priority=priority)]), "asystole")
        looks[state] = style.color.number, bool(style.reverse), bool(style.bold)
    assert looks == {
        "raised": (color, True, True),
        "latched": (color, True, True),
        "acknowledged": (color, False, True),
        "cleared": (245, False, False),
    }
