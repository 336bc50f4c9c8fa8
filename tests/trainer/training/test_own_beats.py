"""From people's beats to a generic bundle, and from that to a wearer's own."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ecgmon.core.constants import RATE
from ecgmon.core.errors import BundleError
from ecgmon.models.beat_bundle import BeatModel
from ecgmon.signal.beat_segments import VALUES
from monitor.inference.own_beats import own_probability
from tests.support.beat_bundles import export_random
from trainer.data import learned_beats
from trainer.data.beats.leads import LeadBeats
from trainer.data.learned_beats import BeatGroup
from trainer.data.people import Person, Sides
from trainer.training import live_beats, own_beats
from trainer.training.own_beats import OWN, SHARED, adapt, export_own, restore

pytestmark = pytest.mark.thorough
LENGTH_S = 600


def lead_of(record, seed, classes=(0, 1, 2)):
    """Beats of which one number says the class: 1 where S, -1 where V."""
    rng = np.random.default_rng(seed)
    n = LENGTH_S
    labels = rng.choice(np.array(classes, dtype=np.int8), n)
    inputs = rng.normal(0, 0.3, (n, VALUES)).astype(np.float32)
    inputs[:, -1] += np.array([0, 1, -1, 0, 0])[labels]
    return LeadBeats(record, 1, np.arange(n) * RATE, labels, np.ones(n, dtype=bool), inputs)


@pytest.fixture(scope="module")
def patch():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def sides(patch):
    """Two who train, one who chooses and one who is judged, with a training of a few steps."""
    people = [
        Person("svdb", (f"svdb/{name}",), chooses=name == "chooser", fold=0)
        for name in ("one", "two", "chooser", "judged")
    ]
    leads = {p.records[0]: lead_of(p.records[0], seed) for seed, p in enumerate(people)}

    def beats_of(of, _folder, **_):
        return ((person, leads[person.records[0]]) for person in of)

    patch.setattr(learned_beats, "beats_of", beats_of)
    patch.setattr(live_beats, "SETTINGS", replace(live_beats.SETTINGS, epochs=2, steps=4))
    patch.setattr(own_beats, "SETTINGS", replace(own_beats.SETTINGS, steps=30))
    return Sides(tuple(people[:2]), (people[2],), (people[3],))


@pytest.fixture(scope="module")
def generic(sides, tmp_path_factory):
    path = tmp_path_factory.mktemp("generic") / "beats.onnx"
    live_beats.train(sides, path.parent, path, seed=3)
    return path


def test_a_generic_bundle_says_who_trained_it_and_whom_it_was_judged_on(generic):
    card = BeatModel.load(generic).card
    assert [span.record for span in card.trained_on] == ["svdb/one", "svdb/two"]
    assert {span.stop for span in card.trained_on} == {LENGTH_S}
    assert card.validation.records == ("svdb/chooser",)
    assert card.evaluation.records == ("svdb/judged",)
    # Beats of the first five minutes are not counted: a wearer's own model learns from them.
    assert np.sum(card.evaluation.counts) == LENGTH_S - 300
    assert (card.wearer, card.segments, card.length) == (None, "live", VALUES)
    BeatModel.load(generic).require_live(generic)


def test_what_is_restored_says_what_the_bundle_says(generic):
    inputs = lead_of("svdb/x", 9).inputs[:50]
    with torch.inference_mode():
        logits = restore(generic)(torch.from_numpy(inputs))
    expected = BeatModel.load(generic).probability(inputs)
    np.testing.assert_allclose(torch.softmax(logits, 1).numpy(), expected, atol=1e-5)


def test_a_wearers_own_network_keeps_the_shared_layers_and_learns_the_wearer(generic, tmp_path):
    """The wearer's early beats are of class V where everybody else's are S."""
    own = lead_of("svdb/judged", 5, classes=(0, 1))
    own = replace(own, labels=np.where(own.labels == 1, 2, 0).astype(np.int8))
    others = [
        BeatGroup(lead.inputs.astype(np.float16), lead.labels, 1.0) for lead in [lead_of("o", 6)]
    ]
    before, after = restore(generic), adapt(generic, own, 300 * RATE, others, seed=1)
    for (name, old), new in zip(before.named_parameters(), after.parameters(), strict=True):
        assert torch.equal(old, new) == name.startswith(SHARED), name
    later = torch.from_numpy(own.inputs[300:])
    with torch.inference_mode():
        called = [
            (net(later).argmax(1).numpy() == own.labels[300:]).mean() for net in (before, after)
        ]
    assert called[1] > called[0]
    path = tmp_path / "own.onnx"
    model = export_own(after, generic, own, 300, "ann", path)
    card = model.card
    (by_layers,) = own_probability(own.inputs[:1], [model.layers])
    np.testing.assert_allclose(by_layers, model.probability(own.inputs[:1])[0], atol=1e-5)
    assert (card.wearer, card.name) == ("ann", "ann-beats")
    assert card.trained_on[-1].record == "svdb/judged"
    assert card.trained_on[-1].stop == 300
    assert card.evaluation.protocol == "before adaptation: people never seen"


def test_half_of_a_batch_is_the_wearers(generic):
    own = lead_of("svdb/judged", 5)
    others = live_beats.GroupBatches(
        [BeatGroup(np.full((9, VALUES), 7, np.float16), np.zeros(9, np.int8), 1)]
    )
    batches = own_beats.OwnBatches(own.inputs, own.labels, others)
    inputs, labels = batches.draw(np.random.default_rng(1))
    assert len(inputs) == len(labels) == 2 * OWN
    assert (inputs[OWN:] == 7).all()
    assert not (inputs[:OWN] == 7).any()


def test_another_network_is_not_fine_tuned(tmp_path):
    path = export_random(tmp_path / "context.onnx")
    with pytest.raises(BundleError, match="a network this version cannot fine-tune: context"):
        restore(path)
