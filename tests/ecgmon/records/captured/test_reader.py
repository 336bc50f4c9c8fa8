"""Captured records: what is read of them, and what of anything else that lies there."""

import os
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest
import wfdb
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.constants import NO_VALUE
from ecgmon.core.errors import RecordError
from ecgmon.records.captured import reader as captured
from ecgmon.records.captured.layout import MAX_HEADER, NAME, CapturedHeader
from ecgmon.records.captured.reader import Captured, captures
from ecgmon.records.read import read
from ecgmon.records.record import Found

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HEADER = CapturedHeader(
    wearer="ann", stream=f"{7:016x}", first=0, rate=360.0, gain=200.0, lead="II", began=BEGAN
)
leads = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=8)
headers = st.builds(
    CapturedHeader,
    wearer=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True),
    stream=st.from_regex(r"[0-9a-f]{16}", fullmatch=True),
    first=st.integers(0, 2**62),
    rate=st.integers(1, 2**32 - 1).map(lambda mhz: mhz / 1000),
    gain=st.floats(2**-9, 2.0**120, width=32),
    lead=leads,
    began=st.datetimes(timezones=st.just(UTC)),
)


def written(folder, samples, **changes):
    """Write a record as a monitor does; returns its path without suffix."""
    header = msgspec.structs.replace(HEADER, **changes)
    home = folder / header.wearer
    home.mkdir(parents=True, exist_ok=True)
    (home / f"{header.name}.hea").write_bytes(header.encode())
    (home / f"{header.name}.dat").write_bytes(np.asarray(samples, dtype="<i2").tobytes())
    return home / header.name


@given(headers)
def test_a_header_is_read_as_it_was_written(header):
    data = header.encode()
    assert CapturedHeader.decode(data) == header
    assert len(data) < MAX_HEADER
    assert NAME.fullmatch(header.name)


@given(headers)
def test_wfdb_reads_the_same_of_a_header(tmp_path_factory, header):
    folder = tmp_path_factory.mktemp("header")
    (folder / f"{header.name}.hea").write_bytes(header.encode())
    seen = wfdb.rdheader(str(folder / header.name))
    assert (seen.fs, seen.sig_len, seen.fmt) == (header.rate, None, ["16"])
    assert (seen.adc_gain, seen.baseline, seen.units) == ([header.gain], [0], ["mV"])
    assert seen.sig_name == [header.lead.replace("#", "_") or None]


def test_wfdb_and_our_own_reader_see_the_counts_that_were_captured(tmp_path):
    counts = np.array([0, 1, -1, NO_VALUE, 32767, -32767, 250] * 100)
    path = written(tmp_path, counts)
    (record,) = captures(tmp_path, "ann")
    assert record.read(0, len(counts)).samples.tolist() == counts.tolist()
    assert wfdb.rdrecord(str(path), physical=False).d_signal[:, 0].tolist() == counts.tolist()
    physical = wfdb.rdrecord(str(path)).p_signal[:, 0]
    np.testing.assert_array_equal(physical, np.where(counts == NO_VALUE, np.nan, counts / 200))
    ours = read(Found("captured", "ann", path))
    assert (ours.samples.tolist(), ours.rate, ours.lead) == (counts.tolist(), 360, "II")
    path.with_suffix(".dat").write_bytes(b"")
    with pytest.raises(RecordError, match="no samples"):
        read(Found("captured", "ann", path))


def test_a_part_is_read_by_its_indices_in_the_stream(tmp_path):
    path = written(tmp_path, range(1000), first=5000)
    record = Captured.open(path)
    assert (record.length, record.stop, record.began) == (1000, 6000, BEGAN)
    part = record.read(5010, 5020)
    assert part.samples.tolist() == list(range(10, 20))
    assert part.samples.dtype == np.int16
    assert part.name == f"captured/ann/{7:016x}-{5000:019}"
    assert (part.wearer, part.rate, part.gain, part.lead) == ("ann", 360, 200, "II")
    assert part.annotations is None
    for start, stop in ((4999, 5010), (5990, 6001), (5010, 5010), (5020, 5010), (0, 2**62)):
        with pytest.raises(RecordError, match="holds samples 5000 to 5999"):
            record.read(start, stop)
    path.with_suffix(".dat").write_bytes(b"\0")
    with pytest.raises(RecordError, match="shorter"):
        record.read(5010, 5020)
    path.with_suffix(".dat").unlink()
    with pytest.raises(RecordError, match="cannot be read"):
        record.read(5010, 5020)


def test_half_a_sample_at_the_end_is_none(tmp_path):
    path = written(tmp_path, range(10))
    with path.with_suffix(".dat").open("ab") as file:
        file.write(b"\1")
    assert Captured.open(path).length == 10
    assert wfdb.rdrecord(str(path)).sig_len == 10


def test_the_newest_is_first_whatever_it_is_called(tmp_path):
    for hour, (stream, first) in enumerate([(9, 0), (3, 0), (3, 100), (6, 50)]):
        began = BEGAN.replace(hour=hour)
        written(tmp_path, range(5), stream=f"{stream:016x}", first=first, began=began)
    written(tmp_path, range(5), wearer="bob")
    written(tmp_path, [], stream=f"{1:016x}")  # nothing in it yet
    (tmp_path / "ann" / "notes.hea").write_text("of somebody else")
    found = [(int(record.stream), record.first) for record in captures(tmp_path, "ann")]
    assert found == [(6, 50), (3, 100), (3, 0), (9, 0)]
    assert captures(tmp_path, "carl") == captures(tmp_path / "nowhere", "ann") == []


def test_samples_are_joined_from_all_records_of_their_stream(tmp_path):
    stream = HEADER.stream
    written(tmp_path, range(100))
    written(tmp_path, range(100, 200), first=100)
    written(tmp_path, range(250, 300), first=250)
    written(tmp_path, range(290, 310), first=290, began=BEGAN.replace(hour=4))
    written(tmp_path, [7] * 1000, stream=f"{8:016x}")
    joined = captured.read(tmp_path, "ann", stream, 90, 305)
    hole = [NO_VALUE] * 50
    assert joined.samples.tolist() == [*range(90, 200), *hole, *range(250, 305)]
    assert joined.name == f"captured/ann/{stream}-{90:019}"
    for start, stop in ((0, 311), (305, 320), (400, 500), (5, 5), (-5, 5), (0, 2**60)):
        with pytest.raises(RecordError, match="choose"):
            captured.read(tmp_path, "ann", stream, start, stop)
    with pytest.raises(RecordError, match="are not in"):
        captured.read(tmp_path, "ann", f"{9:016x}", 0, 10)
    written(tmp_path, range(10), first=310, gain=100.0)
    with pytest.raises(RecordError, match="gain or the lead"):
        captured.read(tmp_path, "ann", stream, 0, 315)
    assert len(captured.read(tmp_path, "ann", stream, 310, 315).samples) == 5


@pytest.mark.parametrize("wearer", ["", ".", "..", "../ann", "a/b", "/etc", "a\0", "x" * 65, "a\n"])
def test_an_id_that_is_none_reaches_no_file(tmp_path, wearer):
    with pytest.raises(RecordError, match="cannot be a wearer's id"):
        captures(tmp_path, wearer)


def refused(path):
    with pytest.raises(RecordError) as refusal:
        captures(path.parent.parent, "ann")
    sentence = str(refusal.value)
    assert str(path) in sentence
    assert "remove" in sentence or "take another" in sentence
    assert sentence.isprintable()


@given(st.data())
def test_a_header_that_is_not_the_monitors_is_refused(tmp_path_factory, data):
    path = written(tmp_path_factory.mktemp("hostile"), range(10))
    file = path.with_suffix(".hea")
    original = file.read_bytes()
    at = data.draw(st.integers(0, len(original) - 1))
    changed = data.draw(
        st.sampled_from([original[:at], original[:at] + original[at + 1 :], b""])
        | st.integers(0, 255).map(lambda b: original[:at] + bytes([b]) + original[at + 1 :])
        | st.binary(max_size=50).map(lambda b: original[:at] + b + original[at:])
    )
    file.write_bytes(changed)
    try:
        believed = msgspec.structs.replace(CapturedHeader.decode(changed), began=BEGAN)
    except ValueError:
        believed = None
    if believed == HEADER:  # only the time has become another one
        assert len(captures(path.parent.parent, "ann")) == 1
    else:
        refused(path)


HOSTILE = [
    b"",
    b"\n",
    b"#" * 100_000,
    b"#" + b"[" * 900,
    b"\xff\xfe\n#{}",
    HEADER.encode() + b" " * 2000,
    HEADER.encode().replace(b"200.0", b"1e999"),
    HEADER.encode().replace(b"200.0", b"-200.0"),
    HEADER.encode().replace(b'"began"', b'"\x1b[2J":1,"began"'),
    HEADER.encode().replace(b" 1 360", b" 2 360"),
    HEADER.encode().replace(b"/mV", b"/uV"),
    HEADER.encode().replace(b"\n", b"\r\n"),
    msgspec.structs.replace(HEADER, wearer="bob").encode(),
    msgspec.structs.replace(HEADER, first=5).encode(),
]


@pytest.mark.parametrize("header", HOSTILE)
def test_a_foreign_header_is_refused_in_one_sentence(tmp_path, header):
    path = written(tmp_path, range(10))
    path.with_suffix(".hea").write_bytes(header)
    refused(path)


def test_a_header_that_is_no_file_is_not_waited_for(tmp_path):
    path = written(tmp_path, range(10))
    path.with_suffix(".hea").unlink()
    os.mkfifo(path.with_suffix(".hea"))
    refused(path)
