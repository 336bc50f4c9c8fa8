"""The search: what goes on past a rung, what is stored, who takes what."""

import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState

from ecgmon.core.errors import UsageError
from trainer.data.protocol_splits import TEST
from trainer.studies.cardiacnet import claims
from trainer.studies.cardiacnet.patient import Score, TrainedPatient
from trainer.studies.cardiacnet.search import Halving, Method, search

GRID = {"quality": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)}


@dataclass
class Stub:
    """A learner whose score is its setting."""

    quality: float
    trained: TrainedPatient = field(default_factory=TrainedPatient)

    def outcome(self, inputs):
        return np.full(len(inputs), self.quality, dtype=np.float32)


def train(trainees, epoch):
    for trainee in trainees:
        while len(trainee.trained.epochs) < epoch:
            done = len(trainee.trained.epochs) + 1
            trainee.trained.add(1.0, Score(trainee.quality * done / 10, 0.5))


def method(made, name="m", rungs=(1, 3, 9)):
    def make(_, setting):
        made.append(Stub(setting["quality"]))
        return made[-1]

    return Method(name, make, train, rungs, group=5)


@pytest.fixture
def storage(tmp_path):
    return claims.open_storage(f"sqlite:///{tmp_path / 'searches.db'}")


def run(patients, storage, made=None, **words):
    made = [] if made is None else made
    grids = dict.fromkeys(patients, GRID)
    return search(method(made, **words), patients, grids, storage, lambda _: None)


def test_the_best_setting_wins_and_the_worse_are_stopped_at_their_rung(patient, storage):
    made = []
    found = run({"100": patient}, storage, made)["100"]
    assert found.setting == {"quality": 0.9}
    assert sorted(len(each.trained.epochs) for each in made) == [1] * 6 + [3] * 2 + [9]
    assert len(found.epochs) == 9
    np.testing.assert_array_equal(found.test, np.float32(0.9))
    assert len(found.test) == len(patient.windows(TEST)[1])
    states = [t.state for t in optuna.load_study(study_name="m/100", storage=storage).trials]
    assert states.count(TrialState.PRUNED) == 8
    assert states.count(TrialState.COMPLETE) == 1


def test_the_winner_is_the_one_of_a_search_without_stopping(patient, storage):
    stopped = run({"100": patient}, storage, name="stopped")["100"]
    unstopped = run({"100": patient}, storage, name="unstopped", rungs=(9,))["100"]
    assert stopped.setting == unstopped.setting
    assert stopped.score == unstopped.score


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_who_goes_on_does_not_depend_on_the_order_of_reports(scores, random):
    def going_on(order):
        study = optuna.create_study(direction="maximize", pruner=Halving())
        trials = [study.ask({"x": FloatDistribution(0, 1)}) for _ in order]
        for trial, score in zip(trials, order, strict=True):
            trial.report(score, 1)
        return sorted(s for t, s in zip(trials, order, strict=True) if not t.should_prune())

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    shuffled = scores[:]
    random.shuffle(shuffled)
    assert going_on(scores) == going_on(shuffled)
    best = sorted(scores)[-max(1, len(scores) // 3) :]
    assert going_on(scores)[-len(best) :] == best


def test_what_is_stored_is_not_trained_again(patient, storage):
    patients = dict.fromkeys([str(n) for n in range(7)], patient)
    first = run(patients, storage)
    made = []
    again = run(patients, storage, made)
    assert made == []
    assert list(again) == list(patients)
    for name, found in first.items():
        assert again[name].setting == found.setting
        assert again[name].score == found.score
        np.testing.assert_array_equal(again[name].test, found.test)


def test_an_interrupted_group_is_repeated_from_its_beginning(patient, storage):
    names = [f"m/{n}" for n in range(2)]
    assert claims.claim(names, storage)
    optuna.create_study(study_name="m/1", storage=storage)  # cut off while storing
    made = []
    found = run({"0": patient, "1": patient}, storage, made)
    assert len(made) == 2 * 9
    assert [each.setting["quality"] for each in found.values()] == [0.9, 0.9]


def claimed(names, storage, **changed):
    """A claim as another process would have made it."""
    assert claims.claim(names, storage)
    study = optuna.load_study(study_name=names[0], storage=storage)
    fields = dict(zip(FIELDS, study.user_attrs["claim"], strict=True)) | changed
    study.set_user_attr("claim", list(fields.values()))


THEIRS = "another process"
FIELDS = ("host", "process", "pid", "since", "token")


def test_a_claim_is_respected_while_its_owner_lives(storage):
    owner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        process = claims._process(owner.pid)
        claimed(["a"], storage, process=process, pid=owner.pid, token=THEIRS)
        assert not claims.claim(["a"], storage)
        owner.send_signal(signal.SIGKILL)
        while claims._process(owner.pid):  # killed, and not yet waited for
            time.sleep(0.01)
        assert claims.claim(["a"], storage)
    finally:
        owner.kill()
        owner.wait()


def test_a_process_id_used_again_is_not_the_owner(storage):
    claimed(["a"], storage, process="1", token=THEIRS)
    assert claims.claim(["a"], storage)


@pytest.mark.parametrize(("age", "claimed_again"), [(0, False), (claims.STALE_S + 1, True)])
def test_another_machine_s_claim_is_left_to_it_until_it_is_stale(storage, age, claimed_again):
    claimed(["a"], storage, host="elsewhere", since=time.time() - age, token=THEIRS)
    assert claims.claim(["a"], storage) is claimed_again


def test_results_of_a_group_that_another_process_claimed_are_dropped(patient, storage):
    memory = claims.open_storage("sqlite:///:memory:")
    run({"100": patient}, memory)
    claimed(["m/100"], storage, token=THEIRS)
    claims.store({"m/100": optuna.load_study(study_name="m/100", storage=memory)}, storage)
    assert not claims.is_done(["m/100"], storage)
    assert optuna.load_study(study_name="m/100", storage=storage).trials == []


def test_a_group_another_machine_holds_is_waited_for(patient, storage, monkeypatch):
    claimed(["m/100"], storage, host="elsewhere", token=THEIRS)
    memory = claims.open_storage("sqlite:///:memory:")
    run({"100": patient}, memory)
    waited = []

    def finish(seconds):
        waited.append(seconds)
        there = optuna.load_study(study_name="m/100", storage=storage)
        there.add_trials(optuna.load_study(study_name="m/100", storage=memory).trials)
        there.set_user_attr("done", value=True)

    monkeypatch.setattr("trainer.studies.cardiacnet.search.time.sleep", finish)
    made = []
    assert run({"100": patient}, storage, made)["100"].setting == {"quality": 0.9}
    assert made == []
    assert len(waited) == 1


@pytest.mark.parametrize("url", ["nonsense", "postgresql://user:secret@nowhere/x", "redis://"])
def test_a_storage_that_cannot_be_opened_is_reported_without_its_password(url):
    with pytest.raises(UsageError) as caught:
        claims.open_storage(url)
    assert "secret" not in str(caught.value)
