"""Jobs of ``ecgmon evaluate --protocol studies``: done once, shared, and done again when stale."""

import json
from dataclasses import dataclass, field

import pytest
from rich.progress import Progress

from ecgmon.core.errors import RecordError
from ecgmon_cli.studies import _claimed, _do, studies
from trainer.evaluation.studies import page, provenance
from trainer.evaluation.studies import study_jobs as jobs
from trainer.evaluation.studies.parts import Split
from trainer.evaluation.studies.provenance import Provenance
from trainer.evaluation.studies.run import Experiment
from trainer.evaluation.studies.study_jobs import Place
from trainer.training.fit import Epoch

CELL = Experiment("focal", Split.RANDOM, "published")


@dataclass(eq=False)
class Job:
    """Counts how often it is done."""

    name: str = "made-up"
    recipe: str = "focal"
    split: str = Split.RANDOM
    cell: Experiment = CELL
    signals: tuple = ()
    settings: dict = field(default_factory=lambda: {"procedure": 1})
    minutes: float = 1
    done: list = field(default_factory=list)
    spent: list = field(default_factory=list)

    def result(self, place):
        self.done.append(place.seed)
        place.progress("network", Epoch(1, 2, 0.5, None))
        return {"figure": 42}


@pytest.fixture
def do(tmp_path):
    def run(job, digest="abc", seed=1):
        own = tmp_path / f"{job.name}-{digest}"
        own.mkdir(exist_ok=True)
        place = Place(tmp_path, own, tmp_path / "out", None, seed)
        with Progress(disable=True) as bar:
            by = Provenance(job.name, "networks", seed, digest)
            _do(job, place, by, bar, job.spent.append)
        return json.loads((tmp_path / "out" / "made-up.json").read_text())

    return run


def test_a_result_is_written_with_what_made_it(do):
    job = Job()
    written = do(job)
    assert len(job.spent) == 1
    assert written["result"] == {"figure": 42}
    assert (written["seed"], written["digest"]) == (1, "abc")
    assert written.get("processor_s", 0) >= 0


def test_what_is_done_is_not_done_again_unless_its_digest_differs(do):
    job = Job()
    for by in ({}, {"digest": "def"}, {"digest": "ghi", "seed": 3}):
        do(job, **by)
        do(job, **by)
    assert job.done == [1, 1, 3]


def test_what_cannot_be_read_is_done_again(do, tmp_path):
    job = Job()
    do(job)
    (tmp_path / "out" / "made-up.json").write_text('{"seed": 1, "digest": "a')
    assert do(job)["result"] == {"figure": 42}
    assert job.done == [1, 1]


def test_a_job_that_another_has_in_hand_is_left(tmp_path):
    path = tmp_path / "work" / "x.lock"
    with _claimed(path, wait=False) as mine, _claimed(path, wait=False) as theirs:
        assert mine
        assert not theirs
    with _claimed(path, wait=True) as mine:
        assert mine


@pytest.fixture
def jobs_of_the_page(monkeypatch, tmp_path):
    """Two jobs that can be done, and between them one of a database that is not there."""
    made = [Job("first"), Job("infarction", split=Split.PTB), Job("last")]
    monkeypatch.setattr(jobs, "JOBS", made)
    monkeypatch.setattr(page, "JOBS", made)
    monkeypatch.setattr(provenance, "JOBS", made)
    monkeypatch.setattr(provenance, "signal_bits", lambda *_: "bits")
    monkeypatch.delenv("ECGMON_DATA", raising=False)
    return made


def test_without_a_database_all_other_jobs_are_done_and_then_it_is_reported(
    jobs_of_the_page, tmp_path
):
    first, infarction, last = jobs_of_the_page
    out, work = tmp_path / "out", tmp_path / "work"
    with pytest.raises(RecordError, match="There is no ptbdb"):
        studies(None, None, out, work, 1, tmp_path)
    assert (first.done, infarction.done, last.done) == ([1], [], [1])
    assert "Not computed yet: infarction." in (out / "studies.md").read_text()


def test_if_all_results_exist_the_command_to_recompute_is_printed(
    jobs_of_the_page, tmp_path, capsys
):
    for _ in range(2):
        studies("focal", Split.RANDOM, tmp_path / "out", tmp_path / "work", 1, tmp_path)
    assert [job.done for job in jobs_of_the_page] == [[1], [], [1]]
    out, err = (" ".join(text.split()) for text in capsys.readouterr())
    assert out.count("studies.md written") == 2
    assert err.count("give --out and --work empty folders") == 1
