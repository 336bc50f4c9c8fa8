"""Study 1's figures and page, on tracks made by hand; nothing is trained."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trainer.data.dataset import RecordSet
from trainer.data.protocol_splits import TEST, TRAIN, UNUSED, VALIDATION
from trainer.data.rhythms import ABNORMAL_BEAT, NORMAL_BEAT
from trainer.data.splits import STUDY
from trainer.evaluation.study import FINE_TUNED, GENERIC, INDIVIDUAL, SEARCHED, Track
from trainer.evaluation.study_page import page
from trainer.evaluation.study_report import edge_ms, verdicts, write
from trainer.networks.window_networks import CardiacNet
from trainer.studies.cardiacnet import publication
from trainer.studies.cardiacnet.patient import Patient
from trainer.studies.cardiacnet.pretrain import Pretrained
from trainer.studies.cardiacnet.search import SearchResult

KINDS = (GENERIC, INDIVIDUAL, FINE_TUNED, SEARCHED)
NAMES = ("100", "203", "200")
SYMBOLS = {"N": 900, "V": 90, "A": 3}
EPOCHS = [(0.5, 0.8, 0.6), (0.3, 0.9, 0.4), (0.2, 0.85, 0.5)]
PICTURES = (
    "bars-own",
    "bars-published",
    "curves",
    "histograms",
    "precision-recall",
    "pretraining",
    "reliability",
    "symbols",
    "windows",
)
# The windows of every patient: two to train on, four to choose, four to test, one unlabelled.
PART = np.array([TRAIN, TRAIN, *[VALIDATION] * 4, *[TEST] * 4, UNUSED], np.int8)
LABELS = np.array([0, 1, 0, 0, 1, 1, 0, 0, 1, 1, -1], np.int8)


def beats_of(labels):
    """Return a normal beat in the middle of every second, abnormal 6 steps from the end."""
    beats = np.zeros((len(labels), 60), np.int8)
    beats[:, 30] = NORMAL_BEAT
    beats[labels == 1, 54] = ABNORMAL_BEAT
    return beats


def patient(name):
    record = RecordSet(
        f"mitdb/{name}",
        name,
        geometry=CardiacNet.geometry,
        own_units=np.zeros((len(LABELS), 128), np.float32),
        stream=np.zeros(0, np.float32),
        scale=np.ones(len(LABELS), np.float32),
        labels=LABELS,
        beats=beats_of(LABELS),
    )
    return Patient(record, PART)


def found(validation=(0.1, 0.2, 0.8, 0.9), test=(0.1, 0.2, 0.8, 0.9)):
    setting = {"learning_rate": 0.001, "batch": 4, "weighted": True}
    return SearchResult(setting, 0.9, EPOCHS, 1, np.array(validation, "f4"), np.array(test, "f4"))


def track(names=NAMES, **tests):
    """Return a track without errors but for the test probabilities given for a kind."""
    pretrained = Pretrained(CardiacNet(), EPOCHS, 1)
    by_kind = {
        kind: {name: found(test=tests.get(kind, found().test)) for name in names} for kind in KINDS
    }
    return Track({name: patient(name) for name in names}, pretrained, by_kind)


def with_one(of, kind, name, one):
    return replace(of, found={**of.found, kind: {**of.found[kind], name: one}})


def written(tmp_path, published_track=None, own=None):
    tracks = {"published": published_track or track(), "own": own or track()}
    return write(tracks, tmp_path, 1, 7200, SYMBOLS)


def test_the_published_figures_are_of_the_studys_patients():
    assert tuple(publication.INDIVIDUAL) == STUDY
    assert min(row.balanced_accuracy for row in publication.INDIVIDUAL.values()) == 0.713


@pytest.mark.thorough
def test_figures_by_hand(tmp_path):
    own = track()
    # 203: one of two abnormal windows missed, balanced accuracy 3/4. 200: one of two normal too.
    own = with_one(own, INDIVIDUAL, "203", found(test=(0.1, 0.2, 0.3, 0.9)))
    own = with_one(own, INDIVIDUAL, "200", found(test=(0.1, 0.7, 0.3, 0.9)))
    own = with_one(own, SEARCHED, "100", found(test=(0.1, 0.2, 0.3, 0.9)))
    models = written(tmp_path, own=own)["models"]
    individual = models["own"][INDIVIDUAL]
    assert individual["per_patient"] == {"100": 1.0, "203": 0.75, "200": 0.5}
    assert individual["mean"] == pytest.approx(0.75)
    assert individual["worst"] == 0.5
    assert individual["worst_record"] == "200"
    assert individual["above_95"] == 1
    # 200 is among the wearers the own network was chosen on.
    assert individual["mean_without_choosing"] == pytest.approx(0.875)
    # tp 4, fn 2, fp 1, tn 5
    assert individual["sensitivity"] == pytest.approx(4 / 6)
    assert individual["ppv"] == pytest.approx(4 / 5)
    assert individual["f1"] == pytest.approx(8 / 11)
    assert individual["at_least_individual"] == 3
    assert models["own"][FINE_TUNED]["at_least_individual"] == 3
    assert models["own"][SEARCHED]["at_least_individual"] == 2
    # Windows of 100: off by .1, .2, .2, .1.
    perfect = models["published"][INDIVIDUAL]["calibration"]
    assert perfect["brier"] == pytest.approx((0.01 + 0.04) / 2)
    assert models["own"][SEARCHED]["settings"]["203"]["batch"] == 4
    assert models["own"][SEARCHED]["validation"]["203"] == 0.9


@pytest.mark.thorough
def test_windows_are_counted_by_part(tmp_path):
    counts = written(tmp_path)["windows"]["203"]
    assert counts == {"train": 2, "validation": 4, "test": 4, "positive_rate": 0.5}


@pytest.mark.thorough
def test_the_own_threshold_is_the_share_of_abnormal_training_windows(tmp_path):
    models = written(tmp_path)["models"]
    assert models["own"][FINE_TUNED]["threshold"] == dict.fromkeys(NAMES, 0.5)
    rare = replace(patient("203"), part=np.where(np.arange(len(PART)) == 2, TRAIN, PART))
    own = track()
    own = replace(own, patients={**own.patients, "203": rare})
    models = written(tmp_path, own=own)["models"]
    assert models["own"][FINE_TUNED]["threshold"]["203"] == pytest.approx(1 / 3)
    assert set(models["published"][FINE_TUNED]["threshold"].values()) == {0.5}


@pytest.mark.parametrize(
    ("beats", "window", "expected"),
    [
        ([(1, 0)], 1, 0.5),  # in the window's first step: half a step inside
        ([(1, 59)], 1, 0.5),
        ([(1, 10)], 1, 10.5),
        ([(1, 2), (1, 57), (1, 20)], 1, 20.5),  # the one best inside
        ([(0, 59), (1, 3)], 1, 3.5),  # what is outside does not matter
        ([(0, 50), (2, 20)], 1, 9.5),  # outside: the nearest
        ([(0, 0), (2, 4)], 1, 4.5),
        ([(0, 0)], 1, 59.5),
        ([], 1, None),
        ([(3, 0)], 1, None),  # more than a second away
        ([(1, 5)], 0, 5.5),  # the record's first and last windows
        ([(0, 5)], 0, 5.5),
        ([(2, 59)], 3, 0.5),
    ],
)
def test_edge_distances_by_hand(beats, window, expected):
    marked = np.full((4, 60), 0, np.int8)
    marked[:, 30] = NORMAL_BEAT
    for second, step in beats:
        marked[second, step] = ABNORMAL_BEAT
    complete = patient("100")
    who = replace(complete, record=replace(complete.record, beats=marked))
    distance = edge_ms(who, window)
    assert distance == (None if expected is None else pytest.approx(expected * 1000 / 60))


@pytest.mark.thorough
def test_errors_are_listed_with_their_distance(tmp_path):
    # 203: window 7 is a false alert, its nearest abnormal beat 54.5 steps into the next second;
    # window 8 is missed, its beat 5.5 steps before the end.
    own = with_one(track(), SEARCHED, "203", found(test=(0.1, 0.7, 0.3, 0.9)))
    errors = written(tmp_path, own=own)["errors"]
    assert errors["tested"] == 12
    assert errors["per_patient"] == {"203": 2}
    false, missed = errors["each"]
    assert (false["record"], false["window"], false["error"]) == ("203", 7, "false")
    assert false["edge_ms"] == pytest.approx(54.5 * 1000 / 60)
    assert (missed["record"], missed["window"], missed["error"]) == ("203", 8, "missed")
    assert missed["edge_ms"] == pytest.approx(5.5 * 1000 / 60)
    assert errors["near_ms"]["missed"] == {"of": 1, "17": 0, "50": 0, "100": 1}
    assert errors["near_ms"]["abnormal"] == {"of": 6, "17": 0, "50": 0, "100": 6}
    assert errors["near_ms"]["false"] == {"of": 1, "17": 0, "50": 0, "100": 0}
    # Window 6 lies 5.5 steps after the abnormal beat of window 5.
    assert errors["near_ms"]["normal"] == {"of": 6, "17": 0, "50": 0, "100": 3}


def figures(mean, worst=1.0, at_least=29):
    return {"mean": mean, "worst": worst, "at_least_individual": at_least}


def test_verdicts_by_hand():
    models = {
        "published": {
            INDIVIDUAL: figures(0.9457),
            FINE_TUNED: figures(0.93),
            SEARCHED: figures(0.965),
        },
        "own": {
            INDIVIDUAL: figures(0.97),
            FINE_TUNED: figures(0.9879, worst=0.93, at_least=25),
            SEARCHED: figures(0.988, worst=0.9299, at_least=26),
        },
    }
    shown = {
        (row["network"], row["kind"], row["figure"], row["with"]): row["verdict"]
        for row in verdicts(models)
    }
    assert shown == {
        ("published", INDIVIDUAL, "mean", 0.946): "matched",
        ("published", FINE_TUNED, "mean", 0.935): "not matched",
        ("published", SEARCHED, "mean", 0.935): "beaten",
        ("own", INDIVIDUAL, "mean", 0.946): "beaten",
        ("own", FINE_TUNED, "mean", 0.935): "beaten",
        ("own", SEARCHED, "mean", 0.935): "beaten",
        ("published", FINE_TUNED, "mean", 0.965): "missed",
        ("published", SEARCHED, "mean", 0.965): "met",
        ("own", FINE_TUNED, "mean", 0.988): "missed",
        ("own", SEARCHED, "mean", 0.988): "met",
        ("own", FINE_TUNED, "worst", 0.93): "met",
        ("own", SEARCHED, "worst", 0.93): "missed",
        ("own", FINE_TUNED, "at_least_individual", 26): "missed",
        ("own", SEARCHED, "at_least_individual", 26): "met",
    }


@pytest.mark.thorough
def test_result_page_and_pictures_are_written(tmp_path):
    result = written(tmp_path)
    assert json.loads((tmp_path / "result.json").read_text()) == json.loads(json.dumps(result))
    page = (tmp_path / "README.md").read_text()
    for name in PICTURES:
        assert f"({name}.png)" in page
        assert (tmp_path / f"{name}.png").stat().st_size > 1000
    assert sorted(path.stem for path in tmp_path.glob("*.png")) == list(PICTURES)
    assert "seed 1; all of it took 2.0 hours." in page
    assert "| 203 | 0.966 | 1.000 |" in page


@pytest.mark.thorough
def test_the_pages_verdict_changes_with_the_figures(tmp_path):
    good = written(tmp_path / "good") and (tmp_path / "good/README.md").read_text()
    assert "| own network | fine-tuned | worst patient | 1.0000 | target 0.93 | **met** |" in good
    assert "6 beaten, 0 matched, 0 not" in good
    bad_track = track(**dict.fromkeys(KINDS, (0.6, 0.2, 0.8, 0.3)))
    written(tmp_path / "bad", bad_track, bad_track)
    bad = (tmp_path / "bad/README.md").read_text()
    assert "| own network | fine-tuned | worst patient | 0.5000 | target 0.93 | **missed** |" in bad
    assert "0 beaten, 0 matched, 6 not" in bad
    assert bad.splitlines()[2] != good.splitlines()[2]


def test_the_page_is_made_of_the_result_beside_it():
    folder = Path(__file__).parents[3] / "docs/results/study"
    stored = json.loads((folder / "result.json").read_text())
    assert page(stored) == (folder / "README.md").read_text()
