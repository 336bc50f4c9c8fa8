"""Training end to end on simulated wearers: small, but real in every part."""

from dataclasses import replace

import numpy as np
import pytest

from ecgmon.core.errors import BundleError, UsageError
from ecgmon.models.bundle import Model
from ecgmon.models.resolve import built_in
from replay.simulator.simulation import simulate
from trainer.data import splits
from trainer.data.dataset import record_set
from trainer.enrolment.enrol import enrol, tuning
from trainer.networks.window_networks import NETWORKS, BeatNet
from trainer.training import build, window_trainings
from trainer.training import onnx_export as export
from trainer.training.scoring import probabilities

pytestmark = pytest.mark.thorough

SHORT = {
    name: replace(
        recipe,
        share=8,
        beside={},
        own=4,
        rehearsal=4,
        generic=replace(recipe.generic, epochs=2, steps=25),
        patient=replace(recipe.patient, steps=10),
    )
    for name, recipe in window_trainings.TRAININGS.items()
}


def wearer(name, network, seed, seconds=360):
    record = simulate("premature", seed=seed, duration_s=seconds, wearer=name).record
    record = replace(record, name=f"simulated/{name}")
    kind = NETWORKS[network]
    return record_set(record, kind.geometry, kind.steps_per_second)


def tuned(generic, stranger, rehearsal, path, *, evaluate=False):
    way = tuning(generic, stranger, rehearsal, 1)
    return enrol(generic, stranger, way, 1, path, evaluate=evaluate)


OWN = "beatnet"
OTHERS = [pytest.param(name, marks=pytest.mark.slow) for name in NETWORKS if name != OWN]


@pytest.fixture(scope="module", params=[OWN, *OTHERS])
def trained(request, tmp_path_factory):
    network = request.param
    sets = [
        wearer(name, network, seed)
        for seed, name in enumerate([*splits.TRAINING[:3], *splits.VALIDATION[:2]], start=1)
    ]
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window_trainings, "TRAININGS", SHORT)
        epochs = []
        path = folder / "generic.onnx"
        model = build.train_generic(network, sets[:3], sets[3:], 1, path, (), epochs.append)
        stranger = wearer("203", network, 77)
        again = build.train_generic(
            network, sets[:3], sets[3:], 1, folder / "again.onnx", unseen=[stranger]
        )
        own = tuned(path, stranger, sets[:3], folder / "203.onnx", evaluate=True)
    return network, sets, path, model, again, own, stranger, epochs


def test_training_learns(trained):
    *_, epochs = trained
    assert epochs[-1].loss < epochs[0].loss


def test_one_seed_gives_one_model(trained):
    _, sets, _, model, again, *_ = trained
    inputs = sets[0].inputs
    np.testing.assert_array_equal(model.probability(inputs), again.probability(inputs))


def test_the_card_s_evaluation_is_what_the_bundle_says_of_windows_never_seen(trained):
    _, _, _, model, again, own, stranger, _ = trained
    assert model.card.evaluation is None
    for bundle, start in ((again, 0), (own, splits.ENROLMENT_S)):
        probability = bundle.probability(stranger.inputs[start:])
        expected = stranger.confusion(probability, bundle.card.threshold, start)
        assert bundle.card.evaluation.confusion == expected
        assert bundle.card.evaluation.records == (stranger.record,)


def test_the_card_says_what_it_was_trained_on(trained):
    network, sets, _, model, _, own, stranger, _ = trained
    card = model.card
    assert [span.record for span in card.trained_on] == [s.record for s in sets[:3]]
    assert card.validation.records == tuple(s.record for s in sets[3:])
    assert card.network == network
    assert card.windows == sum(int((s.labels >= 0).sum()) for s in sets[:3])
    assert own.card.wearer == "203"
    assert own.card.enrolment.record == stranger.record
    assert own.card.enrolment.stop == splits.ENROLMENT_S
    assert own.card.has_seen(stranger.record, splits.ENROLMENT_S - 1)
    assert not own.card.has_seen(stranger.record, splits.ENROLMENT_S)


def test_the_bundle_is_the_checkpoint(trained):
    _, sets, path, model, *_ = trained
    network, card = export.restore(path)
    inputs = sets[0].inputs[:100]
    np.testing.assert_allclose(
        probabilities(network, inputs), model.probability(inputs), rtol=0, atol=1e-5
    )
    assert card == model.card


def test_what_was_written_is_what_is_loaded(trained):
    _, _, path, model, *_ = trained
    loaded = Model.load(path)
    assert loaded.sha256 == model.sha256
    assert [p.name for p in path.parent.glob("*.new")] == []


def test_nothing_after_the_enrolment_touches_the_patient_model(trained, tmp_path):
    network, sets, path, _, _, own, stranger, _ = trained
    scrambled = replace(
        stranger,
        **{
            name: np.concatenate(
                [
                    getattr(stranger, name)[: splits.ENROLMENT_S],
                    np.flip(getattr(stranger, name)[splits.ENROLMENT_S :], axis=0),
                ]
            )
            for name in _arrays(stranger)
        },
        stream=np.concatenate(
            [
                stranger.stream[: _seen(network)],
                np.zeros_like(stranger.stream[_seen(network) :]),
            ]
        ),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window_trainings, "TRAININGS", SHORT)
        again = tuned(path, scrambled, sets[:3], tmp_path / "x.onnx")
    np.testing.assert_array_equal(
        own.probability(stranger.inputs), again.probability(stranger.inputs)
    )


def _arrays(record):
    """Names of what a record has of each window."""
    names = ("labels", "beats", "scale", "own_units")
    return [name for name in names if getattr(record, name) is not None]


def _seen(network):
    """Samples of the stream that the enrolment's windows see, with their look-ahead."""
    geometry = NETWORKS[network].geometry
    return splits.ENROLMENT_S * geometry.rate + geometry.inputs - geometry.rate


def test_no_wearer_is_trained_on_and_chooses_as_well(tmp_path):
    one = wearer("203", "beatnet", 1, seconds=60)
    with pytest.raises(UsageError, match="203"):
        build.train_generic("beatnet", [one], [one], 1, tmp_path / "x.onnx")


def test_a_wearer_the_generic_model_knows_cannot_be_enrolled(trained, tmp_path):
    _, sets, path, *_ = trained
    with pytest.raises(UsageError, match=sets[0].wearer):
        tuned(path, sets[0], sets[:3], tmp_path / "x.onnx")


def test_a_record_shorter_than_the_enrolment_is_refused(trained, tmp_path):
    network, sets, path, *_ = trained
    short = wearer("203", network, 5, seconds=200)
    with pytest.raises(UsageError, match="too short"):
        tuned(path, short, sets[:3], tmp_path / "x.onnx")


def test_a_bundle_in_other_units_is_not_fine_tuned(monkeypatch):
    export.restore(built_in()["generic"])
    monkeypatch.setattr(BeatNet, "geometry", replace(BeatNet.geometry, unit="window"))
    with pytest.raises(BundleError, match="in other units: it serves as before"):
        export.restore(built_in()["generic"])
