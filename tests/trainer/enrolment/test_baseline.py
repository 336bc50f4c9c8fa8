"""Enrolment on what is assumed normal."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ecgmon.core.errors import BundleError
from ecgmon.core.labels import NORMAL
from ecgmon.models.bundle import Model
from ecgmon.models.resolve import resolve
from trainer.enrolment import baseline
from trainer.enrolment.baseline import BaselineNet, NotUsualError, assumed_normal
from trainer.enrolment.enrol import enrol
from trainer.enrolment.labelled import labelled
from trainer.training.onnx_export import restore
from trainer.training.scoring import probabilities

GENERIC = resolve("generic", None)


@pytest.fixture(scope="module")
def usual(signal):
    return labelled(signal, np.full(len(signal.beats), NORMAL, dtype=np.int8))


@pytest.mark.thorough
def test_the_bundle_says_what_the_network_says_and_nobody_is_fitted_to(signal, usual, tmp_path):
    way = assumed_normal(GENERIC, signal, 1)
    model = enrol(GENERIC, usual, way, 1, tmp_path / "own.onnx", seconds=signal.seconds)
    card = model.card
    assert (card.labels, card.threshold, card.abnormal_windows) == ("assumed normal", 0.5, 0)
    assert card.network == "beatnet-baseline"
    network = way.fitted(signal.seconds)
    probability = model.probability(usual.inputs)
    np.testing.assert_allclose(probability, probabilities(network, usual.inputs), rtol=0, atol=1e-5)
    again, _ = restore(GENERIC)
    for mine, given in zip(network.generic.parameters(), again.parameters(), strict=True):
        assert torch.equal(mine, given)


def test_the_threshold_lies_above_the_usual_second_and_never_below_the_generic_one(signal):
    network, card = restore(GENERIC)
    inputs = signal.record.inputs[: signal.seconds]
    generic_logit = np.log(card.threshold / (1 - card.threshold))
    own = BaselineNet(network, card.threshold, inputs, 1).eval()
    assert own.offset >= generic_logit - 1e-6
    with torch.no_grad():
        logits = own(torch.from_numpy(inputs)).numpy()
    assert np.median(logits) <= -baseline.ABOVE + 1e-4


def test_what_is_unlike_the_usual_seconds_raises_the_logit(signal):
    network, card = restore(GENERIC)
    inputs = signal.record.inputs[: signal.seconds]
    own = BaselineNet(network, card.threshold, inputs, 1).eval()
    strange = np.random.default_rng(1).normal(0, 1, (20, inputs.shape[1])).astype(np.float32)
    medians = []
    with torch.no_grad():
        for windows in (inputs, strange):
            x = torch.from_numpy(windows)
            added = own(x) + own.offset - network(x)
            assert (added >= -1e-4).all()
            assert added.max() <= baseline.WEIGHT * baseline.FARTHEST + 1e-4
            medians.append(float(added.median()))
    usual, odd = medians
    assert usual < 0.1 < 1.0 < odd


def test_windows_that_the_generic_model_calls_abnormal_are_no_baseline(signal, monkeypatch):
    monkeypatch.setattr(baseline, "DOUBTED", -1.0)
    with pytest.raises(NotUsualError, match="let a clinician judge with --review"):
        assumed_normal(GENERIC, signal, 1).fitted(signal.seconds)


def test_another_network_cannot_be_calibrated(signal, tmp_path):
    from tests.support.bundles import write_bundle

    other = write_bundle(tmp_path / "x.onnx", history_s=3.0, look_ahead_s=0.5, rate=120)
    with pytest.raises(BundleError):
        assumed_normal(other, signal, 1)


def test_unusable_seconds_are_left_out(signal):
    state = signal.state.copy()
    state[10:30] = 1
    network, card = restore(GENERIC)
    inputs = signal.record.inputs[: signal.seconds]
    remaining = np.delete(inputs, slice(10, 30), axis=0)
    expected = BaselineNet(network, card.threshold, remaining, 1)
    way = assumed_normal(GENERIC, replace(signal, state=state), 1)
    assert way.fitted(signal.seconds).offset == expected.offset
    assert Model.load(GENERIC).card.threshold == card.threshold
