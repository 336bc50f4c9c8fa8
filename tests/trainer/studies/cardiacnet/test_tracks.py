"""Both tracks end to end on simulated patients: small, but real in every part."""

from dataclasses import replace

import numpy as np
import pytest

from replay.simulator.simulation import simulate
from trainer.data.dataset import record_set
from trainer.data.protocol_splits import TEST, TRAIN, VALIDATION
from trainer.evaluation import study
from trainer.evaluation.study import FINE_TUNED, GENERIC, INDIVIDUAL, SEARCHED
from trainer.studies.cardiacnet import claims, own, published
from trainer.studies.cardiacnet.own import Own
from trainer.studies.cardiacnet.patient import Patient
from trainer.studies.cardiacnet.published import Published


@pytest.fixture
def quick(monkeypatch):
    for track in (Published, Own):
        monkeypatch.setattr(track, "rungs", (1, 2))
    monkeypatch.setattr(
        Published, "grid", {"learning_rate": (0.001,), "batch": (16,), "weighted": (False, True)}
    )
    monkeypatch.setattr(Published, "fine_grid", Published.grid)
    monkeypatch.setattr(Own, "grid", {"learning_rate": (0.001, 0.003)})
    monkeypatch.setattr(Own, "fine_grid", {"learning_rate": (0.001,), "others": (0, 8)})
    monkeypatch.setattr(published, "EPOCHS", 2)
    monkeypatch.setattr(own, "EPOCHS", 2)


def patients(track):
    def one(name, seed):
        record = simulate("premature", seed=seed, duration_s=300, wearer=name).record
        kind = track.network
        return record_set(
            replace(record, name=f"mitdb/{name}"), kind.geometry, kind.steps_per_second
        )

    return {name: one(name, seed) for seed, name in enumerate(("100", "203"), start=3)}


@pytest.mark.thorough
@pytest.mark.parametrize("track", [Published, pytest.param(Own, marks=pytest.mark.slow)])
def test_a_track_is_trained_once_and_read_back_after(track, quick, tmp_path, monkeypatch):
    sets = patients(track)
    stages = []

    def run():
        storage = claims.open_storage(f"sqlite:///{tmp_path / 'searches.db'}")
        return study.run(track, sets, 1, tmp_path, storage, lambda *stage: stages.append(stage))

    first = run()
    assert list(first.found) == [GENERIC, INDIVIDUAL, FINE_TUNED, SEARCHED]
    for by_patient in first.found.values():
        for name, found in by_patient.items():
            part = first.patients[name].part
            assert len(found.test) == np.sum(part == TEST)
            assert len(found.validation) == np.sum(part == VALIDATION)
            assert np.isfinite(found.test).all()
    for name, found in first.found[FINE_TUNED].items():
        assert found.setting == first.found[INDIVIDUAL][name].setting
    assert stages[-1] == (f"{track.name}: {SEARCHED}", 2, 2)

    def never(*_, **__):
        raise AssertionError("trained again")

    for name in ("pretrain", "individual", "fine_tuned", "searched"):
        monkeypatch.setattr(track, name, never)
    again = run()
    for kind, by_patient in first.found.items():
        for name, found in by_patient.items():
            np.testing.assert_allclose(again.found[kind][name].test, found.test, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("track", [Published, Own])
def test_two_runs_with_one_seed_give_the_same_table(track, quick, tmp_path):
    sets = patients(track)
    runs = []
    for number in range(2):
        work = tmp_path / str(number) / "work"
        work.mkdir(parents=True)
        storage = claims.open_storage(f"sqlite:///{work / 'searches.db'}")
        runs.append(study.run(track, sets, 1, work, storage, lambda *_: None).found)
    for kind, by_patient in runs[0].items():
        for name, found in by_patient.items():
            assert runs[1][kind][name].setting == found.setting
            np.testing.assert_array_equal(runs[1][kind][name].test, found.test)


def test_training_shows_no_label_of_windows_that_choose_or_test():
    record = patients(Own)["203"]
    patient = Patient.split(record, 1)
    known = patient.training.labels != -1
    assert (patient.part[known] == TRAIN).all()
    flipped = np.where(patient.part == TRAIN, record.labels, 1 - record.labels).astype(np.int8)
    other = Patient(replace(record, labels=flipped), patient.part)
    np.testing.assert_array_equal(other.training.labels, patient.training.labels)
    assert other.share == patient.share
