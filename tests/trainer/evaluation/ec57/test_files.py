"""Annotation files, from folders to figures; the numbers are those that reports on MIT-BIH give."""

import numpy as np
import pytest
import wfdb

from ecgmon.core.errors import RecordError, UsageError
from trainer.data.protocol_splits import NON_PACED
from trainer.evaluation.ec57.comparison import gross
from trainer.evaluation.ec57.files import Annotator, write_annotations

BEATS = [(108_000 + 300 * n, "NNVNSNFQ"[n % 8]) for n in range(40)]


def silent(_name):
    """Report nothing."""


@pytest.fixture
def data(tmp_path):
    """A folder with two records of MIT-BIH: headers and reference annotations are enough."""
    folder = tmp_path / "data" / "mitdb"
    folder.mkdir(parents=True)
    for name in ("100", "207"):
        header = f"{name} 1 360 650000\n{name}.dat 16 200 16 0 0 0 0 MLII\n"
        (folder / f"{name}.hea").write_text(header)
        write_annotations(folder / f"{name}.atr", BEATS)
    return folder.parent


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "mine"
    path.mkdir()
    return path


def test_what_is_written_is_read_by_wfdb(tmp_path):
    write_annotations(tmp_path / "100.qrs", [(0, "N"), (7, "S"), (90_000, "V"), (10**7, "F")])
    read = wfdb.rdann(str(tmp_path / "100"), "qrs")
    assert (read.sample.tolist(), read.symbol) == ([0, 7, 90_000, 10**7], list("NSVF"))


def test_the_only_annotator_in_a_folder_is_used(folder):
    for name in ("100.dat", "100.hea", "100", "207.qrs", "102.other", "notes.txt", "100.qrs.bak"):
        (folder / name).write_bytes(b"")
    tested = Annotator.find(folder)
    assert (tested.extension, tested.records, tested.name) == ("qrs", ("207",), "mine-qrs")
    assert tested.missing == tuple(name for name in NON_PACED if name != "207")
    (folder / "100.ann").write_bytes(b"")
    with pytest.raises(UsageError, match=r"\(\.ann, \.qrs\): choose one with --annotator"):
        Annotator.find(folder)
    assert (
        Annotator.find(folder, ".ann").records == Annotator.find(folder, "ann").records == ("100",)
    )
    with pytest.raises(UsageError, match=r"no annotation file .* such as 100\.atr"):
        Annotator.find(folder, "atr")


def test_another_time_resolution_is_taken_into_account(folder, data):
    samples = np.array([sample for sample, _ in BEATS])
    symbols = [label for _, label in BEATS]
    wfdb.wrann("100", "qrs", samples * 720 // 360, symbols, fs=720, write_dir=str(folder))
    wfdb.wrann("207", "qrs", samples, symbols, fs=360, write_dir=str(folder))
    compared = Annotator.find(folder).compare(data, silent)
    for one in compared.values():
        assert np.trace(one.counts.matrix) == one.counts.matrix.sum() == 40


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf", "1e-300", "fast", ""])
def test_a_time_resolution_that_cannot_be_is_refused(folder, data, rate):
    wfdb.wrann(
        *("100", "qrs", np.array([0, 9]), ['"', "N"]),
        aux_note=[f"## time resolution: {rate}", ""],
        write_dir=str(folder),
    )
    with pytest.raises(RecordError, match=r"100\.qrs cannot be read .*: write it again"):
        Annotator.find(folder).compare(data, silent)


def test_a_header_of_another_rate_is_refused(folder, data):
    header = data / "mitdb" / "100.hea"
    header.write_text(header.read_text().replace("1 360", "1 250"))
    write_annotations(folder / "100.qrs", BEATS)
    with pytest.raises(RecordError, match=r"100\.hea is not MIT-BIH's, of 360 Hz"):
        Annotator.find(folder).compare(data, silent)


def test_the_reference_agrees_with_itself_and_has_as_many_beats_as_reports_say(mitdb):
    compared = Annotator.find(mitdb, "atr").compare(mitdb.parent, silent)
    assert tuple(compared) == NON_PACED
    runs = gross(compared).runs
    figures = {kind: runs[kind].figures() for kind in runs}
    assert [one["runs"] for one in figures["V"].values()] == [648, 52, 13]
    assert all(one["sensitivity"] == one["ppv"] == 1 for one in figures["V"].values())
    total = gross(compared).counts
    assert (total.beats(), total.beats("V"), total.beats("S")) == (83_978, 5_900, 2_745)
    assert np.trace(total.matrix) == total.matrix.sum() == 83_978
