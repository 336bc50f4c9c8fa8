"""What makes a result: a record of PTB that is added makes another one."""

import pytest

from ecgmon.errors import RecordError
from trainer.evaluation.studies.jobs import JOBS
from trainer.evaluation.studies.made_by import MadeBy

OF_PTB = [job for job in JOBS if job.split.startswith("ptb")]


def add(folder, patient, reason):
    at = folder / "ptbdb" / patient
    at.mkdir(parents=True)
    (at / "s01.hea").write_text(f"s01 1 1000 1\ns01.dat 16 2000 16 0 0 0 0 ii\n# {reason}\n")
    (at / "s01.dat").write_bytes(b"\0\0")


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.delenv("ECGMON_DATA", raising=False)
    add(tmp_path, "patient001", "Reason for admission: Myocardial infarction")
    add(tmp_path, "patient002", "Reason for admission: Healthy control")
    return tmp_path


def of(job, data):
    return MadeBy.of(job, 1, data)


def test_a_record_added_to_ptb_makes_its_results_others_and_no_more(data):
    before = [of(job, data) for job in JOBS]
    assert before == [of(job, data) for job in JOBS]
    add(data, "patient003", "Reason for admission: Healthy control")
    changed = [now.job for now, then in zip((of(j, data) for j in JOBS), before, strict=True)
               if now.written != then.written]  # fmt: skip
    assert changed == [job.name for job in OF_PTB]
    assert len(changed) == 3
    first = next(by for by in before if by.job == changed[0])
    now = of(OF_PTB[0], data)
    assert first.own != now.own
    assert now.made(now.written | {"result": []})
    assert not now.made(first.written)
    assert not now.made(None)


def test_without_ptb_only_its_own_jobs_cannot_be_done(tmp_path, monkeypatch):
    monkeypatch.delenv("ECGMON_DATA", raising=False)
    for job in JOBS:
        if job in OF_PTB:
            with pytest.raises(RecordError, match="There is no ptbdb"):
                of(job, tmp_path)
        else:
            assert of(job, tmp_path).written.keys() == {"seed", "code"}
