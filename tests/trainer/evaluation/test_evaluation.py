"""The protocols end to end, on simulated wearers under the records' names."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ecgmon.core.labels import UNLABELLED
from ecgmon.metrics.two_classes import Confusion
from ecgmon.models.bundle import Model
from ecgmon.models.resolve import resolve
from replay.simulator.simulation import simulate
from trainer.data import protocol_splits as protocols
from trainer.data import splits
from trainer.data.dataset import record_set
from trainer.data.protocol_splits import Fold
from trainer.enrolment.labelled import beat_labels
from trainer.enrolment.signal import take
from trainer.evaluation import enrolment, report
from trainer.evaluation.figures import JudgedWindows, calibration, figures, mean, pooled
from trainer.evaluation.inter_patient import InterPatient
from trainer.evaluation.new_wearer import NewWearer
from trainer.evaluation.outcome import Outcome, judge, result
from trainer.networks.window_networks import BeatNet
from trainer.training import window_trainings

FOLD = Fold(strangers=("203", "100"), training=("101", "103"), validation=("106",))


@pytest.fixture
def quick(monkeypatch):
    recipe = window_trainings.TRAININGS["beatnet"]
    short = replace(
        recipe,
        share=4,
        beside={},
        own=2,
        rehearsal=2,
        generic=replace(recipe.generic, epochs=1, steps=4),
        patient=replace(recipe.patient, steps=3),
    )
    monkeypatch.setattr(window_trainings, "TRAININGS", {"beatnet": short})
    monkeypatch.setattr("trainer.evaluation.new_wearer.wearer_folds", lambda: (FOLD,))


@pytest.fixture(scope="module")
def sets():
    def one(name, seed):
        record = simulate("premature", seed=seed, duration_s=360).record
        record = replace(record, name=f"mitdb/{name}", wearer=name)
        return record_set(record, BeatNet.geometry, BeatNet.steps_per_second)

    few = [one("any", seed) for seed in range(4)]
    return {
        name: [replace(few[i % 4], record=f"mitdb/{name}", wearer=name)]
        for i, name in enumerate(splits.RECORDS)
    }


@pytest.mark.thorough
def test_new_wearers_are_judged_after_their_enrolment(quick, sets, tmp_path):
    progress = []
    protocol = NewWearer()
    outcomes = protocol.outcomes(sets, (), "beatnet", 1, tmp_path / "work", progress.append)
    assert [outcome.wearer for outcome in outcomes] == list(FOLD.strangers)
    assert progress == ["generic model of fold 1", *FOLD.strangers]
    for outcome in outcomes:
        assert list(outcome.judged) == ["generic", "enrolled"]
        for judged in outcome.judged.values():
            expected = sets[outcome.wearer][0].labels[splits.ENROLMENT_S :]
            np.testing.assert_array_equal(judged.labels, expected)

    figures = report.write(protocol, outcomes, tmp_path / "out", 1)
    written = json.loads((tmp_path / "out/result.json").read_text())
    assert written == json.loads(json.dumps(figures))
    assert (
        set(written["pooled"])
        == set(written["mean"])
        == {
            "generic",
            "enrolled",
        }
    )
    page = (tmp_path / "out/README.md").read_text()
    for picture in ("bars", "reliability", "precision-recall", "timeline", "worst"):
        assert f"({picture}.png)" in page
        assert (tmp_path / f"out/{picture}.png").stat().st_size > 1000


@pytest.mark.slow
def test_an_interrupted_evaluation_goes_on_where_it_stopped(quick, sets, tmp_path):
    class StoppedError(Exception):
        pass

    def stop(name):
        if name == FOLD.strangers[0]:
            raise StoppedError

    with pytest.raises(StoppedError):
        NewWearer().outcomes(sets, (), "beatnet", 1, tmp_path, stop)
    made = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.onnx")}
    assert len(made) == 2
    outcomes = NewWearer().outcomes(sets, (), "beatnet", 1, tmp_path, lambda _: None)
    assert len(outcomes) == 2
    assert made == {path: path.stat().st_mtime_ns for path in made}


@pytest.mark.slow
def test_inter_patient_judges_all_of_ds2(quick, sets, tmp_path):
    outcomes = InterPatient().outcomes(sets, (), "beatnet", 1, tmp_path, lambda _: None)
    assert [outcome.wearer for outcome in outcomes] == list(protocols.DS2)
    for outcome in outcomes:
        assert len(outcome.judged["generic"].labels) == len(sets[outcome.wearer][0])


def test_windows_whose_history_is_no_signal_are_left_out_and_counted(sets):
    (record,) = sets["100"]
    assert record.unsettled.tolist() == [0, 1, 2]
    labels = np.zeros_like(record.labels)
    labels[1] = UNLABELLED
    record = replace(record, labels=labels, unsettled=np.array([0, 1, 2, 50]))
    model = Model.load(resolve("generic", None))
    judged = judge(model, record)
    assert judged.left_out == 3
    assert np.flatnonzero(judged.labels == UNLABELLED).tolist() == [0, 1, 2, 50]
    assert len(judged.labels) == len(judged.probability) == len(record)
    assert judge(model, record, 50).left_out == 1
    assert judge(model, record, 51).left_out == 0
    assert result([Outcome("100", {"generic": judged})])["left_out"] == 3


def test_figures_by_hand():
    hour = Confusion(tp=600, fp=300, tn=2100, fn=600)
    assert figures(hour)["false_alerts_per_hour"] == 300
    assert figures(hour)["missed_per_hour"] == 600
    normal_only = Confusion(tn=100)
    assert mean([hour, normal_only])["balanced_accuracy"] == pytest.approx(0.6875)
    assert mean([hour, normal_only])["balanced_accuracy_wearers"] == 1
    assert pooled([hour, hour])["tp"] == 1200


def test_calibration_by_hand():
    judged = JudgedWindows(
        np.array([0, 1, 1, 1, -1], np.int8), np.array([0.05, 0.85, 0.85, 0.95, 0.5], "f4"), 0.5
    )
    result = calibration([judged])
    assert result["bins"] == [
        [pytest.approx(0.05), 0.0, 1],
        [pytest.approx(0.85), 1.0, 2],
        [pytest.approx(0.95), 1.0, 1],
    ]
    assert result["brier"] == pytest.approx((0.05**2 + 2 * 0.15**2 + 0.05**2) / 4)
    assert result["expected_calibration_error"] == pytest.approx((0.05 + 2 * 0.15 + 0.05) / 4)


@pytest.fixture(scope="module")
def simulated_task(tmp_path_factory):
    record = simulate("premature", seed=5, duration_s=360).record
    record = replace(record, name="mitdb/203", wearer="203")
    wearer = record_set(record, BeatNet.geometry, BeatNet.steps_per_second)
    others = [replace(wearer, record=f"mitdb/{name}", wearer=name) for name in ("1", "2")]
    generic = resolve("generic", None)
    return enrolment.EnrolmentTask(
        record, wearer, others, (), generic, 1, tmp_path_factory.mktemp("ways")
    )


@pytest.mark.thorough
def test_a_wearer_is_enrolled_in_every_way_and_judged_after_it(quick, simulated_task):
    task = simulated_task
    outcome = enrolment.enrol_in_all_ways(task)
    assert list(outcome.judged) == ["generic", *enrolment.WAYS]
    for judged in outcome.judged.values():
        np.testing.assert_array_equal(judged.labels, task.wearer.labels[splits.ENROLMENT_S :])
    cards = {
        way: Model.load(enrolment.model_path(task.work, "203", way)).card for way in enrolment.WAYS
    }
    assert [card.labels for card in cards.values()] == [
        "annotations",
        "review",
        "review",
        "assumed normal",
    ]
    assert all(card.enrolment.stop == splits.ENROLMENT_S for card in cards.values())
    assert cards["reviewed"].abnormal_windows > 0
    made = {path: path.stat().st_mtime_ns for path in task.work.iterdir()}
    enrolment.enrol_in_all_ways(task)
    assert {path: path.stat().st_mtime_ns for path in task.work.iterdir()} == made


def test_a_reviewer_who_errs_twice_labels_other_beats(simulated_task):
    signal = take(simulated_task.record, BeatNet, splits.ENROLMENT_S)
    truth = beat_labels(signal)
    right, erring = (enrolment.review(simulated_task, signal, wrong) for wrong in (0, 2))
    known = right != UNLABELLED
    assert known.mean() > 0.8
    assert (right[known] == truth[known]).mean() > 0.98
    assert (right != erring).any()


def test_the_page_reports_what_each_method_gains_and_whom_it_harms():
    def of(*values):
        kinds = dict(zip(("generic", *enrolment.WAYS), values, strict=True))
        counts = {"tp": 8, "fp": 2, "tn": 18, "fn": 2}
        return {kind: {"balanced_accuracy": value} | counts for kind, value in kinds.items()}

    protocol = enrolment.EnrolmentProtocol(None)
    protocol._usual = ["100"]
    remarks = protocol.remarks(
        {
            "mean": of(0.8, 0.9, 0.89, 0.85, 0.81),
            "per_wearer": {
                "100": of(0.9, 0.95, 0.879, 0.9, 0.9),
                "101": of(None, None, None, None, None),
            },
        }
    )
    assert "| annotated | 100% | nobody |" in remarks
    assert "| reviewed | 90% | 100 (-0.021) |" in remarks
    assert "| assumed-normal | 10% | nobody |" in remarks
    assert "For the 1 wearers of whose first five minutes at most 5% are abnormal:" in remarks
    assert "| assumed-normal | 0.850 | 0.800 | 2 | 2 |" in remarks


def test_a_page_of_people_on_whom_nothing_was_chosen(tmp_path):
    rng = np.random.default_rng(1)
    truth = np.arange(400, dtype=np.int8) % 5 == 0
    outcomes = [
        Outcome(
            name,
            {
                kind: JudgedWindows(
                    truth.astype(np.int8), (truth * 0.5 + rng.random(400) / 2).astype("f4"), 0.5
                )
                for kind in ("generic", "enrolled")
            },
        )
        for name in ("800", "801")
    ]
    evaluation = NewWearer("svdb")
    evaluation.extra = {"ventricular": {}}
    figures = report.write(evaluation, outcomes, tmp_path, 1)
    assert figures["wearers"] == 2
    page = (tmp_path / "README.md").read_text()
    assert "`ecgmon evaluate --protocol new-wearer --database svdb`" in page
    assert "Truth and probability of 800:" in page
    assert "chose" not in page.partition("Label and window")[2]
    assert all((tmp_path / name).is_file() for name in ("worst.png", "bars.png", "timeline.png"))
