"""Captured signals as a source of enrolment, and where enrolments' signals are stored."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ecgmon.core.constants import RATE
from ecgmon.core.errors import RecordError
from ecgmon.records import Record
from ecgmon.records.captured.layout import CapturedHeader
from trainer.enrolment import sources

STREAM = "00000000000000aa"
SECONDS = 20
WANTED = (SECONDS + 1) * RATE


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("ECGMON_STATE", str(tmp_path))
    return tmp_path


def capture(state, first, count, stream=STREAM, gain=200.0, age_s=0):
    """Write a captured record whose sample value is its index, as far as that fits."""
    began = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(seconds=age_s)
    header = CapturedHeader("ann", stream, first, 360.0, gain, "II", began)
    folder = state / "captured" / "ann"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{header.name}.hea").write_bytes(header.encode())
    samples = (np.arange(first, first + count) % 30000).astype("<i2")
    (folder / f"{header.name}.dat").write_bytes(samples.tobytes())


def test_the_newest_seconds_of_the_newest_stream_are_used(state):
    capture(state, 0, 3 * WANTED, stream="00000000000000bb", age_s=900)
    capture(state, 0, WANTED // 2, age_s=500)
    capture(state, WANTED // 2, WANTED, age_s=100)
    source = sources.from_captured("ann", SECONDS)
    end = WANTED // 2 + WANTED
    np.testing.assert_array_equal(source.samples, np.arange(end - WANTED, end) % 30000)
    assert sources.origin(source.name) == (f"captured/ann/{STREAM}", (end - WANTED) // RATE)


@pytest.mark.parametrize("change", ["hole", "gain"])
def test_what_is_not_in_one_piece_is_too_short(state, change):
    capture(state, 0, WANTED, age_s=500)
    hole, gain = (40 * RATE, 200.0) if change == "hole" else (0, 100.0)
    capture(state, WANTED + hole, WANTED // 2, gain=gain)
    with pytest.raises(
        RecordError, match=r"Only the last 10 s of ann's newest stream .* one piece"
    ):
        sources.from_captured("ann", SECONDS)


def recorded(name, samples=None, gain=200.0):
    samples = np.arange(500, dtype=np.int16) if samples is None else samples
    return Record(name, "ann", 360.0, gain, "II", samples)


@pytest.mark.parametrize("peak", [500, 32767])
def test_a_signal_is_stored_once_and_never_replaced_by_another(state, peak):
    gain = float(np.float32(123.4567))
    record = recorded("home/ann", np.array([0, peak, -peak] * 200, np.int16), gain)
    path = sources.keep(record, "ann")
    assert sources.keep(record, "ann") == path == state / "enrolments" / "ann" / "home_ann"
    with pytest.raises(RecordError, match="holds another signal than home/ann"):
        sources.keep(replace(record, samples=record.samples[::-1]), "ann")


def test_the_newest_unfinished_review_is_gone_on_with_until_it_is_set_aside(state):
    first, second = (recorded(f"captured/ann/{STREAM}-{n:019}") for n in (360, 720))
    for record in (first, second):
        sources.keep(record, "ann").with_suffix(".review").write_bytes(b"\0\0")
    assert sources.unfinished("ann", "window").name == second.name
    sources.place_of(second, "ann").with_suffix(sources.REPORTS["window"]).touch()
    assert sources.unfinished("ann", "window").name == first.name
    sources.set_aside("ann", "window", None)
    assert sources.unfinished("ann", "window") is None
    assert len(list((state / "enrolments" / "ann").glob("*.review.*"))) == 1


def test_a_review_of_windows_is_none_of_beats_nor_the_other_way_round(state):
    first, second = (recorded(f"captured/ann/{STREAM}-{n:019}") for n in (360, 720))
    for record, annotator in ((first, "review"), (second, "classes")):
        sources.keep(record, "ann").with_suffix(f".{annotator}").write_bytes(b"\0\0")
    assert sources.unfinished("ann", "window").name == first.name
    assert sources.unfinished("ann", "beat").name == second.name
    sources.place_of(second, "ann").with_suffix(sources.REPORTS["window"]).touch()
    assert sources.unfinished("ann", "beat").name == second.name
    sources.set_aside("ann", "beat", None)
    assert sources.unfinished("ann", "beat") is None
    assert sources.unfinished("ann", "window").name == first.name


def test_a_damaged_unfinished_one_is_passed_over(state):
    older, newer = (recorded(f"captured/ann/{STREAM}-{n:019}") for n in (360, 720))
    for record in (older, newer):
        sources.keep(record, "ann").with_suffix(".review").write_bytes(b"\0\0")
    sources.place_of(newer, "ann").with_suffix(".dat").write_bytes(b"")
    assert sources.unfinished("ann", "window").name == older.name


def test_a_record_s_review_is_set_aside_by_name(state):
    record = recorded("home/ann")
    review = sources.keep(record, "ann").with_suffix(".review")
    review.write_bytes(b"\0\0")
    sources.set_aside("ann", "window", record)
    assert not review.exists()
    assert sources.origin(record.name) == ("home/ann", 0)
