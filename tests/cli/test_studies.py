"""Jobs of ``ecgmon evaluate --protocol studies``: done once, shared, and done again when stale."""

import json
from dataclasses import dataclass, field

import pytest
from rich.progress import Progress

from ecgmon.cli.studies import _claimed, _do
from trainer.evaluation.studies.jobs import Place
from trainer.fit import Epoch


@dataclass
class Job:
    """Counts how often it is done."""

    name: str = "made-up"
    recipe: str = "made"
    split: str = "up"
    minutes: float = 1
    done: list = field(default_factory=list)
    spent: list = field(default_factory=list)

    def result(self, place):
        self.done.append(place.seed)
        place.progress("network", Epoch(1, 2, 0.5, None))
        return {"figure": 42}


@pytest.fixture
def do(tmp_path):
    def run(job, code="abc", seed=1):
        own = tmp_path / f"{job.name}-{code}"
        own.mkdir(exist_ok=True)
        place = Place(tmp_path, own, tmp_path / "out", None, seed)
        with Progress(disable=True) as bar:
            _do(job, place, code, bar, job.spent.append)
        return json.loads((tmp_path / "out" / "made-up.json").read_text())

    return run


def test_a_result_is_written_with_what_made_it(do):
    job = Job()
    written = do(job)
    assert len(job.spent) == 1
    assert written["result"] == {"figure": 42}
    assert (written["seed"], written["code"]) == (1, "abc")
    assert written["processor_s"] >= 0


def test_what_is_done_is_not_done_again_unless_code_or_seed_differ(do):
    job = Job()
    for made_by in ({}, {}, {"seed": 2}, {"seed": 2}, {"seed": 2, "code": "def"}):
        do(job, **made_by)
    assert job.done == [1, 2, 2]


def test_what_cannot_be_read_is_done_again(do, tmp_path):
    job = Job()
    do(job)
    (tmp_path / "out" / "made-up.json").write_text('{"seed": 1, "code": "a')
    assert do(job)["result"] == {"figure": 42}
    assert job.done == [1, 1]


def test_a_job_that_another_has_in_hand_is_left(tmp_path):
    path = tmp_path / "work" / "x.lock"
    with _claimed(path, wait=False) as mine, _claimed(path, wait=False) as theirs:
        assert mine
        assert not theirs
    with _claimed(path, wait=True) as mine:
        assert mine
