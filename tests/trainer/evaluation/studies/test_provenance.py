"""The inputs that decide a job's result; an added record of PTB changes its digest."""

from pathlib import Path

import pytest

from ecgmon.core.errors import RecordError
from trainer.evaluation.results.store import ResultStore, StoredResult
from trainer.evaluation.studies import provenance
from trainer.evaluation.studies.provenance import Provenance, digests
from trainer.evaluation.studies.study_jobs import JOBS

RESULTS = Path(__file__).parents[4] / "docs/results/studies"
OF_PTB = [job for job in JOBS if job.split.startswith("ptb")]


def add(folder, patient, reason):
    at = folder / "ptbdb" / patient
    at.mkdir(parents=True)
    (at / "s01.hea").write_text(f"s01 1 1000 1\ns01.dat 16 2000 16 0 0 0 0 ii\n# {reason}\n")
    (at / "s01.dat").write_bytes(b"\0\0")
    provenance._membership.cache_clear()


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.delenv("ECGMON_DATA", raising=False)
    add(tmp_path, "patient001", "Reason for admission: Myocardial infarction")
    add(tmp_path, "patient002", "Reason for admission: Healthy control")
    return tmp_path


@pytest.fixture
def bits(monkeypatch):
    """Replaces the bits of the signal path by values to change; no record is read."""
    given = {}
    monkeypatch.setattr(provenance, "signal_bits", lambda kind, *_: given.get(kind, "as it is"))
    return given


def all_of(data, seed=1):
    return {job.name: Provenance.of(job, seed, data) for job in JOBS}


def changed(before, after):
    return {name for name in before if before[name].digest != after[name].digest}


def test_a_record_added_to_ptb_makes_its_results_others_and_no_more(data, bits):
    before = all_of(data)
    assert before == all_of(data)
    add(data, "patient003", "Reason for admission: Healthy control")
    assert changed(before, all_of(data)) == {job.name for job in OF_PTB}
    assert len(OF_PTB) == 3


def test_a_path_of_other_bits_makes_its_own_results_others_and_no_more(data, bits):
    before = all_of(data)
    bits["live"] = "others"
    of_live = {job.name for job in JOBS if job.cell.data == "live"}
    after = all_of(data)
    assert changed(before, after) == of_live
    assert len(of_live) == 4
    assert {n for n in before if before[n].networks != after[n].networks} == of_live
    bits["detected"] = "others"
    assert changed(after, all_of(data)) == {"context-ec57"}


def test_another_seed_makes_all_results_others(data, bits):
    assert len(changed(all_of(data), all_of(data, seed=2))) == len(JOBS)


def test_without_ptb_only_its_own_jobs_cannot_be_done(tmp_path, monkeypatch, bits):
    monkeypatch.delenv("ECGMON_DATA", raising=False)
    provenance._membership.cache_clear()
    for job in JOBS:
        if job in OF_PTB:
            with pytest.raises(RecordError, match="There is no ptbdb"):
                Provenance.of(job, 1, tmp_path)
        else:
            assert Provenance.of(job, 1, tmp_path).digest
    for job in (OF_PTB[0], JOBS[0]):
        ResultStore(tmp_path / "stored").put(job.name, StoredResult([], seed=1))
    assert list(digests(tmp_path / "stored", tmp_path)) == [JOBS[0].name]


def test_stored_results_on_published_beats_are_valid(mitdb):
    """Carried over from 4ca67f9; fails where settings, networks or path are not what made them."""
    jobs = [job for job in JOBS if job.cell.data == "published" and job not in OF_PTB]
    assert len(jobs) == 11
    provenance._membership.cache_clear()
    stale = [
        job.name
        for job in jobs
        if not ResultStore(RESULTS).valid(job.name, Provenance.of(job, 1, mitdb.parent).digest)
    ]
    assert stale == []


def test_every_job_has_a_procedure_number():
    assert all(isinstance(job.settings["procedure"], int) for job in JOBS)
