"""Streams as WFDB records, as wfdb itself reads them."""

from datetime import timedelta

import numpy as np
import pytest
import wfdb

from ecgmon.core.constants import NO_VALUE
from ecgmon.core.errors import RecordError, UsageError
from ecgmon.export.wfdb_record import write
from ecgmon.wire import messages
from tests.ecgmon.export.stored import BEGAN, OTHER, STREAM, T0, alarm, window

RAMP = np.arange(2500, dtype=np.int16)


def exported(stored, folder, start=-np.inf, stop=np.inf):
    """Export, and open everything with wfdb: (record, annotations) of each."""
    others = stored.journal_messages().others
    written = [
        one
        for stream in stored.streams(start, stop)
        for one in write(stream, "ann", others, folder)
    ]
    return [
        (wfdb.rdrecord(str(one.path), physical=False), wfdb.rdann(str(one.path), "ecgmon"))
        for one in written
    ]


def notes(annotations):
    aux = (note.rstrip("\0") for note in annotations.aux_note)
    return list(zip(annotations.sample.tolist(), annotations.symbol, aux, strict=True))


def test_signal_and_annotations_open_in_wfdb_in_the_devices_own_time(stored, tmp_path):
    stored.capture(RAMP[:1000])
    stored.capture(RAMP[1500:], first=1500, began=BEGAN + timedelta(seconds=7))
    for second, state, abnormal in [
        (0, "signal", None),
        (1, "signal", False),
        (2, "signal", True),
        (3, "signal", True),
        (4, "absent", None),
        (6, "noisy", None),
        (7, "signal", False),
    ]:
        stored.say(window(second, state, abnormal))
    stored.say(messages.Gap(wearer="ann", stream=STREAM, first=1440, count=720))
    stored.say(alarm(3, "raised", text="drei zu viel, Zoë"))
    stored.say(alarm(5, "acknowledged", by="Anna", at=None, time=T0 + 5))
    stored.say(alarm(5, "raised", stream=OTHER))
    ((record, annotations),) = exported(stored, tmp_path / "out")
    expected = RAMP.copy()
    expected[1000:1500] = NO_VALUE
    np.testing.assert_array_equal(record.d_signal[:, 0], expected)
    assert record.calc_checksum() == [record.checksum[0] % 65536]
    assert (record.fs, record.sig_name, record.adc_gain) == (250, ["II"], [200.0])
    assert record.base_datetime == BEGAN.replace(tzinfo=None)
    assert record.record_name == f"ann-{STREAM}"
    assert notes(annotations) == [
        (0, "+", "(unclassified"),
        (250, "+", "(normal"),
        (500, "+", "(abnormal"),
        (750, '"', "alarm 1 raised: medium abnormal, drei zu viel, Zo?"),
        (1000, "~", "absent"),
        (1000, '"', "gap of 2 s: samples never arrived"),
        (1250, "+", "(unclassified"),
        (1250, '"', "alarm 1 acknowledged by Anna: medium abnormal, too many of them"),
        (1500, "~", "noisy"),
        (1750, "~", "signal"),
        (1750, "+", "(normal"),
    ]
    physical = wfdb.rdrecord(str(tmp_path / "out" / f"ann-{STREAM}")).p_signal[:, 0]
    assert np.flatnonzero(np.isnan(physical)).tolist() == list(range(1000, 1500))


def test_only_what_is_asked_for_is_exported(stored, tmp_path):
    stored.capture(RAMP)
    for second in range(10):
        stored.say(window(second, abnormal=second % 2 == 1))
    ((record, annotations),) = exported(stored, tmp_path, T0 + 2.5, T0 + 5)
    assert record.d_signal[:, 0].tolist() == list(range(625, 1250))
    assert record.base_datetime == (BEGAN + timedelta(seconds=2.5)).replace(tzinfo=None)
    assert notes(annotations) == [
        (0, "+", "(normal"),
        (125, "+", "(abnormal"),
        (375, "+", "(normal"),
    ]
    assert "its samples 625 to 1249" in record.comments[0]
    assert exported(stored, tmp_path, T0 + 9.999) == []  # less than half a sample is left


def test_each_stream_gain_and_lead_has_a_record_and_so_has_what_comes_after_hours(stored, tmp_path):
    stored.capture(RAMP[:300])
    stored.capture(RAMP[:200], first=300, gain=100.0, began=BEGAN + timedelta(seconds=1.2))
    stored.capture(
        RAMP[:100], first=500 + 3601 * 250, gain=100.0, began=BEGAN + timedelta(seconds=3603)
    )
    stored.capture(RAMP[:50], stream=OTHER, began=BEGAN + timedelta(hours=2))
    found = exported(stored, tmp_path)
    assert [(record.record_name, record.adc_gain[0], record.sig_len) for record, _ in found] == [
        (f"ann-{STREAM}", 200.0, 300),
        (f"ann-{STREAM}-2", 100.0, 200),
        (f"ann-{STREAM}-3", 100.0, 100),
        (f"ann-{OTHER}", 200.0, 50),
    ]


def test_of_two_records_that_overlap_the_newer_counts(stored, tmp_path, monkeypatch):
    monkeypatch.setattr("ecgmon.export.wfdb_record.CHUNK", 64)
    stored.capture(RAMP[:400])
    stored.capture(-RAMP[:100], first=200, began=BEGAN + timedelta(seconds=60))
    ((record, _),) = exported(stored, tmp_path)
    samples = record.d_signal[:, 0].tolist()
    assert samples == [*range(200), *(-i for i in range(100)), *range(300, 400)]


def test_a_stream_began_before_its_first_sample_arrived(stored):
    # A record begun when a backlog came does not make the stream a later one.
    stored.capture(RAMP[:300], began=BEGAN + timedelta(seconds=20))
    stored.capture(RAMP[:300], first=2500, began=BEGAN + timedelta(seconds=12))
    (stream,) = stored.streams()
    assert stream.time(0) == T0 + 2
    stored.say(window(0), stream_began=T0)
    assert stored.streams()[0].time(0) == T0  # published a second later, after its end


def test_nothing_in_that_time_says_when_there_is_something(stored):
    with pytest.raises(RecordError, match="Nothing is kept of ann: check the id"):
        stored.streams()
    stored.capture(RAMP)
    with pytest.raises(RecordError, match=r"between 2026-01-02T03:04:05.000Z and .*:15.000Z\."):
        stored.streams(T0 + 11)


def test_a_record_that_disappears_or_a_full_disk_is_reported(stored, tmp_path):
    stored.capture(RAMP)
    (stream,) = stored.streams()
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file.* cannot be written \(.*\): choose another"):
        write(stream, "ann", [], tmp_path / "file")
    stream.records[0].path.with_suffix(".dat").write_bytes(b"")
    with pytest.raises(RecordError, match="become shorter"):
        write(stream, "ann", [], tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_headers_that_no_stream_could_have_are_left_out(stored):
    stored.capture(RAMP[:100])
    stored.capture(RAMP, first=2**61)
    assert [record.first for record in stored.streams()[0].records] == [0]


def test_wearers_whose_ids_differ_in_a_dot_do_not_overwrite_each_other(stored, tmp_path):
    stored.capture(RAMP[:500])
    (stream,) = stored.streams()
    ids = ("bed.4", "bed_4", "bed.4_", "bed_4.")
    for wearer in ids:
        write(stream, wearer, [], tmp_path)
    headers = [path.read_text() for path in tmp_path.glob("*.hea")]
    assert len(headers) == len(ids)
    for wearer in ids:
        assert sum(f"# wearer {wearer}," in header for header in headers) == 1
        assert [p for p in tmp_path.glob("*.hea") if wfdb.rdheader(str(p.with_suffix("")))]
