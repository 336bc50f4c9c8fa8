from ecgmon.terminal.canvas import Look
from ecgmon.terminal.paper import GUTTER
from viewer.terminal.render import Caption, render


def strip(text, state):
    """Return the bars of the strip, the newest last, without the labels left of them."""
    rows = text(state, 120, 24, Caption())
    first = next(number for number, row in enumerate(rows) if "abnormal probability" in row) + 1
    return [row[GUTTER + 1 : -1] for row in rows[first : first + 3]]


def strip_looks(text, state):
    """Return the looks of the foot of each bar."""
    rows = text(state, 120, 24, Caption())
    foot = next(number for number, row in enumerate(rows) if "abnormal probability" in row) + 3
    return render(state, Caption(), 120, 24).looks[foot, GUTTER + 1 : -1]


def test_the_strip_shows_a_probability_of_0_and_none_differently(monitor, fold, text):
    seconds = [(0.0, "signal"), (None, "signal"), (0.0, "noisy"), (0.0, "absent"), (1.0, "signal")]
    state = fold(
        monitor.window(2 * number + second, verdict, probability)
        for number, (probability, verdict) in enumerate(seconds)
        for second in (0, 1)
    )
    assert [row[-5:] for row in strip(text, state)] == ["    █", "    █", "▁·░╌█"]


def test_the_strip_shows_the_worst_of_a_columns_seconds(monitor, fold, text):
    abnormal, normal, noisy = [(0.98, "signal"), (0.1, "signal"), (None, "noisy")]
    seconds = [abnormal, noisy, noisy, normal, normal, abnormal, normal, normal]
    state = fold(monitor.window(n, state, p) for n, (p, state) in enumerate(seconds))
    assert [row[-4:] for row in strip(text, state)] == ["█ █ ", "█ █ ", "█░█▃"]
    assert [Look(look) for look in strip_looks(text, state)[-4:]] == [
        Look.ABNORMAL,
        Look.UNUSABLE,
        Look.ABNORMAL,
        Look.NORMAL,
    ]


def test_the_strip_has_a_time_axis_where_there_is_room(monitor, fold, text):
    state = fold([monitor.window(second) for second in range(140)])
    rows = text(state, 120, 40, Caption())
    (axis,) = (row for row in rows if "╵01:00" in row)
    assert [axis.index(f"╵0{minute}:00") for minute in range(3)] == [49, 79, 109]
    assert axis.count("╵") == 3


def test_the_strip_shows_the_threshold(monitor, fold, text):
    state = fold([monitor.opened(threshold=0.5), monitor.window(0)])
    rows = text(state, 80, 24)
    assert [row for row in rows if "0.50 ┄┄┄" in row]
    assert not [row for row in text(fold([monitor.window(0)]), 80, 24) if "┄" in row]
