import copy
import io
import re
import statistics
import time

import pytest
from rich.cells import cell_len
from rich.console import Console

from ecgmon.core.constants import RATE
from viewer.model.wearer import STALE_S
from viewer.terminal.render import SILENT_S, Caption, render

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
            *(monitor.alarm(number, "cleared", at=number * RATE) for number in range(20)),
            monitor.alarm(20, at=100 * RATE, priority="low", kind="noisy"),
            monitor.alarm(21, "acknowledged", at=90 * RATE, priority="medium", kind="no-signal"),
        ]
    )


@pytest.fixture(scope="session")
def labelled(eventful, monitor):
    """The same with beats."""
    state = copy.deepcopy(eventful)
    for second in range(120):
        state.apply(monitor.beat(180 + second * RATE, "NNSVFQ"[second % 6]))
    trigeminy = {"kind": "trigeminy", "priority": "low", "text": "ventricular trigeminy: of 3"}
    state.apply(monitor.alarm(22, at=100 * RATE, **trigeminy))
    return state


@pytest.mark.parametrize("which", ["eventful", "labelled"])
@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1"])
@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}], ids=["colour", "no colour"])
def test_the_picture_has_the_size_of_the_terminal(
    request, which, width, height, encoding, environment
):
    written = io.BytesIO()
    console = Console(
        file=io.TextIOWrapper(written, encoding=encoding, write_through=True),
        force_terminal=True,
        color_system="256",
        width=width,
        height=height,
        _environ=environment,
    )
    console.print(render(request.getfixturevalue(which), CAPTION, width, height), end="")
    printed = written.getvalue().decode(encoding)
    assert ("38;5;" in printed) == (not environment)
    lines = CONTROL.sub("", printed).removesuffix("\n").split("\n")
    assert [cell_len(line) for line in lines] == [width] * height
    assert encoding == "utf-8" or printed.isascii()


def test_every_verdict_can_be_read_without_colour(eventful, text):
    picture = "\n".join(text(eventful))
    for words in (" abnormal 0.93 ", "░ noisy ░", "╌ absent ╌", " unclassified ", " gap 2.0 s "):
        assert words in picture


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


def heart_rate(text, state, caption=CAPTION):
    """Return the heart rate as shown beside the alarms."""
    rows = text(state, 80, 24, caption)
    first = next(number for number, row in enumerate(rows) if "HR /min" in row) + 1
    large = [row[-23:-1].rstrip() for row in rows[first : first + 5]]
    return next(number for number, picture in SEVEN_AND_DASH.items() if picture == large)


def test_the_heart_rate_is_shown_large_or_as_not_known(monitor, fold, text):
    known = [monitor.window(0, heart_rate=147.3)]
    assert heart_rate(text, fold(known)) == "147"
    assert heart_rate(text, fold([monitor.window(0, heart_rate=None)])) == "--"
    assert heart_rate(text, fold([monitor.window(0, heart_rate=1e9)])) == "--"
    assert heart_rate(text, fold([*known, monitor.closed(RATE)])) == "--"
    assert heart_rate(text, fold([*known, monitor.link(lag_s=STALE_S + 1)])) == "--"
    assert heart_rate(text, fold([])) == "--"


def test_a_picture_that_is_not_live_says_so(monitor, fold, text):
    state = fold([monitor.window(0, heart_rate=147.3)], now=100.0)
    live, just, silent = (Caption(now=100 + SILENT_S + more) for more in (0, 0.1, 9))
    assert heart_rate(text, state, live) == "147"
    assert heart_rate(text, state, just) == "--"
    assert not any("NOT LIVE" in row for row in text(state, caption=live))
    assert heart_rate(text, state, silent) == "--"
    notice = "NOT LIVE: nothing heard of this wearer for 12 s"
    assert notice in text(state, caption=silent)[1]
    state.apply(monitor.closed(RATE))
    assert not any("NOT LIVE" in row for row in text(state, caption=silent))
    assert "ENDED" in text(state, caption=silent)[0]


def test_a_change_of_model_is_shown_for_a_minute_and_moves_the_threshold(monitor, fold, text):
    before = [monitor.opened(threshold=0.9), *monitor.seconds(0, 30)]
    notice = "203-2 judges from 00:20 on"
    state = fold([*before, monitor.swap(20 * RATE)])
    assert text(state)[1].strip() == notice
    assert any("0.40 ┄" in row for row in text(state))
    refused = text(fold([*before, monitor.swap(20 * RATE, refused="it is damaged.")]))
    assert refused[1].strip() == "203-2 goes on, another model was refused: it is damaged."
    later = text(fold([*before, monitor.swap(20 * RATE), *monitor.seconds(30, 60)]))
    assert not any(notice in row for row in later)
    out_of_order = fold([*before, monitor.swap(20 * RATE), monitor.swap(10 * RATE, model="old")])
    assert text(out_of_order)[1].strip() == notice


def test_text_of_messages_cannot_control_the_terminal(monitor, fold, text):
    hostile = "\x1b]0;owned\x07\r\n\u202e\u200d心e\u0301"
    state = fold(
        [
            monitor.opened(lead="\x1b[2J", model=hostile),
            monitor.alarm(1, text=hostile, kind=hostile),
        ]
    )
    rows = text(state, caption=Caption(hostile, hostile, hostile))
    assert len(rows) == 40
    for row in rows:
        assert row.isprintable()
        assert cell_len(row) == len(row) == 120


def test_the_link_is_described(monitor, fold, text):
    link = monitor.link(received=39_600, missing=400, repeated=12, lag_s=0.14)
    state = fold([link, monitor.gap(5, 100), monitor.gap(5, 100), monitor.gap(900, 300)])
    rows = text(state, caption=Caption(unreadable=3))
    quality = "received 39,600  missing 400 (1.0%)  gaps seen 2  repeated 12  lag 0.1 s"
    assert any(row.strip() == f"{quality}  unreadable 3" for row in rows)


def test_the_title_gives_way_on_a_narrow_terminal(monitor, fold, text):
    state = fold([monitor.opened(), *monitor.seconds(0, 65)])
    wide, narrow, narrowest = (text(state, width, 24, CAPTION)[0] for width in (80, 45, 24))
    assert wide == f" mitdb/203  MLII{'look-ahead 0.5 s  model generic  01:05 ':>64}"
    assert narrow == " mitdb/203  MLII                01:05  HR 72 "
    assert narrowest == " mitdb/203  MLII  HR 72 "


def test_a_small_terminal_keeps_what_matters_most(eventful, text):
    rows = text(eventful, 80, 10, CAPTION)
    assert "mitdb/203" in rows[0]
    assert "SIMULATED WEARER" in rows[1]
    assert rows[6].startswith(" alarms: 2 active, 1 not acknowledged")
    assert rows[-1].startswith(" q quit   a acknowledge 1 alarm")


def test_a_large_terminal_gives_the_trace_most(monitor, fold, text):
    state = fold(monitor.seconds(0, 30))
    rows = text(state, 200, 60, Caption())
    assert "╵" in rows[next(n for n, row in enumerate(rows) if "abnormal prob" in row) - 1]
    assert next(n for n, row in enumerate(rows) if "abnormal prob" in row) > 30
    assert "last 06:20" in "".join(rows)


def test_a_frame_is_cheap(eventful):
    """A frame takes less than half of the latency target of 50 ms, on a busy machine too."""
    console = Console(file=io.StringIO(), force_terminal=True, color_system="256")
    console.size = (120, 40)
    spent = []
    with console.screen():
        for _ in range(20):
            begin = time.thread_time()
            console.update_screen(render(eventful, CAPTION, 120, 40))
            spent.append(time.thread_time() - begin)
    assert statistics.median(spent) < 0.025
