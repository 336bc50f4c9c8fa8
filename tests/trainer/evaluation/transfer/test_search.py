"""Study 3's search: its ranges, what is stored, how it goes on."""

import numpy as np
import optuna
import pytest

from trainer.data.examples import Examples
from trainer.evaluation.transfer import search
from trainer.evaluation.transfer.search import TRIALS
from trainer.studies.cardiacnet.claims import open_storage


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(search, "EPOCHS", 2)
    monkeypatch.setattr(search, "BEATS", 64)


def made(n):
    rng = np.random.default_rng(n)
    labels = np.arange(n, dtype=np.int8) % 2
    inputs = rng.normal(labels[:, None, None], 0.1, (n, 1, 48)).astype(np.float32)
    return Examples(inputs, labels, np.full(n, "100"), np.arange(n), ("N", "V"))


def run(storage, progress=lambda _trial, _epoch: None):
    return search.search(made(200), made(20), storage, progress)


class KilledError(Exception):
    """Stands for a process that ends in the middle."""


@pytest.mark.thorough
def test_an_interrupted_search_goes_on_and_finds_what_another_finds(tmp_path):
    urls = [f"sqlite:///{tmp_path / name}.db" for name in ("uninterrupted", "interrupted")]
    uninterrupted = run(open_storage(urls[0]))
    assert len(uninterrupted) == TRIALS
    tried = []

    def kill(trial, epoch):
        tried.append(trial)
        if trial == 4:
            raise KilledError

    with pytest.raises(KilledError):
        run(open_storage(urls[1]), kill)
    assert max(tried) == 4
    tried.clear()
    resumed = run(open_storage(urls[1]), lambda trial, _: tried.append(trial))
    assert sorted(set(tried)) == list(range(4, TRIALS))
    assert resumed == uninterrupted
    tried.clear()
    assert run(open_storage(urls[1]), lambda trial, _: tried.append(trial)) == uninterrupted
    assert tried == []


def test_every_setting_is_within_the_stated_ranges_and_the_worse_are_stopped():
    trials = run(optuna.storages.InMemoryStorage())
    assert {trial.optimiser for trial in trials} <= set(search.OPTIMISERS)
    assert len({trial.optimiser for trial in trials}) > 1
    assert all(1e-4 <= trial.learning_rate <= 1e-2 for trial in trials)
    assert all(1e-5 <= trial.weight_decay <= 1e-3 for trial in trials)
    assert all(64 <= trial.batch <= 256 for trial in trials)
    for number, trial in enumerate(trials):
        assert len(trial.scores) == (1 if trial.stopped else 2)
        assert not (trial.stopped and number < search.UNSTOPPED)
    best = max(max(trial.scores) for trial in trials)
    assert not next(trial for trial in trials if max(trial.scores) == best).stopped
