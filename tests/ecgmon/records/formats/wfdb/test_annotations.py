import contextlib

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.records.formats.wfdb.annotations import Annotation, decode, encode, symbol

CODES = st.integers(1, 41).filter(lambda code: code not in (15, 17))
ROWS = st.tuples(
    st.integers(1, 200_000_000),
    CODES,
    st.integers(-128, 127),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80),
)


def annotations(rows):
    return [Annotation(*row) for row in sorted(rows)]


@given(st.lists(ROWS, unique_by=lambda row: row[0]).map(annotations))
def test_what_is_encoded_is_decoded(rows):
    assert decode(encode(rows)) == rows


@settings(max_examples=10)
@given(st.lists(ROWS, min_size=1, max_size=20, unique_by=lambda row: row[0]).map(annotations))
def test_wfdb_reads_and_writes_the_same(tmp_path_factory, rows):
    record = tmp_path_factory.getbasetemp() / "same"
    record.with_name("same.review").write_bytes(encode(rows))
    read = wfdb.rdann(str(record), "review", return_label_elements=["label_store"])
    fields = (read.sample, read.label_store, read.subtype, read.aux_note)
    assert [tuple(row) for row in zip(*fields, strict=True)] == rows
    samples, codes, subtypes, notes = zip(*rows, strict=True)
    wfdb.Annotation(
        "same",
        "review",
        np.array(samples),
        label_store=np.array(codes),
        subtype=np.array(subtypes),
        aux_note=list(notes),
    ).wrann(write_dir=str(record.parent))
    assert decode(record.with_name("same.review").read_bytes()) == rows


@given(st.binary(max_size=60))
def test_any_bytes_are_decoded_or_refused(data):
    with contextlib.suppress(ValueError):
        decode(data)


def test_real_annotations_are_decoded_as_wfdb_does(mitdb):
    for record in ("203", "207"):
        read = wfdb.rdann(str(mitdb / record), "atr", return_label_elements=["label_store"])
        rows = decode((mitdb / f"{record}.atr").read_bytes())
        notes = [note.rstrip("\0") for note in read.aux_note]
        assert [row.sample for row in rows] == read.sample.tolist()
        assert [row.code for row in rows] == read.label_store.tolist()
        assert [row.note.rstrip("\0") for row in rows] == notes


@pytest.mark.parametrize("data", [b"", b"\0", b"\1\4\0", b"\1\4", b"\1\4\0\0\0\1"])
def test_what_does_not_end_as_it_should_is_refused(data):
    with pytest.raises(ValueError, match=r"has no end|goes on"):
        decode(data)


def test_every_symbol_is_wfdb_s(tmp_path):
    codes = [code for code in range(1, 42) if code not in (15, 17)]
    rows = [Annotation(100 * code, code) for code in codes]
    (tmp_path / "all.atr").write_bytes(encode(rows))
    assert [symbol(row) for row in rows] == wfdb.rdann(str(tmp_path / "all"), "atr").symbol
    assert symbol(Annotation(1, 47)) == " "


def test_numbers_channels_and_a_block_filled_with_zeros_are_passed_over():
    annotation = encode([Annotation(10, 1)])[:-2]
    number, channel = b"\1\xf0", b"\1\xf8"
    assert decode(annotation + number + channel + bytes(100)) == [Annotation(10, 1)]


def test_annotations_that_go_back_in_time_are_refused():
    back = encode([Annotation(5000, 1)])[:-2] + b"\x00\xec\xff\xff\x00\xf0" + b"\1\4\0\0"
    with pytest.raises(ValueError, match="goes back"):
        decode(back)
