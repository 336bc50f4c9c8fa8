"""PTB's records: whose they are, what they have, what is not used."""

import os
from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecgmon.core.errors import RecordError
from trainer.data.beats import ptb

T = np.arange(12_000) / 1000
BEATS = (np.exp(-(((T % 0.8) - 0.3) ** 2) / 0.0002) * 2000).astype(np.int64)


def write(folder, patient, record, reason, leads=("i", "ii")):
    """Write twelve seconds of one R peak every 0.8 s, in the layout of the database."""
    at = folder / "ptbdb" / patient
    at.mkdir(parents=True, exist_ok=True)
    wfdb.wrsamp(
        record,
        fs=1000,
        units=["mV"] * 2,
        sig_name=list(leads),
        d_signal=np.stack([-BEATS, BEATS], axis=1),
        fmt=["16"] * 2,
        adc_gain=[2000.0] * 2,
        baseline=[0] * 2,
        comments=["age: 50", *([f"Reason for admission: {reason}"] if reason else [])],
        write_dir=str(at),
    )


@pytest.fixture
def part(tmp_path, monkeypatch):
    """A part of the database: two patients of each class and three others."""
    monkeypatch.setenv("ECGMON_DATA", str(tmp_path))
    write(tmp_path, "patient001", "s0010_re", "Myocardial infarction")
    write(tmp_path, "patient001", "s0014lre", "Myocardial infarction ")
    write(tmp_path, "patient002", "s0015lre", "Myocardial infarction")
    write(tmp_path, "patient003", "s0020_re", "Healthy control")
    write(tmp_path, "patient004", "s0021_re", "Healthy control")
    for number, reason in enumerate(("Cardiomyopathy", "n/a", None)):
        write(tmp_path, f"patient10{number}", "s0100_re", reason)
    return tmp_path


def test_a_patient_is_one_wearer_over_all_records_and_other_diagnoses_are_not_used(part):
    found = [(r.found.name, r.found.wearer, ptb.CLASSES[r.label]) for r in ptb.records()]
    assert found == [
        ("ptbdb/patient001/s0010_re", "patient001", "infarction"),
        ("ptbdb/patient001/s0014lre", "patient001", "infarction"),
        ("ptbdb/patient002/s0015lre", "patient002", "infarction"),
        ("ptbdb/patient003/s0020_re", "patient003", "healthy"),
        ("ptbdb/patient004/s0021_re", "patient004", "healthy"),
    ]


def test_beats_of_lead_two_start_at_their_r_peaks(part):
    beats = ptb.beats()
    # Fifteen peaks in twelve seconds; the last one of a record ends the beat before it.
    assert len(beats) == 5 * 14
    assert beats.counts.tolist() == [28, 42]
    assert beats.inputs.shape == (70, 1, 187)
    assert (beats.inputs[:, 0, 0] > 0.9).all()
    np.testing.assert_allclose(np.diff(beats.samples[:14]) / 360, 0.8, atol=0.01)
    assert set(beats.wearers) == {"patient001", "patient002", "patient003", "patient004"}


def test_a_folder_named_first_is_looked_in_first(part, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    write(other, "patient009", "s0001_re", "Myocardial infarction")
    write(other, "patient010", "s0002_re", "Healthy control")
    assert [r.found.wearer for r in ptb.records(other)] == ["patient009", "patient010"]


def test_without_the_database_one_sentence_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("ECGMON_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(RecordError, match=r"^There is no ptbdb: put [^.]* \$ECGMON_DATA\.$"):
        ptb.records()


def test_a_part_with_one_class_alone_is_refused(tmp_path):
    write(tmp_path, "patient001", "s0010_re", "Myocardial infarction")
    with pytest.raises(RecordError, match=r"holds no record of the class healthy: add "):
        ptb.records(tmp_path)


def test_a_record_without_lead_two_is_refused_by_its_name(part):
    write(part, "patient005", "s0022_re", "Healthy control", leads=("i", "v1"))
    with pytest.raises(RecordError, match=r"patient005/s0022_re has no lead ii"):
        ptb.beats()


@pytest.fixture(scope="module")
def ptbdb():
    for folder in os.environ.get("ECGMON_DATA", "").split(os.pathsep):
        if folder and (Path(folder) / "ptbdb" / "patient251").is_dir():
            return Path(folder)
    return pytest.skip("needs PTB records: set ECGMON_DATA to a folder that holds ptbdb")


def test_the_real_records_are_those_of_their_diagnoses(ptbdb):
    found = ptb.records(ptbdb)
    patients = {r.found.wearer: r.label for r in found}
    if len(found) > 41:
        pytest.skip("more of the database is here than the part whose counts are known")
    assert [sum(r.label == label for r in found) for label in (0, 1)] == [27, 14]
    assert [list(patients.values()).count(label) for label in (0, 1)] == [18, 11]


def test_beats_of_the_real_records_are_found(ptbdb):
    found = ptb.records(ptbdb)
    if len(found) > 41:
        pytest.skip("more of the database is here than the part whose counts are known")
    beats = ptb.beats(ptbdb)
    assert beats.counts.tolist() == [275, 843]
    assert (beats.inputs.min(), beats.inputs.max()) == (0, 1)
