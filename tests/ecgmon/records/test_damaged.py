"""Records that cannot be read: every way ends in one sentence, none in a wrong signal."""

import os
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecgmon.core.errors import RecordError
from ecgmon.records import Record
from ecgmon.records.formats.wfdb.reader import verify
from ecgmon.records.read import read
from ecgmon.records.record import Found


def refused(found, match, **options):
    with pytest.raises(RecordError, match=match) as caught:
        read(found, **options)
    assert "\n" not in str(caught.value)
    assert found.name in str(caught.value)


@pytest.mark.parametrize("left", [0, 1, 100, 15_998, 15_999])
def test_a_truncated_signal_is_refused(record, file_of, left):
    dat = file_of(record, ".dat")
    assert dat.stat().st_size == 16_000
    dat.write_bytes(dat.read_bytes()[:left])
    refused(record, r"100\.dat is truncated: it holds [0-9,]+ of 4,000 frames")


@pytest.mark.parametrize("at", [0, 1, 5_000, 15_996, 15_997])
def test_a_damaged_signal_is_refused_by_its_checksum(record, file_of, at):
    dat = file_of(record, ".dat")
    data = bytearray(dat.read_bytes())
    data[at] ^= 0x10
    dat.write_bytes(data)
    refused(record, r"does not match the checksum")
    with pytest.raises(RecordError, match="checksum"):
        verify(record)


def test_damage_in_another_lead_is_found_when_the_whole_record_is_verified(record, file_of):
    dat = file_of(record, ".dat")
    data = bytearray(dat.read_bytes())
    data[8_002] ^= 1  # samples of both leads alternate
    dat.write_bytes(data)
    read(record)
    refused(record, r"does not match the checksum", lead="V5")
    with pytest.raises(RecordError, match="checksum"):
        verify(record)


def test_a_missing_signal_is_refused(record, file_of):
    file_of(record, ".dat").unlink()
    refused(record, r"100\.dat: No such file")


def test_a_pipe_is_no_signal_file_and_is_not_waited_for(record, file_of):
    file_of(record, ".dat").unlink()
    os.mkfifo(file_of(record, ".dat"))
    refused(record, r"100\.dat: No such file")


def test_a_missing_header_is_refused(record, file_of):
    file_of(record, ".hea").unlink()
    refused(record, r"header of .* cannot be read")


def test_a_lead_that_is_not_there_is_refused_and_those_that_are_named(record):
    refused(record, r"no lead II: choose one of MLII, V5", lead="II")
    refused(record, r"no lead", lead="")


@pytest.mark.parametrize("unit", ["l", "mmHg", "pm", "NU"])
def test_a_lead_that_is_no_voltage_is_refused(tmp_path, write_record, unit):
    found = write_record(tmp_path, units=["mV", unit])
    assert read(found).lead == "MLII"
    refused(found, f"V5 of test/100 is in {unit}, not in volts: choose one of MLII", lead="V5")


def test_a_record_without_any_voltage_is_refused_and_what_it_holds_is_named(tmp_path, write_record):
    found = write_record(tmp_path, units=["mmHg", "l"], sig_name=["ABP", "Resp"])
    refused(found, r"no lead in volts, but ABP \(mmHg\), Resp \(l\)")


@pytest.mark.parametrize(
    ("header", "match"),
    [
        ("", "header"),
        ("\n\n", "header"),
        ("\0\0\0", "header"),
        ("100", "header"),
        ("hello world\n", "header"),
        ("100 0 360 4000\n", "no signals"),
        ("100 2 360 4000\n", "."),
        ("100 3 360 4000\n100.dat 16\n100.dat 16\n", "."),
        ("100 2 360\nnowhere.dat 16\nnowhere.dat 16\n", "No such file"),
        ("100 2 360 4001\n100.dat 16\n100.dat 16\n", "truncated"),
        ("100 2 360 199999999\n100.dat 16\n100.dat 16\n", "truncated"),
        ("100 2 360 0\n100.dat 16+16000\n100.dat 16\n", "no samples"),
        ("100 2 360 99999999999999\n100.dat 16\n100.dat 16\n", "no samples"),
        ("100 2 0 4000\n100.dat 16\n100.dat 16\n", "0 is no sampling rate"),
        ("100 2 -360 4000\n100.dat 16\n100.dat 16\n", "-360 is no sampling rate"),
        ("100 2 360 -1\n100.dat 16\n100.dat 16\n", "-1 is no number of samples"),
        ("100 2 360 4000\n100.dat 16 nan/mV\n100.dat 16\n", "nan/mV is no gain"),
        ("100 2 360 4000\n100.dat 16 200mV\n100.dat 16\n", "200mV is no gain"),
        ("100 2 360 4000\n100.dat 16 200/mV 16 0\n", "announces 2 signals and names 1"),
        ("100 2 360 4000\n100.dat 16 1e999\n100.dat 16\n", "no gain"),
        ("100 2 360 4000\n100.dat 16 200(9999999999)\n100.dat 16\n", "more than 32 bits"),
        ("100 2 360 4000\n100.dat 16 1\n100.dat 212\n", "two formats for 100.dat"),
        ("100 2 360 4000\n100.dat 516\n100.dat 516\n", "no FLAC"),
        ("100 1 360 4000\n~ 0 200/mV 16 0 0 0 0 II\n", "no lead in volts"),
        (f"100 1 360 4000\n100.dat 16 200/mV 16 0 0 0 0 {'x' * 1000}\n", "1,000 characters"),
        ("100 2 360 4000\n100.dat 16 1e-9/mV\n100.dat 16\n", "sampling rate or gain"),
        ("100 2 360 4000\n100.dat 99\n100.dat 99\n", "format 99 of 100.dat is unknown"),
        ("100 2 360 4000\n../../etc/passwd 16\n100.dat 16\n", "."),
        ("100 2 360 4000\n/etc/passwd 16\n100.dat 16\n", "."),
        ("100/2 2 360 4000\n100a 2000\n100b 2000\n", "100a cannot be read"),
        ("100/2 2 360 4000\n100a 2000\n", "announces 2 segments and names 1"),
        ("100/1 2 360 4000\n100 4000\n", "segments within segments"),
        ("100/1 2 360 4000\n~ 4000\n", "no signals"),
        ("100 2 360 4000\n100.dat 16 200/mV 16 0 0 1 0 Ableitung-Ü\n100.dat 16\n", "checksum"),
    ],
)
def test_a_broken_header_is_refused(record, file_of, header, match):
    file_of(record, ".hea").write_text(header)
    refused(record, match)


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff" * 7, b"\0", b"\xec\xff\xff\xff\xff\xff", b"\1\4\xe8\xfffew", b"\1\4\5"],
)
def test_damaged_annotations_are_refused_or_the_signal_is_read_without(record, file_of, data):
    file_of(record, ".atr").write_bytes(data)
    refused(record, r"annotations of .* 100\.atr again")
    got = read(record, lenient=True)
    assert got.annotations is None
    assert "The annotations of test/100 cannot be read" in got.notice
    assert len(got.samples) == 4000


@pytest.fixture(scope="module")
def shared(tmp_path_factory, write_record):
    """A record whose files each example replaces."""
    return write_record(tmp_path_factory.mktemp("shared"))


HEADER = """100 2 360 4000
100.dat 16 200.0(0)/mV 16 0 0 0 0 MLII
100.dat 16 200.0(0)/mV 16 0 0 0 0 V5
"""
TOKENS = (
    sorted(set(re.findall(r"\S+", HEADER)))
    + "0 -1 1e9 nan inf 1e999 24:00:00 16x2 16:3 16+8 8 61 212 310 311 516".split()
    + "~ - ../x é # / ( 100/1".split()
)


@given(
    st.lists(
        st.tuples(st.integers(0, len(re.findall(r"\S+", HEADER)) - 1), st.sampled_from(TOKENS)),
        min_size=1,
        max_size=3,
    )
)
@example([(2, "0")])
@example([(3, "-1")])
@example([(5, "16x2")])
@settings(max_examples=150)
def test_any_header_is_read_as_a_record_or_refused(shared, file_of, replacements):
    tokens = re.split(r"(\s+)", HEADER)
    for index, token in replacements:
        tokens[2 * index] = token
    file_of(shared, ".hea").write_text("".join(tokens))
    record_or_refusal(shared)


@given(st.binary(max_size=400) | st.text(max_size=100).map(str.encode))
@settings(max_examples=100)
def test_any_bytes_for_a_header_are_a_record_or_refused(shared, file_of, data):
    file_of(shared, ".hea").write_bytes(data)
    record_or_refusal(shared)


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_any_bytes_for_annotations_are_annotations_or_refused(shared, file_of, data):
    file_of(shared, ".hea").write_text(HEADER.replace(" 16 0 0 0 0 ", " 16 0 0 "))
    file_of(shared, ".atr").write_bytes(data)
    record_or_refusal(shared)


def record_or_refusal(found: Found):
    try:
        got = read(found)
    except RecordError:
        return
    assert isinstance(got, Record)
    assert got.rate > 0
    assert got.gain > 0
    assert len(got.samples) > 0
    assert got.annotations is None or len(got.annotations.samples) == len(got.annotations.symbols)
