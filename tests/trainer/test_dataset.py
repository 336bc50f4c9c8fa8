from dataclasses import replace

import numpy as np
import pytest

from ecgmon import labels
from ecgmon.errors import RecordError
from ecgmon.grid import RATE, WINDOW
from ecgmon.records import Annotations, Record
from ecgmon.signal import process_record
from replay.simulated import simulate
from trainer.batches import SEGMENT_S, Group, SegmentBatches, WindowBatches, _segment
from trainer.dataset import record_set
from trainer.networks import BeatNet, CardiacNet


@pytest.fixture(scope="module")
def wearer():
    return simulate("premature", seed=2).record


@pytest.fixture(scope="module")
def prepared(wearer):
    return record_set(wearer, BeatNet.geometry, BeatNet.steps_per_second)


def test_windows_are_those_of_the_chain(wearer, prepared):
    windows = process_record(wearer.millivolts(), BeatNet.geometry)
    np.testing.assert_array_equal(prepared.inputs, windows.inputs)
    np.testing.assert_array_equal(prepared.scale, windows.scale)


def test_a_segment_is_what_the_windows_in_it_see(prepared):
    """Training on stretches of signal must show the network what serving shows it."""
    geometry = BeatNet.geometry
    at = 20
    segment = _segment(prepared, at) * np.median(prepared.scale[at : at + SEGMENT_S])
    for second in range(SEGMENT_S):
        seen = segment[second * geometry.rate : second * geometry.rate + geometry.inputs]
        served = prepared.inputs[at + second] * prepared.scale[at + second]
        np.testing.assert_allclose(seen, served, rtol=0, atol=1e-5)


def test_targets_along_time_mark_the_beats_of_their_own_window(wearer, prepared):
    steps = BeatNet.steps_per_second
    abnormal = wearer.annotations.samples[labels.is_abnormal(wearer.annotations)]
    abnormal = abnormal[abnormal < len(prepared) * WINDOW]
    marked = np.zeros(len(prepared), dtype=bool)
    marked[abnormal // WINDOW] = True
    np.testing.assert_array_equal((prepared.abnormal == 1).any(axis=1), marked)
    for sample in abnormal:
        assert prepared.abnormal[sample // WINDOW, sample % WINDOW * steps // RATE] == 1


def test_a_beat_at_the_edge_tells_nothing_to_its_neighbour():
    """A neighbouring window may be a test window: its label must not show in this one's target."""
    annotations = Annotations(np.array([5 * WINDOW, 8 * WINDOW - 1]), ("V", "V"))
    record = Record("x", "x", RATE, 200.0, "I", np.zeros(10 * WINDOW, np.int16), annotations)
    prepared = record_set(record, BeatNet.geometry, 30)
    assert prepared.abnormal[5, 0] == 1
    assert prepared.abnormal[7, 29] == 1
    assert prepared.abnormal[[5, 7]].sum() == 4
    assert prepared.abnormal.sum() == 4


def test_a_group_draws_only_from_its_windows(prepared):
    rng = np.random.default_rng(1)
    group = Group([prepared], share=200, start=5, stop=40)
    starts = [start for _, start in group.draw(rng, SEGMENT_S)]
    assert min(starts) == 5
    assert max(starts) == 40 - SEGMENT_S


def test_the_same_seed_draws_the_same_batch(prepared):
    batches = SegmentBatches([Group([prepared], 4)])
    first, again = (batches.draw(np.random.default_rng(9)) for _ in range(2))
    for a, b in zip(first, again, strict=True):
        assert (a == b).all()


@pytest.mark.parametrize(("rate", "annotated"), [(250.0, True), (360.0, False)])
def test_a_record_that_cannot_be_learned_from_is_refused(rate, annotated):
    annotations = Annotations(np.array([10]), ("N",)) if annotated else None
    record = Record("x", "x", rate, 200.0, "I", np.zeros(1000, np.int16), annotations)
    with pytest.raises(RecordError):
        record_set(record, BeatNet.geometry, 30)


@pytest.mark.parametrize("network", [BeatNet(), CardiacNet()])
def test_no_loss_depends_on_a_window_without_a_label(network, wearer):
    """Test windows are unlabelled while training: their truth must leave no trace."""
    prepared = record_set(wearer, network.geometry, network.steps_per_second)
    hidden = np.arange(len(prepared)) % 3 == 0
    labels_hidden = np.where(hidden, labels.UNLABELLED, prepared.labels).astype(np.int8)
    kind = SegmentBatches if isinstance(network, BeatNet) else WindowBatches

    def loss(flipped):
        flip = hidden[:, None] & flipped
        known = replace(
            prepared,
            labels=labels_hidden,
            abnormal=np.where(flip, 1 - prepared.abnormal, prepared.abnormal).astype(np.int8),
            beats=np.where(flip, 1 - prepared.beats, prepared.beats).astype(np.int8),
        )
        batches = kind([Group([known], 4)])
        return batches.loss(network.eval(), batches.draw(np.random.default_rng(3)))

    assert loss(flipped=True) == loss(flipped=False)
