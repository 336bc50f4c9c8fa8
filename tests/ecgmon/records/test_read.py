import numpy as np
import pytest
import wfdb

from ecgmon.core.constants import NO_VALUE
from ecgmon.core.errors import RecordError
from ecgmon.core.units import millivolts
from ecgmon.records import Record
from ecgmon.records.formats.wfdb.reader import verify
from ecgmon.records.read import read
from ecgmon.records.record import Found
from ecgmon.wire import Frame


def test_a_record_is_read_as_it_was_written(record):
    got = read(record)
    assert (got.name, got.wearer, got.lead) == ("test/100", "100", "MLII")
    assert (got.rate, got.gain, got.missing) == (360.0, 200.0, ())
    assert got.samples.dtype == np.int16
    expected = (1000 * np.sin(np.arange(4000) / 30)).astype(np.int64)
    assert np.array_equal(got.samples, expected)
    assert np.array_equal(got.millivolts(), expected / 200)
    assert got.annotations.samples.dtype == np.int64
    assert got.annotations.samples.tolist() == [100, 400, 700]
    assert got.annotations.symbols == ("N", "V", "N")


@pytest.mark.parametrize(
    ("name", "lead", "channel", "found"),
    [
        ("203", None, 0, "MLII"),
        ("114", None, 1, "MLII"),  # the one record that has lead II second
        ("114", "1", 0, "V5"),
        ("114", "V5", 0, "V5"),
        ("102", None, 0, "V5"),  # no lead II
    ],
)
def test_a_real_record_is_read_as_wfdb_reads_it(mitdb, name, lead, channel, found):
    got = read(Found(f"mitdb/{name}", name, mitdb / name), lead=lead)
    theirs = wfdb.rdrecord(str(mitdb / name), channels=[channel])
    np.testing.assert_allclose(got.millivolts(), theirs.p_signal[:, 0], atol=1e-12)
    assert (got.lead, got.rate, got.gain) == (found, 360, 200)
    marks = wfdb.rdann(str(mitdb / name), "atr")
    assert np.array_equal(got.annotations.samples, marks.sample)
    assert got.annotations.symbols == tuple(marks.symbol)


@pytest.mark.parametrize(
    ("fmt", "invalid"),
    [("16", -32768), ("212", -2048), ("80", -128), ("24", -(2**23)), ("32", -(2**31))],
)
def test_samples_marked_invalid_are_no_value_and_not_a_number(tmp_path, write_record, fmt, invalid):
    counts = np.tile(np.arange(-100, 100), 5)[:, None]
    counts[[0, 400, 999]] = invalid
    got = read(write_record(tmp_path, counts=counts, fmt=[fmt]))
    assert np.flatnonzero(got.samples == NO_VALUE).tolist() == [0, 400, 999]
    assert np.flatnonzero(np.isnan(got.millivolts())).tolist() == [0, 400, 999]
    valid = got.samples != NO_VALUE
    assert np.array_equal(got.samples[valid], counts[valid, 0])


def test_a_record_of_nothing_but_invalid_samples_is_read(tmp_path, write_record):
    got = read(write_record(tmp_path, counts=np.full((500, 1), -32768)))
    assert (got.samples == NO_VALUE).all()


def test_counts_are_from_zero_millivolts_whatever_the_adcs_baseline(tmp_path, write_record):
    counts = np.arange(0, 2000)[:, None]
    got = read(write_record(tmp_path, counts=counts, baseline=[1024]))
    assert np.array_equal(got.samples, counts[:, 0] - 1024)


def test_counts_beyond_16_bits_are_made_coarser_not_clipped(tmp_path, write_record):
    counts = np.linspace(-32000, 32000, 1000).round().astype(np.int64)[:, None]
    got = read(write_record(tmp_path, counts=counts, baseline=[20_000], adc_gain=[10_000.0]))
    expected = (counts[:, 0] - 20_000) / 10_000
    assert np.abs(got.samples.astype(int)).max() == 32767
    np.testing.assert_allclose(got.millivolts(), expected, atol=0.5 / got.gain + 1e-6)


def test_a_negative_gain_turns_the_signal_not_the_gain(record, file_of):
    header = file_of(record, ".hea")
    upright = read(record).millivolts()
    header.write_text(header.read_text().replace(" 200.0(0)", " -200.0(0)"))
    got = read(record)
    assert got.gain == 200.0
    assert np.array_equal(got.millivolts(), -upright)


def test_whatever_is_read_can_be_sent(tmp_path, write_record):
    for n, changes in enumerate(
        [
            {},
            {"sig_name": ["ECG I", "ECG II filtered"]},
            {"fs": 128.5},
            {"adc_gain": [123456.789, 1.0]},
            {"adc_gain": [0.01, 1.0]},
        ]
    ):
        got = read(write_record(tmp_path, f"r{n}", **changes))
        frame = Frame(1, 0, 0, round(1000 * got.rate), got.gain, got.lead, got.samples[:360])
        sent = Frame.decode(frame.encode())
        assert sent.lead == got.lead
        converted_record = millivolts(sent.samples, sent.gain)
        assert np.array_equal(converted_record, got.millivolts()[:360])


def test_a_lead_is_chosen_by_its_name(record):
    got = read(record, lead="V5")
    assert got.lead == "V5"
    assert np.array_equal(got.samples, -(1000 * np.sin(np.arange(4000) / 30)).astype(int) // 2)


def test_the_name_of_a_lead_has_no_blanks_and_eight_characters(tmp_path, write_record):
    found = write_record(tmp_path, sig_name=["ECG lead I", "ECG II"])
    assert read(found, lead="1").lead == "ECG_lead"
    for name in ("ECG II", "ECG_II"):
        assert read(found, lead=name).lead == "ECG_II"


def test_leads_without_names_are_numbered(record, file_of):
    file_of(record, ".hea").write_text("100 2 360 4000\n100.dat 16\n100.dat 16\n")
    assert read(record).lead == "lead1"
    assert read(record, lead="lead2").lead == "lead2"


def test_a_record_without_annotations_has_none(tmp_path, write_record):
    assert read(write_record(tmp_path, annotate=False)).annotations is None


@pytest.mark.parametrize("first", [0, 7])
@pytest.mark.parametrize("initial", [0, 7, 120])
def test_a_checksum_of_zero_was_never_computed(tmp_path, write_record, file_of, first, initial):
    counts = np.arange(first, first + 1000)
    found = write_record(tmp_path, counts=counts[:, None])
    line = f"100.dat 16 200.0(0)/mV 16 0 {initial} 0 0 MLII"
    file_of(found, ".hea").write_text(f"100 1 360 1000\n{line}\n")
    assert np.array_equal(read(found).samples, counts)


def test_a_checksum_counts_by_its_lower_16_bits(tmp_path, write_record, file_of):
    counts = np.arange(-2000, -1000)
    found, total = write_record(tmp_path, counts=counts[:, None]), int(counts.sum())
    for checksum in (total, total % 65536, total % 65536 - 65536):
        line = f"100.dat 16 200/mV 16 0 -2000 {checksum} 0 MLII"
        file_of(found, ".hea").write_text(f"100 1 360 1000\n{line}\n")
        assert np.array_equal(read(found).samples, counts)
    file_of(found, ".hea").write_text(f"100 1 360 1000\n100.dat 16 200 16 0 0 {total + 1}\n")
    with pytest.raises(RecordError, match="checksum"):
        read(found)


def test_a_whole_record_is_verified(record):
    verify(record)


def test_values_not_measured_are_not_numbers_and_the_gain_is_the_one_of_the_wire():
    gain = 1 / 0.0049
    values = millivolts(np.array([0, 100, NO_VALUE, -32767], dtype=np.int16), gain)
    assert np.isnan(values).tolist() == [False, False, True, False]
    on_the_wire = float(np.float32(gain))
    assert on_the_wire != gain
    assert values[[0, 1, 3]].tolist() == [0.0, 100 / on_the_wire, -32767 / on_the_wire]
    record = Record("x", "x", 360.0, gain, "II", np.array([100], dtype=np.int16))
    assert record.millivolts().tolist() == [100 / on_the_wire]


def test_a_note_on_the_file_is_no_annotation_of_the_signal(tmp_path):
    """``wfdb.wrann`` writes an annotation at sample 0 if it is given the rate."""
    wfdb.wrsamp("x", 360, ["mV"], ["II"], np.zeros((3600, 1)), fmt=["16"], write_dir=str(tmp_path))
    wfdb.wrann("x", "atr", np.array([100, 900]), ["N", "V"], fs=360, write_dir=str(tmp_path))
    annotations = read(Found("x", "x", tmp_path / "x")).annotations
    assert (annotations.samples.tolist(), annotations.symbols) == ([100, 900], ("N", "V"))


def test_annotations_past_the_end_are_left_out(tmp_path):
    signal = np.zeros((1000, 1))
    wfdb.wrsamp("x", 360, ["mV"], ["II"], signal, fmt=["16"], write_dir=str(tmp_path))
    wfdb.wrann("x", "atr", np.array([100, 999, 1000]), ["N", "V", "N"], write_dir=str(tmp_path))
    found = Found("x", "x", tmp_path / "x")
    assert read(found).annotations.samples.tolist() == [100, 999]
