"""Training of the rhythm model: batches, what a label leaves open, and a whole training."""

import numpy as np
import pytest
import torch
from torch import nn

from ecgmon.models.rhythm_bundle import RHYTHMS, RhythmModel
from ecgmon.signal.geometry import RHYTHM
from trainer.data.people import Person, Sides
from trainer.data.rhythm_seconds import (
    FIBRILLATION,
    NO_FIBRILLATION,
    OTHER,
    TACHYCARDIA,
    LeadSeconds,
)
from trainer.networks.rhythm_net import RhythmNet
from trainer.training import rhythms
from trainer.training.fit import FitSettings
from trainer.training.rhythms import BATCH, POWER, SHARES, SecondsBatches, SecondsGroup, train


def group(n, value, label, database):
    share = (None, label) if label in (TACHYCARDIA, FIBRILLATION) else (database, OTHER)
    return SecondsGroup(np.full((n, RHYTHM.inputs), value, dtype=np.float16), label, share)


def test_batches_have_their_shares_of_rhythms_databases_and_people():
    groups = [
        *(group(50, 1, OTHER, name) for name, label in SHARES if name not in (None, "cudb")),
        group(50, 1, NO_FIBRILLATION, "cudb"),
        group(40, 1, TACHYCARDIA, "vfdb"),
        group(10, 1, FIBRILLATION, "vfdb"),
        group(640, 2, FIBRILLATION, "cudb"),
    ]
    batches, rng = SecondsBatches(groups, []), np.random.default_rng(1)
    drawn = [batches.draw(rng) for _ in range(60)]
    labels = torch.cat([label for _, label in drawn]).numpy()
    inputs = torch.cat([each[:, 0] for each, _ in drawn]).numpy()
    assert drawn[0][0].shape == (BATCH, RHYTHM.inputs)
    shares = np.bincount(labels, minlength=4) / len(labels)
    cudb = SHARES["cudb", OTHER]
    others = sum(share for (name, _), share in SHARES.items() if name) - cudb
    wanted = [others, SHARES[None, TACHYCARDIA], SHARES[None, FIBRILLATION], cudb]
    assert shares == pytest.approx(wanted, abs=0.015)
    sizes = np.abs(inputs[labels == FIBRILLATION])  # amplitudes vary by a third
    assert (sizes > 1.4).mean() == pytest.approx(64**POWER / (1 + 64**POWER), abs=0.1)
    assert 0.3 < (inputs < 0).mean() < 0.5


def test_noise_is_added_and_may_be_all_there_is():
    rng = np.random.default_rng(1)
    noise = [rng.normal(size=20_000).astype(np.float32)]
    batches = SecondsBatches([group(50, 1, OTHER, "mitdb")], noise)
    inputs = torch.cat([batches.draw(rng)[0] for _ in range(20)]).numpy()
    flat = np.ptp(inputs, axis=1) == 0
    bare = ~flat & (np.abs(inputs.mean(axis=1)) < 0.2)
    assert flat.mean() == pytest.approx(0.94 * 0.6, abs=0.05)
    assert bare.mean() == pytest.approx(0.06, abs=0.02)


def test_a_label_that_leaves_two_open_asks_for_either():
    class Says(nn.Module):
        def forward(self, x):
            return torch.tensor([[0.2, 0.5, 0.3]]).log().expand(len(x), -1)

    batches = SecondsBatches([group(5, 1, OTHER, "mitdb")], [])
    inputs = torch.zeros(1, RHYTHM.inputs)
    for label, share in (
        (OTHER, 0.2),
        (TACHYCARDIA, 0.5),
        (FIBRILLATION, 0.3),
        (NO_FIBRILLATION, 0.7),
    ):
        loss = batches.loss(Says(), (inputs, torch.tensor([label])))
        assert float(loss) == pytest.approx(-np.log(share), rel=1e-5)


def test_the_network_stays_within_its_cost():
    """At most 1.1 million multiplications a second and 1 MB."""
    network, multiplications = RhythmNet(3).eval(), []

    def count(layer, _inputs, output):
        multiplications.append(layer.weight[0].numel() * output.numel())

    for layer in network.modules():
        if isinstance(layer, nn.Conv1d | nn.Linear):
            layer.register_forward_hook(count)
    with torch.inference_mode():
        assert network(torch.zeros(1, RHYTHM.inputs)).shape == (1, 3)
    assert sum(multiplications) <= 1_100_000
    assert sum(p.numel() for p in network.parameters()) * 4 <= 2**20


@pytest.mark.thorough
def test_a_training_tells_slow_from_fast_and_the_same_seed_gives_the_same(tmp_path, monkeypatch):
    """On signals made here; the way of real ones is that of `seconds_of`."""
    rng = np.random.default_rng(1)

    def made(person, _folder, _data=None):
        n = 60
        at = np.arange(RHYTHM.inputs) / RHYTHM.rate
        labels = np.resize(np.array([OTHER, TACHYCARDIA, FIBRILLATION], dtype=np.int8), n)
        hz = np.array([1.2, 3.0, 6.0])[labels] * rng.uniform(0.9, 1.1, n)
        inputs = np.sin(2 * np.pi * hz[:, None] * at + rng.uniform(0, 6, (n, 1)))
        inputs[labels == OTHER] = np.abs(inputs[labels == OTHER]) ** 40
        settled = np.ones(n, dtype=bool)
        return [LeadSeconds(person.records[0], inputs.astype(np.float16), settled, labels)]

    monkeypatch.setattr(rhythms, "seconds_of", made)
    monkeypatch.setattr(rhythms.noise, "load", lambda *_: [])
    monkeypatch.setattr(rhythms, "SETTINGS", FitSettings(2, 4e-3, 0, steps=40, averaging=0.9))
    people = [Person("vfdb", (f"vfdb/{n}",), chooses=n == 2, fold=0) for n in range(4)]
    sides = Sides(tuple(people[:2]), (people[2],), (people[3],))
    rng = np.random.default_rng(1)
    model = train(sides, tmp_path, tmp_path / "one.onnx", seed=3)
    rng = np.random.default_rng(1)
    again = train(sides, tmp_path, tmp_path / "two.onnx", seed=3)
    assert isinstance(model, RhythmModel)
    counts = np.array(model.card.evaluation.counts)
    assert counts.sum() == 60
    assert np.trace(counts) >= 50
    assert model.card.validation.records == ("vfdb/2",)
    assert {span.record for span in model.card.trained_on} == {"vfdb/0", "vfdb/1", "vfdb/2"}
    assert model.card.fitted == (60, 60, 60)
    assert model.card.classes == RHYTHMS
    some = rng.normal(size=(4, RHYTHM.inputs)).astype(np.float32)
    np.testing.assert_array_equal(model.probability(some), again.probability(some))
