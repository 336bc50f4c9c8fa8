"""Training of the model of atrial rhythms: batches, cost, and a whole training."""

import numpy as np
import pytest
import torch
from torch import nn

from ecgmon.models.atrial_bundle import AtrialModel
from ecgmon.signal.atrial_segments import ATRIAL_SHAPE, BEATS, SEGMENT
from trainer.data.atrial_beats import ATRIAL_FIBRILLATION, OTHER_ATRIAL, AtrialInputs
from trainer.data.people import Person, Sides
from trainer.networks.atrial_net import AtrialNet
from trainer.training import atrial
from trainer.training.atrial import BATCH, SHARES, AtrialBatches, train
from trainer.training.fit import FitSettings


def made(record, n=60, seed=1, labels=None):
    """Beats of a regular heart with P waves, and of an uneven one without."""
    rng = np.random.default_rng(seed)
    labels = np.resize(np.array([0, 1], dtype=np.int8), n) if labels is None else labels
    inputs = np.zeros((n, *ATRIAL_SHAPE), dtype=np.float32)
    p_wave = 0.2 * np.exp(-(((np.arange(SEGMENT) - 12) / 3) ** 2))
    inputs[:, :, :SEGMENT] = np.where(labels == 1, 0, 1)[:, None, None] * p_wave
    inputs[:, :, SEGMENT] = rng.normal(size=(n, BEATS)) * np.where(labels == 1, 0.25, 0.02)[:, None]
    inputs[:, :, SEGMENT + 3] = 1
    end = 1800 * np.arange(1, n + 1)
    return AtrialInputs(record, inputs.astype(np.float16), np.ones(n, dtype=bool), end, labels)


def test_batches_have_their_shares_of_databases_and_rhythms():
    records = [
        (name, made(f"{name}/{n}", 20 * n)) for name in ("mitdb", "cinc2017") for n in (1, 9)
    ]
    records.append(("qtdb", made("qtdb/1", labels=np.zeros(60, dtype=np.int8))))
    batches, rng = AtrialBatches(records), np.random.default_rng(1)
    drawn = [batches.draw(rng) for _ in range(40)]
    labels = torch.cat([label for _, label in drawn]).numpy()
    assert drawn[0][0].shape == (BATCH, *ATRIAL_SHAPE)
    share = sum(size for (_, label), size in SHARES.items() if label == ATRIAL_FIBRILLATION)
    assert (labels == ATRIAL_FIBRILLATION).mean() == pytest.approx(share, abs=0.02)
    assert set(labels) == {OTHER_ATRIAL, ATRIAL_FIBRILLATION}
    beats = torch.cat([each[:, :, SEGMENT + 3].sum(dim=1) for each, _ in drawn]).numpy()
    assert 0.4 < (beats < BEATS).mean() < 0.6
    assert beats.min() > BEATS - 20


def test_the_network_stays_within_its_cost():
    """At most 0.35 million multiplications, every five seconds."""
    network, multiplications = AtrialNet(2).eval(), []

    def count(layer, _inputs, output):
        multiplications.append(layer.weight[0].numel() * output.numel())

    for layer in network.modules():
        if isinstance(layer, nn.Conv1d | nn.Linear):
            layer.register_forward_hook(count)
    with torch.inference_mode():
        assert network(torch.zeros(1, *ATRIAL_SHAPE)).shape == (1, 2)
    assert sum(multiplications) <= 350_000


@pytest.mark.thorough
def test_a_training_tells_even_from_uneven_and_the_same_seed_gives_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(
        atrial, "atrial_inputs", lambda person, *_: [made(name, 60) for name in person.records]
    )
    monkeypatch.setattr(atrial, "SETTINGS", FitSettings(2, 3e-3, 0, steps=40, averaging=0.9))
    people = [Person("mitdb", (f"mitdb/{n}",), chooses=n == 2, fold=0) for n in range(4)]
    people.append(Person("svdb", ("svdb/1",), chooses=False, fold=0))
    sides = Sides((*people[:2], people[4]), (people[2],), (people[3],))
    model = train(sides, tmp_path, tmp_path / "one.onnx", seed=3)
    again = train(sides, tmp_path, tmp_path / "two.onnx", seed=3)
    assert isinstance(model, AtrialModel)
    counts = np.array(model.card.evaluation.counts)
    assert counts.sum() == 60
    assert np.trace(counts) >= 54
    assert {span.record for span in model.card.trained_on} == {f"mitdb/{n}" for n in range(3)}
    assert model.card.fitted == (90, 90)
    some = made("x", 6, seed=5).inputs.astype(np.float32)
    np.testing.assert_array_equal(model.probability(some), again.probability(some))
