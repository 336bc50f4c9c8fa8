"""The monitor's captures: exactly the samples that devices send, within the limits."""

import itertools
import os
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import NO_VALUE
from ecgmon.core.errors import RecordError
from ecgmon.records.captured import reader as captured
from ecgmon.records.captured.reader import captures
from ecgmon.wire import messages
from monitor.storage.capture import HOUR, MIN_WEIGHT, Capture
from monitor.storage.growing_record import MAX_FILLED
from monitor.wearers import registry as registry
from monitor.wearers.pieces import Piece
from tests.support.rig import Rig

PERIOD = 30_000
"""The value of a sample is its index modulo this."""
STREAM = messages.stream_id(7)


def ramp(first, count):
    return (np.arange(first, first + count) % PERIOD).astype(np.int16)


def piece(first, count, stream=7, gain=200.0, lead="II"):
    """A piece that a stream accepted; here it may be of any length."""
    return Piece(stream, first, 360_000, gain, lead, ramp(first, count))


def files(folder, wearer="ann"):
    """Return the samples of a wearer's records by gain, lead, stream and first sample."""
    return {
        (r.gain, r.lead, r.stream, r.first): r.read(r.first, r.stop).samples
        for r in captures(folder, wearer)
    }


def assert_ramp(samples, first, missing=()):
    """Every sample is its own index, but in the gaps."""
    expected = ramp(first, len(samples))
    for start, stop in missing:
        expected[start - first : stop - first] = NO_VALUE
    np.testing.assert_array_equal(samples, expected)


@pytest.fixture
def capturing(tmp_path):
    folder = tmp_path / "captured"
    with Rig(tmp_path / "rig", captured=folder, capture_hours=1) as rig:
        yield rig, folder


def test_what_devices_send_is_captured_sample_by_sample(capturing):
    rig, folder = capturing
    listener, ann, bob = rig.listener(), rig.device(), rig.device()
    ann.greet("ann", 7)
    bob.greet("bob", 8)
    for first, count in ((0, 500), (500, 1), (400, 300), (0, 100), (700, 4096), (5000, 1000)):
        ann.send(first, ramp(first, count))  # 500 again, twice; 4796 to 4999 never
        bob.send(first, ramp(first, count), gain=100.0)
    ann.send(6000 + MAX_FILLED + 1, ramp(6000 + MAX_FILLED + 1, 50))
    ann.send(6000, ramp(6000, 10))  # too late
    ann.finish(6000 + MAX_FILLED + 51)
    listener.until(messages.Closed, "ann")  # on disk now, though its second is not over
    found = files(folder)
    assert list(found) == [
        (200, "II", STREAM, 6000 + MAX_FILLED + 1),
        (200, "II", STREAM, 0),
    ]
    after, before = found.values()
    assert (len(before), len(after)) == (6000, 50)
    assert_ramp(before, 0, [(4796, 5000)])
    assert_ramp(after, 6000 + MAX_FILLED + 1)
    rig.stop()
    ((name, samples),) = files(folder, "bob").items()
    assert name == (100, "II", messages.stream_id(8), 0)
    assert_ramp(samples, 0, [(4796, 5000)])
    assert len(samples) == 6000


def test_a_reconnect_goes_on_and_another_gain_or_stream_begins_a_record(capturing, monkeypatch):
    monkeypatch.setattr(registry, "TAKEOVER_S", 0.0)
    rig, folder = capturing
    first, again = rig.device(), rig.device()
    first.greet("ann", 7)
    first.send(0, ramp(0, 100))
    first.until_acked(100)
    assert again.greet("ann", 7).next == 100
    again.send(50, ramp(50, 100))
    again.send(150, ramp(150, 50), gain=100.0)
    again.until_acked(200)
    first.greet("ann", 9)
    first.send(0, ramp(0, 30))
    first.finish(30)
    rig.stop()
    found = files(folder)
    assert {name: len(samples) for name, samples in found.items()} == {
        (200, "II", STREAM, 0): 150,
        (100, "II", STREAM, 150): 50,
        (200, "II", messages.stream_id(9), 0): 30,
    }
    for (_, _, _, start), samples in found.items():
        assert_ramp(samples, start)


def test_a_monitor_without_a_folder_captures_nothing(tmp_path):
    with Rig(tmp_path) as rig:
        device = rig.device()
        device.greet("ann", 7)
        device.send(0, ramp(0, 1000))
        device.finish(1000)
    assert {path.name for path in tmp_path.iterdir()} == {"journal.db", "journal.db.lock"}


runs = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 700, MAX_FILLED, MAX_FILLED + 1, 2**40]),
        st.integers(1, 100_000),
        st.sampled_from([200.0, 200.0, 200.0, 100.0]),
    ),
    min_size=1,
    max_size=6,
)
"""Stretches without a gap: how many samples are missing before each, its length and its gain."""


def expected(stretches, longest):
    """The records that stretches give, each stretch appended in one piece."""
    records = []
    for begin, count, gain in stretches:
        first, values = begin, ramp(begin, count)
        if records and records[-1][1] == gain:
            start, _, held = records[-1]
            missing = first - start - len(held)
            if missing <= MAX_FILLED and len(held) + missing < longest:
                filler = np.full(missing, NO_VALUE, dtype=np.int16)
                first, values = start, np.concatenate([held, filler, values])
                records.pop()
        parts = range(0, len(values), longest)
        records += [(first + at, gain, values[at : at + longest]) for at in parts]
    return {(gain, "II", STREAM, first): values for first, gain, values in records}


@settings(max_examples=25)
@given(runs, st.data())
def test_the_files_are_the_same_however_the_stream_is_cut(tmp_path_factory, gaps, data):
    folder = tmp_path_factory.mktemp("cut")
    capture, stretches, end = Capture(folder, 1), [], 0
    for missing, count, gain in gaps:
        first = end + missing
        end = first + count
        stretches.append((first, count, gain))
        cuts = data.draw(st.lists(st.integers(1, count), max_size=5))
        bounds = sorted({0, count, *cuts})
        for start, stop in itertools.pairwise(bounds):
            capture.append([("ann", piece(first + start, stop - start, gain=gain))])
            if data.draw(st.booleans()):
                capture.flush()
    capture.flush()
    found, wanted = files(folder), expected(stretches, HOUR // 4)
    assert found.keys() == wanted.keys()
    for name, samples in wanted.items():
        np.testing.assert_array_equal(found[name], samples)


def held(folder):
    return sum(r.length for r in captures(folder, "ann"))


def test_the_oldest_records_are_removed_beyond_the_configured_hours(tmp_path):
    size, end = HOUR // 20, 2 * HOUR + 5000
    capture = Capture(tmp_path, 1)
    for at in range(0, end, size):
        capture.append([("ann", piece(at, min(size, end - at)))])
        capture.flush()
        assert held(tmp_path) <= HOUR
    found = captures(tmp_path, "ann")
    assert [r.first for r in found] == [HOUR // 4 * quarter for quarter in (8, 7, 6, 5)]
    stored = captured.read(tmp_path, "ann", STREAM, found[-1].first, end)
    assert_ramp(stored.samples, found[-1].first)
    assert len(list((tmp_path / "ann").iterdir())) == 2 * len(found)
    # Another monitor goes on, and counts what lies there.
    again = Capture(tmp_path, 1)
    again.append([("ann", piece(0, HOUR // 4, stream=9))])
    again.flush()
    assert held(tmp_path) <= HOUR
    assert [r.stream for r in captures(tmp_path, "ann")] == [messages.stream_id(9)] + 3 * [STREAM]


def test_a_record_has_at_most_an_hour(tmp_path):
    capture = Capture(tmp_path, 24)
    capture.append([("ann", piece(0, HOUR + 1))])
    capture.flush()
    assert [(r.first, r.length) for r in captures(tmp_path, "ann")] == [(HOUR, 1), (0, HOUR)]


def test_a_stream_full_of_gaps_makes_no_end_of_files(tmp_path):
    capture = Capture(tmp_path, 1)
    for number in range(150):
        capture.append([("ann", piece(number * 10_000, 1))])
        capture.flush()
    capture.flush()
    found = captures(tmp_path, "ann")
    assert [r.first for r in found] == [
        n * 10_000 for n in reversed(range(150 - HOUR // MIN_WEIGHT, 150))
    ]


def test_what_a_device_sends_again_from_the_same_sample_takes_its_place(tmp_path):
    for count in (1000, 1500):
        capture = Capture(tmp_path, 1)  # as after a restart of the monitor
        capture.append([("ann", piece(0, count))])
        capture.flush()
    ((_, samples),) = files(tmp_path).items()
    assert len(samples) == 1500
    assert_ramp(samples, 0)


def aged(folder, number, days):
    """Let the samples of a record be written so long ago."""
    record = min(captures(folder, "ann"), key=lambda r: abs(r.first - number))
    then = time.time() - 86_400 * days
    os.utime(record.path.with_suffix(".dat"), (then, then))


def test_what_is_too_old_or_too_much_goes_but_never_the_record_that_grows(tmp_path):
    for days, gigabytes, left in ((7, 10, [2, 1]), (2, 10, [2]), (7, 5e-6, [2, 1]), (7, 0, [2])):
        folder = tmp_path / f"{days}-{gigabytes}"
        capture = Capture(folder, 1, gigabytes * 1e9)
        for number, age in enumerate((8, 3, 9)):
            # Another gain begins another record; the last one grows, however old it is.
            capture.append([("ann", piece(1000 * number, 1000, gain=100.0 + number))])
            capture.flush()
            aged(folder, 1000 * number, age)
        capture.remove_old(time.time() - 86_400 * days)
        assert [r.first // 1000 for r in captures(folder, "ann")] == left
        assert len(list((folder / "ann").iterdir())) == 2 * len(left)
        capture.append([("ann", piece(3000, 500, gain=102.0))])
        capture.flush()
        assert captures(folder, "ann")[0].length == 1500


def test_the_oldest_records_of_anybody_go_first(tmp_path):
    capture = Capture(tmp_path, 1, 2 * 1000 * 2)  # room for two thousand samples
    for age, wearer in ((1, "bob"), (3, "ann"), (2, "bob"), (0, "ann")):
        capture.append([(wearer, piece(age * 10_000, 1000, stream=age))])
        capture.flush()
        ((data,),) = [list((tmp_path / wearer).glob(f"*{messages.stream_id(age)}*.dat"))]
        os.utime(data, (time.time() - 3600 * age,) * 2)
    capture.remove_old(0.0)
    assert [len(captures(tmp_path, wearer)) for wearer in ("ann", "bob")] == [1, 1]


def test_an_id_that_is_none_reaches_no_file(tmp_path):
    capture = Capture(tmp_path / "captured", 1)
    for wearer in ("..", "../ann", "/ann", ""):
        with pytest.raises(RecordError, match="cannot be a wearer's id"):
            capture.append([(wearer, piece(0, 10))])
    capture.flush()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rate", [100, 1000])
def test_hours_are_hours_at_other_rates_too_also_after_a_restart(tmp_path, rate):
    hour, first = 3600 * rate, 0
    for _ in range(2):
        capture = Capture(tmp_path, 1)
        for _ in range(10):
            samples = np.zeros(hour // 8, dtype=np.int16)
            capture.append([("ann", Piece(7, first, rate * 1000, 200.0, "II", samples))])
            capture.flush()
            first += len(samples)
    held = captures(tmp_path, "ann")
    assert max(record.length for record in held) == hour // 4
    assert 0.75 * hour <= sum(record.length for record in held) <= hour
    assert max(record.stop for record in held) == first
