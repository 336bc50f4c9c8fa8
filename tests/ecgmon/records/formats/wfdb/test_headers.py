"""Headers as databases write them: what shifts samples or sums counts, and nothing else does."""

import numpy as np
import pytest

from ecgmon.core.errors import RecordError
from ecgmon.records.formats.wfdb.header import Header, SegmentEntry, SignalEntry
from ecgmon.records.formats.wfdb.leads import choose, millivolts
from ecgmon.records.read import read
from ecgmon.records.record import Found

COUNTS = np.arange(-200, 800)


def put(folder, header, counts=COUNTS):
    (folder / "r.dat").write_bytes(counts.astype("<i2").tobytes())
    data = header if isinstance(header, bytes) else header.encode()
    (folder / "r.hea").write_bytes(data)
    return Found("r", "r", folder / "r")


@pytest.mark.parametrize(
    "first",
    [
        "r 1 360 1000",
        "r 1 360 0",
        "r 1 360",
        "r 1 360.0 1000.0",
        "r 1 3.6e2 1000",
        "r 1 360/90 1000",
        "r 1 360/1(0) 1000",
        "r 1 360/360.5(-20.5) 1000",
        "r 1 360(7) 1000",
        "r 1 360 1000 2006",
        "r 1 360 1000 9:49",
        "r 1 360 1000 24:00:00",
        "r 1 360 1000 24:00:00.5 32/13/1",
        "r 1 360 1000 12:00:00 01/01/199",
        "r 1 360 1000 05-May-2020 09:49:17",
        "r 1 360 9:49",
        "\t r \t 1   360\t1000 ",
        "other 1 360 1000",
        "folder/r 1 360 1000",
        "folder/100 1 360 1000",
        "a record with blanks 1 360 1000",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_first_line_is_read_for_rate_and_length_alone(tmp_path, first, end):
    lines = ["", "# made by hand", first, "# between", "r.dat 16 200/mV 16 0 -200", "#end"]
    got = read(put(tmp_path, end.join(lines) + end))
    assert (got.rate, got.gain) == (360, 200)
    np.testing.assert_array_equal(got.samples, COUNTS)


def test_a_length_shorter_than_the_file_counts(tmp_path):
    total = int(COUNTS[:600].sum()) % 65536
    got = read(put(tmp_path, f"r 1 360 600\nr.dat 16 200/mV 16 0 0 {total}\n"))
    np.testing.assert_array_equal(got.samples, COUNTS[:600])


def test_without_a_rate_it_is_wfdb_s_own(tmp_path):
    assert read(put(tmp_path, "r 1\nr.dat 16\n")).rate == 250


@pytest.mark.parametrize("data", [b"\xef\xbb\xbfr 1 360\nr.dat 16\n", b"r 1 360\nr.dat 16\n#\xe9"])
def test_a_byte_order_mark_and_letters_of_another_code_do_no_harm(tmp_path, data):
    np.testing.assert_array_equal(read(put(tmp_path, data)).samples, COUNTS)


@pytest.mark.parametrize(
    ("fields", "signal"),
    [
        ("", {}),
        ("200", {}),
        ("0", {}),
        ("0(5)/mV", {"baseline": 5, "unit": "mV"}),
        ("100", {"gain": 100.0}),
        ("-100", {"gain": -100.0}),
        ("1e2/uV", {"gain": 100.0, "unit": "uV"}),
        (".5/V", {"gain": 0.5, "unit": "V"}),
        ("100(7)", {"gain": 100.0, "baseline": 7}),
        ("100(-7.0)/mV", {"gain": 100.0, "baseline": -7, "unit": "mV"}),
        ("100()/mV 12 1024", {"gain": 100.0, "baseline": 1024, "unit": "mV", "initial": 1024}),
        ("(3)/mV", {"baseline": 3, "unit": "mV"}),
        ("/mV", {"unit": "mV"}),
        ("200 11 1024", {"baseline": 1024, "initial": 1024}),
        ("200(0) 11 1024 995", {"initial": 995}),
        ("200 11 1024 995 -22131", {"baseline": 1024, "initial": 995, "checksum": -22131}),
        ("200 11 0 0 0 0 II", {"checksum": 0, "name": "II"}),
        ("200 11 0 0 0 512 12", {"checksum": 0, "name": "12"}),
        ("200 11 0 0 0 0 ECG lead  II #2", {"checksum": 0, "name": "ECG lead  II #2"}),
        ("200 11 0 0 0 0 \u0130\u00fc", {"checksum": 0, "name": "\u0130\u00fc"}),
        ("200 # upside down", {}),
        ("200 11 II", {"name": "II"}),
        ("II", {"name": "II"}),
        ("Lead I/II", {"name": "Lead I/II"}),
    ],
)
def test_fields_of_a_signal_may_be_left_out_from_anywhere(fields, signal):
    header = Header.parse(f"r 1 360\nr.dat 16 {fields}\n".encode())
    assert header.signals == (SignalEntry("r.dat", "16", **signal),)


@pytest.mark.parametrize(
    ("how", "signal"),
    [
        ("16x4", {"per_frame": 4}),
        ("16:3", {"skew": 3}),
        ("16+24", {"offset": 24}),
        ("16x4:3+24", {"per_frame": 4, "skew": 3, "offset": 24}),
        ("16+24x4:3", {"per_frame": 4, "skew": 3, "offset": 24}),
        ("16x0:-1+0", {}),
    ],
)
def test_skew_and_offset_follow_the_format_in_any_order(how, signal):
    header = Header.parse(f"r 1 360\na file.dat {how} 200\n".encode())
    assert header.signals == (SignalEntry("a file.dat", "16", **signal),)


def test_a_segment_line_is_distinguished_from_a_record_name_with_a_folder():
    header = Header.parse(b"r/3 2 360 100\nlayout 0\n~ 40\nr_1 60\n")
    assert header.segments == (
        SegmentEntry("layout", 0),
        SegmentEntry("~", 40),
        SegmentEntry("r_1", 60),
    )
    header = Header.parse(b"mitdb/100 1 360 100\nr.dat 16 200/mV 16 0 0 0 0 II\n")
    assert not header.segments
    assert len(header.signals) == 1


def test_signal_files_may_lie_in_folders_and_be_called_anything(tmp_path):
    (tmp_path / "sig").mkdir()
    for name in ("sig/x.dat", "../up.dat", "\u00fcbung.dat", "my record.dat", "a.b.c", "noending"):
        (tmp_path / "sig" / "..").joinpath(name).write_bytes(COUNTS.astype("<i2").tobytes())
        found = put(tmp_path, f"r 1 360 1000\n{name} 16 200/mV 16 0 -200 0 0 II\n")
        np.testing.assert_array_equal(read(found).samples, COUNTS)


@pytest.mark.parametrize(
    ("unit", "size"),
    [
        *[(unit, 1.0) for unit in ("", "mV", "mv", "MV", "m_V", "millivolt", "mVolts", "mV,")],
        *[(unit, 1e-3) for unit in ("uV", "uv", "UV", "microV", "\u00b5V", "\u03bcv", "muV")],
        *[(unit, 1e3) for unit in ("V", "v", "Volt", "volts")],
        *[(unit, 1e-6) for unit in ("nV", "nv", "nanovolts")],
        *[
            (unit, None)
            for unit in ("mmHg", "NU", "l", "Ohm", "kV", "mV/s", "bpm", "vol", "%", "~")
        ],
    ],
)
def test_every_spelling_of_a_voltage_is_known(tmp_path, unit, size):
    assert millivolts(unit) == size
    if size is not None and unit:
        found = put(tmp_path, f"r 1 360 1000\nr.dat 16 {size * 200!r}/{unit} 12 0 -200\n")
        np.testing.assert_allclose(read(found).millivolts(), COUNTS / 200, atol=1e-6)


def signals(*names, units=()):
    units = (*units, *["mV"] * (len(names) - len(units)))
    return [SignalEntry("r.dat", "16", name=n, unit=u) for n, u in zip(names, units, strict=True)]


@pytest.mark.parametrize(
    ("names", "wanted", "channel"),
    [
        (("V5", "MLII"), None, 1),
        (("i", "ii"), None, 1),
        (("V,", "II,"), None, 1),
        (("ECG I", "ECG lead II"), None, 1),
        (("V5", "V2"), None, 0),
        (("EEG", "V5"), None, 1),
        (("EEG C3-A2", "EOG", "chest ECG", "V5"), None, 2),
        (("EEG", "EMG"), None, 0),
        (("", ""), None, 0),
        (("V5", "v5", "MLII"), "v5", 1),
        (("V5", "v5", "MLII"), "V5", 0),
        (("V5", "MLII"), "mlii", 1),
        (("V5", "MLII"), " MLII ", 1),
        (("ECG", "ECG"), "ECG", 0),
        (("ECG", "ECG"), "2", 1),
        (("2", "1"), "2", 0),
        (("ECG 2", "ECG 1"), "2", 1),
        (("ECG 2", "ECG 1"), "ecg_1", 1),
        (("ECG 2", "ECG 1"), "ECG1", 1),
        (("V,", "II,"), "ii", 1),
        (("\u00c4", "\u00d6"), "\u00d6", 1),
        (("\u00c4", "\u00d6"), "O\u0308", 1),
        (("", ""), "lead2", 1),
        (("", ""), "2", 1),
    ],
)
def test_a_lead_is_named_in_any_way(names, wanted, channel):
    assert choose("r", signals(*names), wanted) == channel


@pytest.mark.parametrize("wanted", ["", " ", "0", "3", "-1", "+", "aVR", "_"])
def test_what_names_no_lead_is_refused_and_those_that_are_there_are_named(wanted):
    with pytest.raises(RecordError, match=r"r has no lead .*: choose one of V5, MLII"):
        choose("r", signals("V5", "MLII"), wanted)


def test_what_is_no_voltage_is_never_chosen_unasked(tmp_path):
    assert choose("r", signals("II", "ECG", units=("mmHg", "uV")), None) == 1
    header = "r 2 360\n~ 0 200/mV 16 0 0 0 0 II\nr.dat 16 200/mV 16 0 0 0 0 V5\n"
    assert read(put(tmp_path, header)).lead == "V5"
    with pytest.raises(RecordError, match="II of r holds no samples: choose one of V5"):
        read(put(tmp_path, header), lead="II")


def test_signals_of_several_files_are_each_read_from_their_own(tmp_path):
    (tmp_path / "b.dat").write_bytes((COUNTS // 2).astype(">i2").tobytes())
    both = np.stack([COUNTS, -COUNTS], axis=1)
    lines = ["r 3 250 1000", "r.dat 16 1/mV 0 0 0 0 0 a", "b.dat 61 1/mV 0 0 0 0 0 b", "r.dat 16"]
    found = put(tmp_path, "\n".join(lines), both)
    for lead, counts in (("a", COUNTS), ("b", COUNTS // 2), ("3", -COUNTS)):
        np.testing.assert_array_equal(read(found, lead=lead).samples, counts)
