"""Annotation files of other programs: not to the letter, in a time of their own."""

import numpy as np
import pytest
import wfdb
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.errors import RecordError
from ecgmon.records.formats.wfdb.annotations import Annotation, decode, encode, load
from ecgmon.records.read import read
from ecgmon.records.record import Found

BEATS = [Annotation(100, 1), Annotation(400, 5), Annotation(700, 1)]
WRITTEN = encode(BEATS)[:-2]


def word(code, value=0):
    return (code << 10 | value).to_bytes(2, "little")


def skip(n):
    n &= 0xFFFFFFFF
    return word(59) + (n >> 16).to_bytes(2, "little") + (n & 0xFFFF).to_bytes(2, "little")


@pytest.mark.parametrize(
    ("data", "samples", "ended"),
    [
        (WRITTEN + b"\0\0", [100, 400, 700], True),
        (WRITTEN, [100, 400, 700], False),
        (WRITTEN + b"\0", [100, 400, 700], False),
        (WRITTEN + b"\0\0\x1a", [100, 400, 700], True),
        (WRITTEN + b"\0\0" + b"\x1a" * 100, [100, 400, 700], True),
        (WRITTEN + bytes(510), [100, 400, 700], True),
        (WRITTEN + skip(-500) + word(22) + b"\0\0", [100, 200, 400, 700], True),
        (skip(-20) + word(28) + skip(120) + word(1) + b"\0\0", [-20, 100], True),
        (word(60, 3) + word(62, 1) + word(61, 2) + WRITTEN + b"\0\0", [100, 400, 700], True),
        (word(63, 3) + b"abc\0" + WRITTEN + b"\0\0", [100, 400, 700], True),
        (word(28, 18) + word(63, 1000) + b"a" * 1000 + word(1, 82) + b"\0\0", [18, 100], True),
        (word(28, 18) + word(63, 3) + b"abc" + b"\x07" + word(1, 82) + b"\0\0", [18, 100], True),
        (word(59, 7) + skip(5)[2:] + word(1, 95) + b"\0\0", [100], True),
        (b"\0\0", [], True),
    ],
)
def test_what_is_not_to_the_letter_is_read(tmp_path, data, samples, ended):
    (tmp_path / "r.atr").write_bytes(data)
    loaded = load(tmp_path / "r.atr")
    assert [mark.sample for mark in loaded.marks] == samples
    assert (loaded.rate, loaded.ended) == (None, ended)


AHA = b"".join(
    b"\0" + bytes([c]) + i.to_bytes(4, "little") + bytes(10) for i, c in enumerate(b"NVN")
)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "is empty"),
        (b"\0", "is empty"),
        (WRITTEN + b"\1", "is cut off"),
        (WRITTEN + word(59) + b"\1\0", "is cut off"),
        (WRITTEN + word(63, 100) + b"short", "is cut off in a note"),
        (WRITTEN + word(55) + b"\0\0", "no annotation"),
        (AHA, "AHA's format: convert it"),
        (b"0:00.100 36 N 0 0 0\n0:01.200 432 V 0 0 0\n", "is text"),
        (word(22) + word(63, 20) + b"## time resolution:0" + WRITTEN, "time resolution"),
        (word(22) + word(63, 22) + b"## time resolution:1e9" + WRITTEN, "time resolution"),
        (word(22) + word(63, 20) + b"## time resolution:x" + WRITTEN, "time resolution"),
        (b"\1\4" * 4_000_001, "larger"),
    ],
)
def test_what_no_program_could_read_is_refused_for_what_it_is(tmp_path, data, match):
    (tmp_path / "r.atr").write_bytes(data)
    with pytest.raises(ValueError, match=match):
        load(tmp_path / "r.atr")


@given(st.binary(max_size=60))
def test_what_is_decoded_to_the_letter_is_loaded_alike(tmp_path_factory, data):
    try:
        rows = decode(data)
    except ValueError:
        return
    file = tmp_path_factory.getbasetemp() / "any.atr"
    file.write_bytes(data)
    assert load(file).marks == [row for row in rows if not row.note.startswith("## ")]


def put(folder, *, rate=360, per_frame=1, n=3600):
    signal = np.arange(n * per_frame) % 1000
    (folder / "r.dat").write_bytes(signal.astype("<i2").tobytes())
    (folder / "r.hea").write_text(f"r 1 {rate} {n}\nr.dat 16x{per_frame} 200/mV\n")
    return Found("r", "r", folder / "r")


@pytest.mark.parametrize("rate", [360, 250, 128.5])
@pytest.mark.parametrize("per_frame", [1, 3])
@pytest.mark.parametrize("hz", [None, 125, 360, 720, 1000, 256.25])
def test_annotations_come_to_the_samples_of_the_signal(tmp_path, rate, per_frame, hz):
    found = put(tmp_path, rate=rate, per_frame=per_frame)
    seconds = np.array([0.5, 1.25, 7.3])
    at = np.round(seconds * (hz or rate)).astype(int)
    wfdb.wrann("r", "atr", at, ["N", "V", "N"], fs=hz, write_dir=str(tmp_path))
    got = read(found)
    assert got.annotations.symbols == ("N", "V", "N")
    off = np.abs(got.annotations.samples / got.rate - seconds)
    assert off.max() <= 0.5 / (hz or rate) + 0.5 / got.rate + 1e-9


def test_annotations_outside_the_signal_are_left_out(tmp_path):
    found = put(tmp_path)
    marks = skip(-20) + word(28) + skip(120) + word(1) + skip(10**7) + word(5) + b"\0\0"
    (tmp_path / "r.atr").write_bytes(marks)
    assert read(found).annotations.samples.tolist() == [100]
    assert not read(found).notice


def test_a_missing_end_is_reported_and_the_rest_is_used(tmp_path):
    found = put(tmp_path)
    (tmp_path / "r.atr").write_bytes(WRITTEN)
    got = read(found)
    assert got.annotations.samples.tolist() == [100, 400, 700]
    assert "r.atr of r has no end mark" in got.notice


def test_another_annotator_is_read_and_those_that_are_there_are_named(tmp_path):
    found = put(tmp_path)
    assert read(found).annotations is None
    assert read(found).notice == ""
    (tmp_path / "r.ecg").write_bytes(WRITTEN + b"\0\0")
    (tmp_path / "r.txt").write_text("not an annotation file of any kind")
    (tmp_path / "r.qrs").write_bytes(encode([Annotation(5, 1)]))
    assert read(found).annotations is None
    assert "Beside it lie those of ecg, qrs: choose them with --annotator ecg" in read(found).notice
    for name in ("ecg", ".ecg"):
        assert read(found, annotator=name).annotations.samples.tolist() == [100, 400, 700]
    with pytest.raises(RecordError, match=r"r has no annotations r\.ari: choose ecg, qrs"):
        read(found, annotator="ari")
    for name in ("", "a/b", "../x", "a b", "x" * 40):
        with pytest.raises(RecordError, match="is no annotator"):
            read(found, annotator=name)


@pytest.mark.parametrize("note", ["(AFIB", "(AFIB\0"])
def test_a_note_is_the_same_with_the_end_that_the_library_in_c_gives_it(tmp_path, note):
    (tmp_path / "r.hea").write_text("r 1 250 1000\nr.dat 16 200 16 0 0 0 0 II\n")
    (tmp_path / "r.dat").write_bytes(bytes(2000))
    (tmp_path / "r.atr").write_bytes(encode([Annotation(100, 28, 0, note), Annotation(200, 1)]))
    marks = read(Found("r", "r", tmp_path / "r")).annotations
    assert marks.notes == ("(AFIB", "")
