"""Signal files in every storage format, with frames of several samples, skew and offset."""

from dataclasses import dataclass

import numpy as np
import pytest
import soundfile
import wfdb
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import NO_VALUE
from ecgmon.core.errors import RecordError
from ecgmon.records.read import read
from ecgmon.records.record import Found

BITS = {"16": 16, "61": 16, "80": 8, "160": 16, "212": 12, "24": 24, "32": 32, "310": 10, "311": 10}
LAST = {"212": (2, (0, 2, 3)), "310": (3, (0, 2, 4, 4)), "311": (3, (0, 2, 3, 4))}
"""Samples of a unit, and bytes that its first samples take."""


def units(samples, n, bits):
    """Samples in rows of n, the last one filled with zeros."""
    filled = np.concatenate([samples, np.zeros(-len(samples) % n, dtype=np.int64)])
    return (filled & ((1 << bits) - 1)).reshape(-1, n).T


def stored(samples, fmt):
    """The bytes of a signal file."""
    if fmt == "212":
        a, b = units(samples, 2, 12)
        return np.stack([a & 255, a >> 8 | (b >> 8) << 4, b & 255], 1).astype(np.uint8).tobytes()
    if fmt == "310":
        a, b, c = units(samples, 3, 10)
        return (
            np.stack([a << 1 | (c & 31) << 11, b << 1 | (c >> 5) << 11], 1).astype("<u2").tobytes()
        )
    if fmt == "311":
        a, b, c = units(samples, 3, 10)
        return (a | b << 10 | c << 20).astype("<u4").tobytes()
    if fmt == "24":
        return b"".join(int(v).to_bytes(3, "little", signed=True) for v in samples)
    dtype, offset = {
        "8": ("i1", 0),
        "16": ("<i2", 0),
        "61": (">i2", 0),
        "32": ("<i4", 0),
        "80": ("u1", 128),
        "160": ("<u2", 32768),
    }[fmt]
    return (samples + offset).astype(dtype).tobytes()


@dataclass
class Made:
    """A record: its signals as stored, shape (frames, samples in a frame)."""

    fmt: str
    signals: list
    skews: list
    offset: int

    def write(self, folder, *, length=True, complete_units=True):
        """Write it; without ``complete_units`` the file ends with the last sample."""
        frames = np.concatenate(self.signals, axis=1)
        flat = frames.ravel()
        if self.fmt == "8":
            steps = [
                np.diff(s.ravel(), prepend=s.ravel()[0]).reshape(s.shape) for s in self.signals
            ]
            flat = np.concatenate(steps, axis=1).ravel()
        data = stored(flat, self.fmt)
        if not complete_units:
            per_unit, used = LAST.get(self.fmt, (1, (0,)))
            left = len(flat) % per_unit
            data = data[: len(data) - used[-1] + used[left]] if left else data
        (folder / "r.dat").write_bytes(b"\x7f" * self.offset + data)
        lines = [f"r {len(self.signals)} 250{f' {len(frames)}' if length else ''}"]
        for i, (signal, skew) in enumerate(zip(self.signals, self.skews, strict=True)):
            total = int(signal.sum()) % 65536
            how = f"{self.fmt}x{signal.shape[1]}:{skew}+{self.offset}"
            lines.append(f"r.dat {how} 100(7)/mV 0 0 {signal.ravel()[0]} {total} 0 lead {i}")
        (folder / "r.hea").write_text("\n".join(lines) + "\n")
        return Found("r", "r", folder / "r")


@st.composite
def made(draw):
    fmt = draw(st.sampled_from([*BITS, "8"]))
    top = min(1 << (BITS.get(fmt, 6) - 1), 30_000)
    frames = draw(st.integers(1, 40))
    widths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    values = np.random.default_rng(draw(st.integers(0, 99)))
    signals = [values.integers(-top + 1, top, (frames, width)) for width in widths]
    skews = [draw(st.integers(0, min(3, frames - 1))) for _ in widths]
    return Made(fmt, signals, skews, draw(st.sampled_from([0, 3, 24])))


ODD = [np.arange(5)[:, None]]


@given(made(), st.booleans())
@example(Made("212", ODD, [0], 0), False)
@example(Made("310", ODD, [0], 0), False)
@example(Made("311", ODD, [0], 0), False)
@settings(max_examples=60)
def test_every_sample_of_every_frame_is_read_at_the_signal_s_own_rate(
    tmp_path_factory, record, complete_units
):
    found = record.write(tmp_path_factory.getbasetemp(), complete_units=complete_units)
    for i, (signal, skew) in enumerate(zip(record.signals, record.skews, strict=True), start=1):
        got, width = read(found, lead=str(i)), signal.shape[1]
        assert got.rate == 250 * width
        assert got.gain == 100
        assert len(got.samples) == signal.size
        there = signal.size - skew * width
        np.testing.assert_array_equal(got.samples[:there], signal.ravel()[skew * width :] - 7)
        assert (got.samples[there:] == NO_VALUE).all()


@given(made())
@settings(max_examples=25)
def test_wfdb_reads_the_same(tmp_path_factory, record):
    record.skews = [max(record.skews)] * len(record.skews)  # wfdb fails on others in one file
    record.fmt = "16" if record.fmt == "61" else record.fmt  # and on this byte order
    found = record.write(tmp_path_factory.getbasetemp())
    theirs = wfdb.rdrecord(str(found.path), physical=False, smooth_frames=False)
    for i, signal in enumerate(theirs.e_d_signal):
        got = read(found, lead=str(i + 1)).samples
        there = got != NO_VALUE
        np.testing.assert_array_equal(got[there], signal[there] - 7)


@given(made())
@settings(max_examples=25)
def test_without_a_length_it_is_computed_from_the_file(tmp_path_factory, record):
    record.skews = [0] * len(record.skews)
    found = record.write(tmp_path_factory.getbasetemp(), length=False)
    for i, signal in enumerate(record.signals, start=1):
        got = read(found, lead=str(i)).samples
        n = signal.size  # the last unit may hold a sample or two that were not written
        assert n <= len(got) <= n + 2 * signal.shape[1]
        np.testing.assert_array_equal(got[:n], signal.ravel() - 7)


def test_a_long_file_is_read_in_parts_as_it_is_in_one(tmp_path, monkeypatch):
    values = np.random.default_rng(1)
    for fmt in ("212", "310", "16", "8"):
        top = 60 if fmt == "8" else 500
        signals = [values.integers(-top, top, (1001, width)) for width in (1, 2)]
        found = Made(fmt, signals, [0, 0], 5).write(tmp_path)
        content = [read(found, lead=lead).samples for lead in "12"]
        with monkeypatch.context() as patch:
            patch.setattr("ecgmon.records.formats.wfdb.signals._BLOCK", 20)
            for lead, samples in zip("12", content, strict=True):
                np.testing.assert_array_equal(read(found, lead=lead).samples, samples)


def test_damage_in_any_sample_of_a_frame_is_found(tmp_path):
    found = Made("16", [np.arange(400).reshape(100, 4)], [0], 0).write(tmp_path)
    good = (tmp_path / "r.dat").read_bytes()
    for at in (0, 2, 5, 799):
        (tmp_path / "r.dat").write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        with pytest.raises(RecordError, match="checksum"):
            read(found)


@pytest.mark.parametrize(
    ("fmt", "bits", "subtype"),
    [("508", 8, "PCM_S8"), ("516", 16, "PCM_16"), ("524", 24, "PCM_24"), ("524", 16, "PCM_16")],
)
@pytest.mark.parametrize("per_frame", [1, 3])
def test_flac_is_read(tmp_path, monkeypatch, fmt, bits, subtype, per_frame):
    monkeypatch.setattr("ecgmon.records.formats.wfdb.signals._BLOCK", 100)
    top = min(1 << (bits - 1), 30_000)
    values = np.random.default_rng(1).integers(-top + 1, top, (300, 2))
    values[7] = -(1 << (int(fmt) % 500 - 1)) if int(fmt) % 500 == bits else 0
    data = (values << (32 - bits)).astype(np.int32)
    soundfile.write(tmp_path / "r.dat", data, 96_000, format="FLAC", subtype=subtype)
    sums = values.sum(axis=0)
    lines = [f"r 2 250 {300 // per_frame}"]
    lines += [f"r.dat {fmt}x{per_frame} 100/mV 0 0 {values[0, i]} {sums[i]} 0 II" for i in (0, 1)]
    (tmp_path / "r.hea").write_text("\n".join(lines))
    found = Found("r", "r", tmp_path / "r")
    for i in (0, 1):
        got = read(found, lead=str(i + 1))
        assert got.rate == 250 * per_frame
        known = got.samples != NO_VALUE
        assert known.sum() == (299 if values[7, 0] else 300)
        np.testing.assert_array_equal(got.samples[known], values[known, i])


def test_a_flac_file_of_another_kind_or_cut_off_is_refused(tmp_path):
    samples = np.random.default_rng(1).integers(-999, 999, 9000).astype(np.int16)
    soundfile.write(tmp_path / "r.dat", samples, 96_000, format="FLAC", subtype="PCM_16")
    content = (tmp_path / "r.dat").read_bytes()
    found = Found("r", "r", tmp_path / "r")
    for fmt, n, data, match in [
        ("508", 9000, content, "no FLAC file of format 508"),
        ("516", 9001, content, "truncated"),
        ("516", 9000, content[:9000], r"damaged|truncated"),
        ("516", 9000, b"RIFF" * 20, "no FLAC file"),
    ]:
        (tmp_path / "r.dat").write_bytes(data)
        (tmp_path / "r.hea").write_text(f"r 1 360 {n}\nr.dat {fmt} 100/mV\n")
        with pytest.raises(RecordError, match=match):
            read(found)
