"""Records of several segments, with a fixed and a variable layout."""

import numpy as np
import pytest
import wfdb

from ecgmon.core.constants import NO_VALUE
from ecgmon.core.errors import RecordError
from ecgmon.records.formats.wfdb.reader import verify
from ecgmon.records.read import read
from ecgmon.records.record import Found

COUNTS = np.arange(-500, 500)


def segment(folder, name, *signals, first="250 1000", per_frame=1):
    """Write a segment whose signals are given by name, gain and counts."""
    columns = [counts.reshape(-1, per_frame) for _, _, counts in signals]
    (folder / f"{name}.dat").write_bytes(np.concatenate(columns, axis=1).astype("<i2").tobytes())
    lines = [f"{name} {len(signals)} {first}"]
    for lead, gain, counts in signals:
        total = int(counts.sum()) % 65536
        lines.append(f"{name}.dat 16x{per_frame} {gain} 16 0 {counts[0]} {total} 0 {lead}")
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n")


def master(folder, *lines, first="250", signals=2):
    (folder / "r.hea").write_text("\n".join([f"r/{len(lines)} {signals} {first}", *lines]) + "\n")
    return Found("r", "r", folder / "r")


def test_segments_of_one_layout_follow_each_other(tmp_path):
    segment(tmp_path, "a", ("II", "200/mV", COUNTS), ("V5", "200/mV", -COUNTS))
    segment(tmp_path, "b", ("II", "200/mV", COUNTS + 7), ("V5", "200/mV", COUNTS))
    found = master(tmp_path, "a 1000", "~ 250", "b 1000", first="250 2250")
    gap = np.full(250, NO_VALUE)
    for lead, parts in (("II", (COUNTS, gap, COUNTS + 7)), ("V5", (-COUNTS, gap, COUNTS))):
        got = read(found, lead=lead)
        assert (got.lead, got.rate, got.gain) == (lead, 250, 200)
        np.testing.assert_array_equal(got.samples, np.concatenate(parts))
    verify(found)
    found = master(tmp_path, "a 1000", "b 1000", first="250 2000")
    theirs = wfdb.rdrecord(str(found.path), channels=[0], m2s=True).p_signal[:, 0]
    np.testing.assert_allclose(read(found).millivolts(), theirs, atol=1e-9)


def test_a_segment_may_lack_the_lead_or_have_it_elsewhere_with_another_gain(tmp_path):
    layout = (
        "layout 3 250 0\n~ 0 200/mV 16 0 0 0 0 ABP\n~ 0 1/mV 0 0 0 0 0 V5\n~ 0 1/mV 0 0 0 0 0 II"
    )
    (tmp_path / "layout.hea").write_text(layout)
    segment(tmp_path, "a", ("II", "200/mV", COUNTS), ("V5", "200/mV", -COUNTS))
    segment(tmp_path, "b", ("V5", "200/mV", COUNTS))
    segment(tmp_path, "c", ("ABP", "10/mmHg", COUNTS), ("II", "0.1(3)/uV", COUNTS))
    found = master(tmp_path, "layout 0", "a 1000", "b 1000", "c 1000", signals=3)
    got = read(found)
    assert (got.lead, got.gain) == ("II", 200)
    np.testing.assert_array_equal(got.samples[:1000], COUNTS)
    assert (got.samples[1000:2000] == NO_VALUE).all()
    np.testing.assert_array_equal(got.samples[2000:], (COUNTS - 3) * 2)
    assert (read(found, lead="V5").samples[2000:] == NO_VALUE).all()


def test_without_a_layout_every_segment_may_bring_a_lead(tmp_path):
    segment(tmp_path, "a", ("V5", "200", COUNTS))
    segment(tmp_path, "b", ("II", "200", COUNTS))
    found = master(tmp_path, "a 1000", "b 1000", first="250 2000")
    assert (read(found).samples[:1000] == NO_VALUE).all()
    np.testing.assert_array_equal(read(found).samples[1000:], COUNTS)
    np.testing.assert_array_equal(read(found, lead="V5").samples[:1000], COUNTS)


def test_frames_of_several_samples_and_annotations_come_to_the_lead_s_own_samples(tmp_path):
    for name in "ab":
        segment(tmp_path, name, ("II", "200", COUNTS), first="50 250", per_frame=4)
    found = master(tmp_path, "a 250", "~ 50", "b 250", first="50", signals=1)
    wfdb.wrann("r", "atr", np.array([10, 320]), ["N", "V"], write_dir=str(tmp_path))
    got = read(found)
    assert (got.rate, len(got.samples)) == (200, 2200)
    np.testing.assert_array_equal(got.samples[1200:], COUNTS)
    assert got.annotations.samples.tolist() == [40, 1280]


def test_a_segment_shorter_than_announced_leaves_a_gap_and_a_longer_one_is_cut(tmp_path):
    segment(tmp_path, "a", ("II", "200", COUNTS))
    segment(tmp_path, "b", ("II", "200", COUNTS))
    got = read(master(tmp_path, "a 1100", "b 600", signals=1)).samples
    assert len(got) == 1700
    np.testing.assert_array_equal(got[:1000], COUNTS)
    assert (got[1000:1100] == NO_VALUE).all()
    np.testing.assert_array_equal(got[1100:], COUNTS[:600])


def test_what_cannot_be_joined_is_refused(tmp_path):
    segment(tmp_path, "a", ("II", "200", COUNTS))
    segment(tmp_path, "fast", ("II", "200", COUNTS), first="500 1000")
    segment(tmp_path, "other", ("V5", "200", COUNTS))
    segment(tmp_path, "pressure", ("II", "200/mmHg", COUNTS))
    (tmp_path / "layout.hea").write_text("layout 1 250 0\n~ 0 200/mV 16 0 0 0 0 II\n")
    for lines, match in [
        (("a 1000", "gone 1000"), "header of r:gone cannot be read"),
        (("a 1000", "fast 1000"), "not of one sampling rate"),
        (("a 1000", "pressure 1000"), "II of r:pressure is in mmHg"),
        (("layout 0", "other 1000"), "II of r holds no samples: choose one of V5"),
        (("a 0", "other 1000"), "No segment of r holds lead II"),
        (("a 1000", "r 1000"), "segments within segments"),
        (("~ 1000",), "no signals"),
        (("a 99999999999",), "no samples that could be read"),
    ]:
        with pytest.raises(RecordError, match=match):
            read(master(tmp_path, *lines, signals=1), lead="II")
    damaged = bytearray((tmp_path / "a.dat").read_bytes())
    damaged[500] ^= 1
    (tmp_path / "a.dat").write_bytes(damaged)
    found = master(tmp_path, "other 1000", "a 1000", signals=1)
    for reading in (read, verify):
        with pytest.raises(RecordError, match="r:a does not match the checksum"):
            reading(found)
