"""A wearer's own model knows the usual beat of the enrolment, however its seconds are labelled."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch

from ecgmon.core.labels import NORMAL
from ecgmon.models.bundle import Model
from ecgmon.signal.usual_beat import EVERY_S, SAMPLES, likeness, middle
from tests.support.rig import GENERIC
from trainer.enrolment.enrol import EnrolmentMethod, enrol
from trainer.enrolment.labelled import labelled
from trainer.networks.window_networks import BeatNet


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    return BeatNet().folded().eval()


def made(network, record, seconds, path, source="annotations"):
    way = EnrolmentMethod(lambda _: network, 0.5, source)
    return enrol(GENERIC, record, way, 1, path, seconds=seconds)


@pytest.fixture(scope="module")
def card(network, signal, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "own.onnx"
    model = made(network, signal.record, signal.seconds, path)
    assert Model.load(path).card == model.card
    return model.card


def test_the_card_has_the_median_of_the_enrolment_s_minutes(card, signal):
    whole = signal.seconds // EVERY_S
    assert card.usual_beat == middle(signal.record.usual[:whole])
    assert len(card.usual_beat) == SAMPLES
    usual = np.array(card.usual_beat, dtype=np.float32)
    assert all(likeness(one, usual) > 0.95 for one in signal.record.usual)


def test_the_way_of_labelling_does_not_matter(network, signal, card, tmp_path):
    normal = labelled(signal, np.full(len(signal.beats), NORMAL, dtype=np.int8))
    other = made(network, normal, signal.seconds, tmp_path / "own.onnx", "assumed normal").card
    assert other.usual_beat == card.usual_beat != ()


def test_a_part_of_a_record_has_the_minutes_that_are_whole_in_it(signal):
    usual = signal.record.usual
    assert len(usual) == 3
    np.testing.assert_array_equal(signal.record.part(60, 180).usual, usual[1:])
    np.testing.assert_array_equal(signal.record.part(1, 179).usual, usual[1:2])


def test_a_record_without_one_makes_a_model_that_is_not_watched(network, signal, tmp_path):
    none = replace(signal.record, usual=np.full((3, SAMPLES), np.nan, dtype=np.float32))
    assert made(network, none, signal.seconds, tmp_path / "own.onnx").card.usual_beat == ()


def test_a_usual_beat_of_another_length_is_refused(card):
    with pytest.raises(ValueError, match=f"has not {SAMPLES} samples"):
        msgspec.structs.replace(card, usual_beat=(0.5,))
