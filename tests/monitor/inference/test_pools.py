"""The models that a monitor holds: all but the list of what they were trained on."""

import pytest

from ecgmon.models.loading import load
from monitor.inference.bundle_pool import BundlePool
from monitor.inference.engine import ModelPool
from tests.support.beat_bundles import BUILT_IN


def held(name):
    path = BUILT_IN / f"{name}.onnx"
    if name == "generic":
        return ModelPool(lambda _: path).of("ann")
    model, _ = BundlePool(lambda _: path, load).serving("ann")
    return model


@pytest.mark.parametrize("name", ["generic", "beats", "rhythms", "atrial"])
def test_a_monitor_keeps_all_of_a_card_but_what_the_model_was_trained_on(name):
    card, whole = held(name).card, load(BUILT_IN / f"{name}.onnx").card
    assert len(whole.trained_on) > 10
    assert card.trained_on == ()
    others = [field for field in whole.__struct_fields__ if field != "trained_on"]
    assert [getattr(card, each) for each in others] == [getattr(whole, each) for each in others]
