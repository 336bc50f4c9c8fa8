import pytest

from ecgmon.grid import RATE
from monitor.view.render import Caption, render


def styles(state, word):
    """Return the styles of what holds a word."""
    lines = render(state, Caption(), 120, 40).lines()
    return [segment.style for line in lines for segment in line if word in segment.text]


def alert_rows(text, state, width=120, height=24):
    rows = text(state, width, height, Caption())
    first = next(number for number, row in enumerate(rows) if row.startswith(" alerts: "))
    beside = 23 if width >= 60 else 0
    return [row[1 : width - 1 - beside].rstrip(" ─") for row in rows[first : first + 6]]


def test_alerts_are_listed_newest_first(monitor, fold, text):
    state = fold(
        [
            monitor.alert(1, at=75 * RATE),
            monitor.alert(2, at=80 * RATE, kind="noisy", priority="low", text="noise"),
            monitor.alert(2, "cleared", at=90 * RATE, kind="noisy", priority="low", text="noise"),
            monitor.alert(3, "acknowledged", at=82 * RATE, priority="medium", kind="abnormal"),
        ]
    )
    assert alert_rows(text, state) == [
        "alerts: 2 standing, 1 not acknowledged",
        "!!  medium   01:22 acknowledged abnormal: no beat for 4 seconds",
        "!   low      01:20 cleared      noisy: noise",
        "!!! high     01:15 raised       asystole: no beat for 4 seconds",
        "",
        "",
    ]
    assert alert_rows(text, state, 80)[1:4] == [
        "!!  01:22 ack'd   no beat for 4 seconds",
        "!   01:20 cleared noise",
        "!!! 01:15 raised  no beat for 4 seconds",
    ]


def test_a_standing_alert_is_never_pushed_out_by_newer_ones(monitor, fold, text):
    state = fold(
        [
            monitor.alert(0, at=RATE),
            monitor.alert(1, at=2 * RATE, priority="low"),
            monitor.alert(2, "acknowledged", at=3 * RATE),
            *(
                monitor.alert(n, "cleared", at=n * RATE, priority=["high", "low"][n % 2])
                for n in range(10, 40)
            ),
        ]
    )
    assert [row[13:31].split() for row in alert_rows(text, state)[1:]] == [
        ["00:39", "cleared"],
        ["00:38", "cleared"],
        ["00:03", "acknowledged"],
        ["00:02", "raised"],
        ["00:01", "raised"],
    ]
    for number in range(3, 10):
        state.apply(monitor.alert(number, at=(50 + number) * RATE, priority="medium"))
    assert alert_rows(text, state)[-1].startswith("!!! high     00:01 raised")


def test_a_long_alert_takes_the_rows_that_are_free(monitor, fold, text):
    long = "no signal for 3 seconds: check the electrodes"
    state = fold([monitor.alert(1, at=0, text=long)])
    assert alert_rows(text, state, 80)[1:4] == [
        "!!! 00:00 raised  no signal for 3 seconds: check the",
        "                  electrodes",
        "",
    ]
    state.apply(monitor.alert(2, at=1, text=long * 4))
    heads = [row[:18].strip() for row in alert_rows(text, state, 80)[1:]]
    assert heads == ["!!! 00:00 raised", "", "", "", "!!! 00:00 raised"]
    assert alert_rows(text, state, 80)[-1].endswith("…")
    state = fold([monitor.alert(1, "cleared", at=0, text=long)])
    assert [row.endswith("…") for row in alert_rows(text, state, 80)[1:3]] == [True, False]


@pytest.mark.parametrize(("priority", "color"), [("high", 203), ("medium", 221), ("low", 80)])
def test_alerts_stand_out_by_colour_and_in_reverse(monitor, fold, priority, color):
    looks = {}
    for state in ("raised", "acknowledged", "cleared"):
        (style,) = styles(fold([monitor.alert(1, state, priority=priority)]), "asystole")
        looks[state] = style.color.number, bool(style.reverse), bool(style.bold)
    assert looks == {
        "raised": (color, True, True),
        "acknowledged": (color, False, True),
        "cleared": (245, False, False),
    }
