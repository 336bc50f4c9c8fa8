"""When samples were measured, where the index of a device has jumped."""

from datetime import timedelta

import numpy as np
import pytest

from ecgmon.export.journal_reader import JournalMessages
from ecgmon.export.tables import as_csv
from ecgmon.export.wfdb_record import write
from ecgmon.wire import messages
from tests.ecgmon.export.stored import BEGAN, STREAM, T0, window

RATE = 250
RAMP = np.arange(10 * RATE)


def ten_seconds(stored, at_s, measured_s):
    """Store ten seconds of signal from a second of the stream on, and their verdicts."""
    stored.capture(RAMP, first=at_s * RATE, began=BEGAN + timedelta(seconds=measured_s))
    for second in range(10):
        stored.say(window(at_s + second), stream_began=T0 + measured_s - at_s)


def gap(stored, from_s, to_s, sent_s):
    """Say that seconds are missing, and fill the latest of them as a monitor does."""
    ids = {"wearer": "ann", "stream": STREAM}
    missing = messages.Gap(**ids, first=360 * from_s, count=360 * (to_s - from_s))
    stored.row(messages.encode(missing).decode(), T0 + sent_s)
    for second in range(max(from_s, to_s - 600), to_s):
        filled = window(second, state="absent")
        stored.row(messages.encode(filled).decode(), T0 + sent_s)


def seconds(stream):
    """Return the seconds of signal in a stream, by when they were measured."""
    rows = [line.split(",") for piece in as_csv([stream], []) for line in piece.splitlines()]
    return [(row[0], int(row[2])) for row in rows[1:] if row[3] == "signal"]


@pytest.mark.parametrize("jump_s", [60, 3600, 365 * 86_400, 2**50 // 360, 2**58 // 360])
@pytest.mark.parametrize("journal", [True, False])
def test_what_came_before_a_jump_keeps_its_time(stored, tmp_path, jump_s, journal):
    ten_seconds(stored, 0, 0)
    at = 10 + jump_s
    gap(stored, 10, at, 10)
    ten_seconds(stored, at, 10)
    if not journal:
        stored.journal.unlink()
        stored.journal_messages = JournalMessages
    for start, stop, count in ((-np.inf, np.inf, 20), (T0 - 5, T0 + 30, 20), (T0 + 4, T0 + 15, 11)):
        (stream,) = stored.streams(start, stop)
        for second, measured in ((0, T0), (at, T0 + 10)):
            assert stream.time(360 * second) == pytest.approx(measured, abs=1e-3)
        runs = list(stream.runs())
        assert sum(end - first for first, end, _ in runs) == count * RATE
        written = write(stream, "ann", [], tmp_path / f"{count}-{start}")
        assert [round(one.began - T0, 3) for one in written] == [max(start - T0, 0), 10]
        if journal:
            assert len(stream.seconds()) == count
            assert [at for _, at in seconds(stream)][-1] == (
                at + 9 if stop > T0 + 20 else at + 4
            ) * RATE


def test_two_jumps_and_one_back_in_time(stored):
    ten_seconds(stored, 0, 0)
    gap(stored, 10, 5010, 10)
    ten_seconds(stored, 5010, 10)
    gap(stored, 5020, 7020, 20)
    ten_seconds(stored, 7020, 20)
    (stream,) = stored.streams()
    times = [stream.time(360 * at) - T0 for at in (0, 9, 5010, 7029)]
    assert times == pytest.approx([0, 9, 10, 29])
    assert [stream.index(T0 + s) for s in (5, 15, 25)] == [5 * 360, 5015 * 360, 7025 * 360]


def test_a_real_gap_is_no_jump(stored):
    ten_seconds(stored, 0, 0)
    gap(stored, 10, 3610, 3610)
    ten_seconds(stored, 3610, 3610)
    (stream,) = stored.streams()
    assert len(stream.spans) == 1
    assert stream.time(3610 * 360) == T0 + 3610
    assert len(stream.seconds()) == 620


@pytest.mark.thorough
def test_a_backlog_with_a_hole_in_it_is_no_jump(stored):
    """An hour that the device had buffered came at once, and part of it never."""
    ten_seconds(stored, 0, 0)
    for second in range(10, 3000):
        stored.row(messages.encode(window(second)).decode(), T0 + 3610)
    gap(stored, 3000, 3600, 3610)
    ten_seconds(stored, 3600, 3610)
    (stream,) = stored.streams()
    assert [stream.time(360 * at) for at in (0, 2999, 3605)] == [T0, T0 + 2999, T0 + 3605]


def test_a_gap_that_was_not_written_is_seen_all_the_same(stored):
    ten_seconds(stored, 0, 0)
    ten_seconds(stored, 5000, 10)
    (stream,) = stored.streams()
    assert [stream.time(360 * at) for at in (0, 5000)] == [T0, T0 + 10]
