import io
import re
import statistics
import time
from itertools import pairwise

import pytest
from rich.cells import cell_len
from rich.console import Console

from monitor.view.canvas import Look
from monitor.view.ecg import CELLS_PER_SECOND, GUTTER, SAMPLES_PER_CELL
from monitor.view.render import SILENT_S, Caption, render
from monitor.view.state import STALE_S
from monitor.view.trace import RATE

SIZES = [(20, 5), (1, 1), (5, 60), (200, 3), (59, 20), (80, 24), (120, 40), (200, 60)]
CONTROL = re.compile(r"\x1b\[[0-9;]*m")
CAPTION = Caption(
    "mitdb/203", "SIMULATED WEARER - this is not record 203", "balanced accuracy 0.97"
)


@pytest.fixture(scope="session")
def eventful(monitor, fold):
    """A state with everything in it."""
    return fold(
        [
            monitor.opened(),
            *monitor.seconds(0, 120),
            monitor.link(received=40_000, missing=1_080, repeated=12),
            monitor.window(113, probability=0.93),
            monitor.window(114, "noisy"),
            monitor.window(115, "absent"),
            monitor.window(116, probability=None),
            monitor.gap(117 * RATE, 720),
            *(monitor.alert(number, "cleared", at=number * RATE) for number in range(20)),
            monitor.alert(20, at=100 * RATE, priority="low", kind="noisy"),
            monitor.alert(21, "acknowledged", at=90 * RATE, priority="medium", kind="no-signal"),
        ]
    )


def text(state, width=120, height=40, caption=CAPTION):
    """Return the picture without colour, row by row."""
    lines = render(state, caption, width, height).lines()
    return ["".join(segment.text for segment in line) for line in lines]


def drawn(cells):
    """Tell whether any of the cells holds braille."""
    return any(ord(cell) > 0x2800 for cell in cells)


def styles(state, word, caption=CAPTION):
    """Return the styles of what holds a word."""
    lines = render(state, caption, 120, 40).lines()
    return [segment.style for line in lines for segment in line if word in segment.text]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1"])
@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}], ids=["colour", "no colour"])
def test_the_picture_has_the_size_of_the_terminal(eventful, width, height, encoding, environment):
    written = io.BytesIO()
    console = Console(
        file=io.TextIOWrapper(written, encoding=encoding, write_through=True),
        force_terminal=True,
        color_system="256",
        width=width,
        height=height,
        _environ=environment,
    )
    console.print(render(eventful, CAPTION, width, height), end="")
    printed = written.getvalue().decode(encoding)
    assert ("38;5;" in printed) == (not environment)
    lines = CONTROL.sub("", printed).removesuffix("\n").split("\n")
    assert [cell_len(line) for line in lines] == [width] * height
    assert encoding == "utf-8" or printed.isascii()


def test_every_verdict_can_be_read_without_colour(eventful):
    picture = "\n".join(text(eventful))
    for words in (" abnormal 0.93 ", "░ noisy ░", "╌ absent ╌", " unclassified ", " gap 2.0 s "):
        assert words in picture


def test_the_trace_is_coloured_by_what_was_said_of_it(monitor, fold):
    trace = [monitor.trace(0, [300] * 4 * RATE)]
    said = {
        "pending": [],
        "normal": [monitor.window(3)],
        "abnormal": [monitor.window(3, probability=0.9)],
        "noisy": [monitor.window(3, "noisy")],
    }
    looks = {}
    for name, windows in said.items():
        canvas = render(fold(trace + windows), Caption(), 80, 24)
        (row,) = (row for row in range(24) if drawn(chr(canvas.codes[row, 78])))
        looks[name] = Look(canvas.looks[row, 78])
    assert looks == {
        "pending": Look.PENDING,
        "normal": Look.NORMAL,
        "abnormal": Look.ABNORMAL,
        "noisy": Look.UNUSABLE,
    }


def test_a_mark_that_leaves_the_screen_never_turns_into_another(monitor, fold):
    marks = set()
    for offset in range(0, 8 * RATE, SAMPLES_PER_CELL):
        state = fold(
            [
                monitor.window(10, probability=0.93),
                monitor.window(11, probability=None),
                monitor.window(12, "noisy"),
                monitor.trace(13 * RATE + offset, [0]),
            ]
        )
        rows = text(state, 80, 24, Caption())
        axis = next(number for number, row in enumerate(rows) if "╵" in row)
        marks.update(rows[axis - 1].replace("░", " ").replace("·", " ").split())
    assert marks == {"abnormal", "0.93", "abn", "!", "unclassified", "noisy"}


def test_the_trace_moves_by_whole_cells_and_keeps_its_shape(monitor, fold):
    seconds = list(monitor.seconds(0, 20))
    before = text(fold(seconds), 80, 24)
    after = text(fold([*seconds, monitor.trace(20 * RATE, [0] * SAMPLES_PER_CELL)]), 80, 24)
    rows = range(2, 9)
    assert any("⡇" in before[row] or "⢸" in before[row] for row in rows)
    # The first cell leaves; the last one had no following sample to be joined to.
    for row in rows:
        assert before[row][GUTTER + 2 : -3] == after[row][GUTTER + 1 : -4]


def test_the_newest_sample_is_at_the_right(monitor, fold):
    rows = text(fold([monitor.trace(0, [400] * SAMPLES_PER_CELL)]), 80, 24, Caption())
    trace = [row for row in rows[1:9] if drawn(row[GUTTER + 1 :])]
    assert len(trace) == 1
    assert trace[0].rstrip()[-1] in "⠉⠒⠤⣀"
    assert len(trace[0].rstrip()) == 79


def test_a_beat_of_1_mv_is_as_high_as_the_calibration_pulse(monitor, fold):
    rows = text(fold(monitor.seconds(0, 10)), 120, 40, Caption())
    pulse = [n for n, row in enumerate(rows) if drawn(row[1:4])]
    beats = [n for n, row in enumerate(rows) if drawn(row[GUTTER + 1 :])]
    assert len(pulse) > 5
    assert pulse == beats


def test_a_second_is_as_wide_as_its_window_says(monitor, fold):
    rows = text(fold(monitor.seconds(0, 20)), 80, 24)
    axis = next(row for row in rows if "╵" in row)
    ticks = [column for column, cell in enumerate(axis) if cell == "╵"]
    assert {after - before for before, after in pairwise(ticks)} == {CELLS_PER_SECOND}
    assert "╵00:18" in axis


def strip(state, width=120):
    """Return the bars of the strip, the newest last, without the labels left of them."""
    rows = text(state, width, 24, Caption())
    first = next(number for number, row in enumerate(rows) if "abnormal probability" in row) + 1
    return [row[GUTTER + 1 : -1] for row in rows[first : first + 3]]


def test_the_strip_tells_a_probability_of_0_from_none(monitor, fold):
    seconds = [(0.0, "signal"), (None, "signal"), (0.0, "noisy"), (0.0, "absent"), (1.0, "signal")]
    state = fold(
        monitor.window(2 * number + second, verdict, probability)
        for number, (probability, verdict) in enumerate(seconds)
        for second in (0, 1)
    )
    assert [row[-5:] for row in strip(state)] == ["    █", "    █", "▁·░╌█"]


def test_the_strip_tells_the_worst_of_a_columns_seconds(monitor, fold):
    state = fold([monitor.window(0, probability=0.98), monitor.window(1), monitor.window(2)])
    assert [row[-2:] for row in strip(state)] == ["█ ", "█ ", "█▃"]


def test_the_strip_shows_the_threshold(monitor, fold):
    state = fold([monitor.opened(threshold=0.5), monitor.window(0)])
    rows = text(state, 80, 24)
    assert [row for row in rows if "0.50 ┄┄┄" in row]
    assert not [row for row in text(fold([monitor.window(0)]), 80, 24) if "┄" in row]


SEVEN_AND_DASH = {
    "147": [
        "  ██    ██  ██  ██████",
        "████    ██  ██      ██",
        "  ██    ██████      ██",
        "  ██        ██      ██",
        "██████      ██      ██",
    ],
    "--": ["", "", "        ██████  ██████", "", ""],
}


def heart_rate(state, caption=CAPTION):
    """Return the heart rate as shown beside the alerts."""
    rows = text(state, 80, 24, caption)
    first = next(number for number, row in enumerate(rows) if "HR /min" in row) + 1
    large = [row[-23:-1].rstrip() for row in rows[first : first + 5]]
    return next(number for number, picture in SEVEN_AND_DASH.items() if picture == large)


def test_the_heart_rate_is_shown_large_or_as_not_known(monitor, fold):
    known = [monitor.window(0, heart_rate=147.3)]
    assert heart_rate(fold(known)) == "147"
    assert heart_rate(fold([monitor.window(0, heart_rate=None)])) == "--"
    assert heart_rate(fold([monitor.window(0, heart_rate=1e9)])) == "--"
    assert heart_rate(fold([*known, monitor.closed(RATE)])) == "--"
    assert heart_rate(fold([*known, monitor.link(lag_s=STALE_S + 1)])) == "--"
    assert heart_rate(fold([])) == "--"


def test_a_picture_that_is_not_live_says_so(monitor, fold):
    state = fold([monitor.window(0, heart_rate=147.3)], now=100.0)
    live, silent = (Caption(now=100 + SILENT_S + more) for more in (0, 9))
    assert heart_rate(state, live) == "147"
    assert not any("NOT LIVE" in row for row in text(state, caption=live))
    assert heart_rate(state, silent) == "--"
    notice = "NOT LIVE: nothing heard of this wearer for 12 s"
    assert notice in text(state, caption=silent)[1]
    state.apply(monitor.closed(RATE))
    assert not any("NOT LIVE" in row for row in text(state, caption=silent))
    assert "ENDED" in text(state, caption=silent)[0]


def alert_rows(state, width=120, height=24):
    rows = text(state, width, height, Caption())
    first = next(number for number, row in enumerate(rows) if row.startswith(" alerts: "))
    beside = 23 if width >= 60 else 0
    return [row[1 : width - 1 - beside].rstrip(" ─") for row in rows[first : first + 6]]


def test_alerts_are_listed_newest_first(monitor, fold):
    state = fold(
        [
            monitor.alert(1, at=75 * RATE),
            monitor.alert(2, at=80 * RATE, kind="noisy", priority="low", text="noise"),
            monitor.alert(2, "cleared", at=90 * RATE, kind="noisy", priority="low", text="noise"),
            monitor.alert(3, "acknowledged", at=82 * RATE, priority="medium", kind="abnormal"),
        ]
    )
    assert alert_rows(state) == [
        "alerts: 2 standing, 1 not acknowledged",
        "!!  medium   01:22 acknowledged abnormal: no beat for 4 seconds",
        "!   low      01:20 cleared      noisy: noise",
        "!!! high     01:15 raised       asystole: no beat for 4 seconds",
        "",
        "",
    ]
    assert alert_rows(state, 80)[1:4] == [
        "!!  01:22 ack'd   no beat for 4 seconds",
        "!   01:20 cleared noise",
        "!!! 01:15 raised  no beat for 4 seconds",
    ]


def test_a_standing_alert_is_never_pushed_out_by_newer_ones(monitor, fold):
    state = fold(
        [
            monitor.alert(0, at=RATE),
            monitor.alert(1, at=2 * RATE, priority="low"),
            monitor.alert(2, "acknowledged", at=3 * RATE),
            *(monitor.alert(number, "cleared", at=number * RATE) for number in range(10, 40)),
        ]
    )
    assert [row[13:31].split() for row in alert_rows(state)[1:]] == [
        ["00:39", "cleared"],
        ["00:38", "cleared"],
        ["00:03", "acknowledged"],
        ["00:02", "raised"],
        ["00:01", "raised"],
    ]
    for number in range(3, 10):
        state.apply(monitor.alert(number, at=(50 + number) * RATE, priority="medium"))
    assert alert_rows(state)[-1].startswith("!!! high     00:01 raised")


def test_a_long_alert_takes_the_rows_that_are_free(monitor, fold):
    long = "no signal for 3 seconds: check the electrodes"
    state = fold([monitor.alert(1, at=0, text=long)])
    assert alert_rows(state, 80)[1:4] == [
        "!!! 00:00 raised  no signal for 3 seconds: check the",
        "                  electrodes",
        "",
    ]
    for number in range(2, 6):
        state.apply(monitor.alert(number, at=0))
    assert "!!! 00:00 raised  no signal for 3 seconds: check the…" in alert_rows(state, 80)


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


def test_what_is_said_cannot_steer_the_terminal(monitor, fold):
    hostile = "\x1b]0;owned\x07\r\n\u202e\u200d心e\u0301"
    state = fold(
        [
            monitor.opened(lead="\x1b[2J", model=hostile),
            monitor.alert(1, text=hostile, kind=hostile),
        ]
    )
    rows = text(state, caption=Caption(hostile, hostile, hostile))
    assert len(rows) == 40
    for row in rows:
        assert row.isprintable()
        assert cell_len(row) == len(row) == 120


def test_the_link_is_described(monitor, fold):
    link = monitor.link(received=39_600, missing=400, repeated=12, lag_s=0.14)
    state = fold([link, monitor.gap(5, 100), monitor.gap(5, 100), monitor.gap(900, 300)])
    rows = text(state, caption=Caption(unreadable=3))
    quality = "received 39,600  missing 400 (1.0%)  gaps seen 2  repeated 12  lag 0.1 s"
    assert any(row.strip() == f"{quality}  unreadable 3" for row in rows)


def test_the_title_gives_way_on_a_narrow_terminal(monitor, fold):
    state = fold([monitor.opened(), *monitor.seconds(0, 65)])
    wide, narrow, narrowest = (text(state, width, 24)[0] for width in (80, 45, 24))
    assert wide == f" mitdb/203  MLII{'look-ahead 0.5 s  model generic  01:05 ':>64}"
    assert narrow == " mitdb/203  MLII                01:05  HR 72 "
    assert narrowest == " mitdb/203  MLII  HR 72 "


def test_a_small_terminal_keeps_what_matters_most(eventful):
    rows = text(eventful, 80, 10)
    assert "mitdb/203" in rows[0]
    assert "SIMULATED WEARER" in rows[1]
    assert rows[6].startswith(" alerts: 2 standing, 1 not acknowledged")
    assert rows[-1].startswith(" q quit   a acknowledge 1 alert")


def test_a_large_terminal_gives_the_trace_most(monitor, fold):
    state = fold(monitor.seconds(0, 30))
    rows = text(state, 200, 60, Caption())
    assert "╵" in rows[next(n for n, row in enumerate(rows) if "abnormal prob" in row) - 1]
    assert next(n for n, row in enumerate(rows) if "abnormal prob" in row) > 30
    assert "last 06:20" in "".join(rows)


def test_a_frame_is_cheap(eventful):
    """The monitor may share the process: its latency target is 50 ms."""
    console = Console(file=io.StringIO(), force_terminal=True, color_system="256")
    console.size = (120, 40)
    spent = []
    with console.screen():
        for _ in range(20):
            begin = time.thread_time()
            console.update_screen(render(eventful, CAPTION, 120, 40))
            spent.append(time.thread_time() - begin)
    assert statistics.median(spent) < 0.010
