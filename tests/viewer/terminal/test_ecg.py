from itertools import pairwise

from ecgmon.core.constants import RATE
from ecgmon.terminal.canvas import Look
from ecgmon.terminal.paper import CELLS_PER_SECOND, GUTTER, SAMPLES_PER_CELL
from viewer.terminal.render import Caption, render


def drawn(cells):
    """Tell whether any of the cells holds braille."""
    return any(ord(cell) > 0x2800 for cell in cells)


def test_the_trace_is_coloured_by_its_verdicts(monitor, fold):
    trace = [monitor.trace(0, [300] * 4 * RATE)]
    cases = {
        "pending": [],
        "normal": [monitor.window(3)],
        "abnormal": [monitor.window(3, probability=0.9)],
        "noisy": [monitor.window(3, "noisy")],
    }
    looks = {}
    for name, windows in cases.items():
        canvas = render(fold(trace + windows), Caption(), 80, 24)
        (row,) = (row for row in range(24) if drawn(chr(canvas.codes[row, 78])))
        looks[name] = Look(canvas.looks[row, 78])
    assert looks == {
        "pending": Look.PENDING,
        "normal": Look.NORMAL,
        "abnormal": Look.ABNORMAL,
        "noisy": Look.UNUSABLE,
    }


def test_a_mark_that_leaves_the_screen_never_turns_into_another(monitor, fold, text):
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


def test_the_trace_moves_by_whole_cells_and_keeps_its_shape(monitor, fold, text):
    seconds = list(monitor.seconds(0, 20))
    before = text(fold(seconds), 80, 24)
    after = text(fold([*seconds, monitor.trace(20 * RATE, [0] * SAMPLES_PER_CELL)]), 80, 24)
    rows = range(2, 9)
    assert any("⡇" in before[row] or "⢸" in before[row] for row in rows)
    # The first cell leaves; the last one had no following sample to be joined to.
    for row in rows:
        assert before[row][GUTTER + 2 : -3] == after[row][GUTTER + 1 : -4]


def test_the_newest_sample_is_at_the_right(monitor, fold, text):
    rows = text(fold([monitor.trace(0, [400] * SAMPLES_PER_CELL)]), 80, 24, Caption())
    trace = [row for row in rows[1:9] if drawn(row[GUTTER + 1 :])]
    assert len(trace) == 1
    assert trace[0].rstrip()[-1] in "⠉⠒⠤⣀"
    assert len(trace[0].rstrip()) == 79


def test_a_beat_of_1_mv_is_as_high_as_the_calibration_pulse(monitor, fold, text):
    rows = text(fold(monitor.seconds(0, 10)), 120, 40, Caption())
    pulse = [n for n, row in enumerate(rows) if drawn(row[1:4])]
    beats = [n for n, row in enumerate(rows) if drawn(row[GUTTER + 1 :])]
    assert len(pulse) > 5
    assert pulse == beats


def test_a_second_is_as_wide_as_its_window_says(monitor, fold, text):
    rows = text(fold(monitor.seconds(0, 20)), 80, 24)
    axis = next(row for row in rows if "╵" in row)
    ticks = [column for column, cell in enumerate(axis) if cell == "╵"]
    assert {after - before for before, after in pairwise(ticks)} == {CELLS_PER_SECOND}
    assert "╵00:18" in axis
