"""``ecgmon train --recipe``: from records to a bundle that others read and a monitor serves."""

import json

import numpy as np
import pytest
import wfdb

from ecgmon.core.errors import BundleError, UsageError
from ecgmon.models.beat_bundle import BeatModel
from ecgmon.models.bundle import Model
from ecgmon_cli.recipe import _refuse_useless
from replay.simulator.simulation import simulate
from tests.support.subprocesses import ecgmon, environment
from trainer.data.examples import Examples

pytestmark = pytest.mark.thorough

SIDES = ("--training", "{}/one,{}/two", "--validation", "{}/three", "--evaluation", "{}/four")


@pytest.fixture(scope="module")
def wearers(tmp_path_factory):
    """Four simulated wearers of a minute each, annotated."""
    folder = tmp_path_factory.mktemp("wearers")
    for seed, name in enumerate(("one", "two", "three", "four")):
        record = simulate("premature", seed=seed, duration_s=60).record
        wfdb.wrsamp(
            name,
            fs=360,
            p_signal=record.millivolts()[:, None],
            fmt=["16"],
            adc_gain=[200.0],
            baseline=[0],
            units=["mV"],
            sig_name=["MLII"],
            write_dir=str(folder),
        )
        beats = record.annotations
        wfdb.wrann(name, "atr", beats.samples, np.array(beats.symbols), write_dir=str(folder))
    return folder


@pytest.fixture(scope="module")
def env(tmp_path_factory):
    return environment(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def bundle(wearers, env):
    """A bundle of live beats."""
    sides = [part.replace("{}", str(wearers)) for part in SIDES]
    path = wearers / "live.onnx"
    outcome = ecgmon("train", "--recipe", "context", "--live", *sides, "-o", path, env=env)
    assert outcome.code == 0, outcome.err
    assert f"{path}: context, " in outcome.out
    return path


def test_a_bundle_of_beats_says_what_it_was_made_from(bundle, wearers):
    card = BeatModel.load(bundle).card
    assert (card.segments, card.channels, card.length) == ("live", 1, 421)
    assert [span.record for span in card.trained_on] == [str(wearers / n) for n in ("one", "two")]
    assert card.validation.records == (str(wearers / "three"),)
    assert card.evaluation.records == (str(wearers / "four"),)
    assert sum(card.beats) > 100


def test_its_card_is_shown(bundle, env):
    shown = ecgmon("models", "show", bundle, env=env)
    assert shown.code == 0
    for text in ("single beats: N, S, V, F, Q", "evaluation: accuracy", "class", "PPV"):
        assert text in shown.out
    figures = json.loads(ecgmon("models", "show", bundle, "--json", "-", env=env).out)
    assert figures["card"]["input"] == "beat"
    judged = figures["figures"]["evaluation"]
    assert set(judged["per_class"]) == set("NSVFQ")
    assert 0 <= judged["accuracy"] <= 1


def test_a_monitor_does_not_take_a_model_of_beats_for_one_of_windows(bundle):
    with pytest.raises(BundleError, match="judges single beats: give a model that judges windows"):
        Model.load(bundle)


@pytest.mark.parametrize(
    ("value", "n", "text"),
    [
        (0.0, 0, "The records of --training hold nothing that has a class: name others"),
        (np.nan, 2, "203 of --training has no signal, or beats that lie on each other"),
    ],
)
def test_what_teaches_nothing_is_refused(value, n, text):
    inputs, labels = np.full((n, 1, 187), value, np.float32), np.zeros(n, np.int8)
    examples = Examples(inputs, labels, np.full(n, "203"), np.zeros(n, np.int64), ("N", "V"))
    with pytest.raises(UsageError, match=text):
        _refuse_useless(examples, "training")


def test_a_database_that_is_not_there_is_named_in_one_sentence(env, tmp_path):
    where = ("--out", tmp_path / "out", "--work", tmp_path / "work")
    args = ("--protocol", "studies", "--recipe", "representation", "--split", "ptb")
    outcome = ecgmon("evaluate", *args, *where, env=env)
    assert outcome.code == 2
    assert outcome.err.splitlines()[-1].startswith("Error: There is no ptbdb: put the PTB")
    assert "Traceback" not in outcome.err
