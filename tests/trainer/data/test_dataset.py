from dataclasses import replace

import numpy as np
import pytest
import torch
import wfdb

from ecgmon.core import labels
from ecgmon.core.annotations import Annotations
from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.errors import RecordError
from ecgmon.records import Record
from ecgmon.signal import process_record
from replay.player.resampled import at_rate
from replay.simulator.simulation import simulate
from trainer.data.dataset import load, record_set
from trainer.data.rhythms import ABNORMAL_BEAT, NORMAL_BEAT
from trainer.networks.window_networks import BeatNet, CardiacNet
from trainer.training.batches import (
    SEGMENT_S,
    Group,
    SegmentBatches,
    WindowBatches,
    _signal,
    _widened,
)


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


@pytest.mark.parametrize("unit", ["window", "second"])
def test_a_segment_is_what_the_windows_in_it_see(wearer, unit, monkeypatch):
    """Training on stretches of signal must show the network what serving shows it."""
    geometry = replace(BeatNet.geometry, unit=unit)
    monkeypatch.setattr(BeatNet, "geometry", geometry)
    prepared = record_set(wearer, geometry, BeatNet.steps_per_second)
    at = 20
    windows = slice(at, at + SEGMENT_S)
    segment = _signal(prepared, windows)
    for second in range(SEGMENT_S):
        seen = segment[second * geometry.rate : second * geometry.rate + geometry.inputs]
        served = prepared.inputs[at + second]
        if unit == "second":
            np.testing.assert_array_equal(seen, served)
            continue
        seen = seen * np.median(prepared.scale[windows])
        np.testing.assert_allclose(seen, served * prepared.scale[at + second], rtol=0, atol=1e-5)


def test_beats_along_time_are_in_their_step(wearer, prepared):
    steps = BeatNet.steps_per_second
    abnormal = labels.is_abnormal(wearer.annotations)
    normal = labels.is_beat(wearer.annotations) & ~abnormal
    for which, mark in ((normal, NORMAL_BEAT), (abnormal, ABNORMAL_BEAT)):
        samples = wearer.annotations.samples[which]
        samples = samples[samples < len(prepared) * WINDOW]
        expected = np.zeros(prepared.beats.size, dtype=bool)
        expected[samples * steps // RATE] = True
        np.testing.assert_array_equal(prepared.beats.ravel() == mark, expected)


def test_labels_of_a_batch_are_those_of_its_windows(prepared):
    """Built from beats along time, they must be what the windows are labelled with."""
    _, _, drawn = SegmentBatches([Group([prepared], 30)], premature=0.0, faster=0.0).draw(
        np.random.default_rng(4)
    )
    rows = {tuple(prepared.labels[at : at + SEGMENT_S]) for at in range(len(prepared) - SEGMENT_S)}
    assert {tuple(row) for row in drawn.tolist()} <= rows
    assert (drawn == labels.ABNORMAL).any()


def test_a_beat_at_the_edge_does_not_change_the_target_of_the_neighbouring_window():
    """A neighbouring window may be a test window: its label must not show in this one's target."""
    beats = torch.zeros(1, 3, 30, dtype=torch.bool)
    beats[0, 1, 0] = beats[0, 1, 29] = True
    wide = _widened(beats)[0]
    assert wide[0].sum() == wide[2].sum() == 0
    assert wide[1].nonzero().ravel().tolist() == [0, 1, 28, 29]


def test_a_group_draws_only_from_its_windows(prepared):
    rng = np.random.default_rng(1)
    group = Group([prepared], share=200, start=5, stop=40)
    starts = [start for _, start in group.draw(rng, SEGMENT_S)]
    assert min(starts) == 5
    assert max(starts) == 40 - SEGMENT_S


def test_stretches_of_a_record_come_together(prepared):
    others = [replace(prepared, wearer=str(i)) for i in range(5)]
    group = Group(others, share=40, together=4)
    wearers = [s.wearer for s, _ in group.draw(np.random.default_rng(1), SEGMENT_S)]
    assert len(wearers) == 40
    assert all(len(set(wearers[at : at + 4])) == 1 for at in range(0, 40, 4))
    assert len(set(wearers)) > 1


def test_the_same_seed_draws_the_same_batch(prepared):
    batches = SegmentBatches([Group([prepared], 4)])
    first, again = (batches.draw(np.random.default_rng(9)) for _ in range(2))
    for a, b in zip(first, again, strict=True):
        assert (a == b).all()


@pytest.mark.parametrize("rate", [125, 250, 257, 1000])
def test_a_record_at_another_rate_has_the_windows_and_labels_of_the_same_signal_at_360_hz(
    wearer, prepared, rate
):
    resampled = record_set(at_rate(wearer, rate), BeatNet.geometry, BeatNet.steps_per_second)
    n = len(prepared)
    assert n - 1 <= len(resampled) <= n
    n = len(resampled)
    # Both filters let the chain's band pass; what is left is what they do near its upper end.
    usable = np.isfinite(prepared.scale[:n]) & np.isfinite(resampled.scale[:n])
    usable[:5] = False
    off = np.abs(resampled.inputs[:n] - prepared.inputs[:n]).max(1)[usable]
    assert np.median(off) < 0.05
    assert off.max() < 0.3
    np.testing.assert_allclose(resampled.scale[:n], prepared.scale[:n], rtol=0.02)
    near = wearer.annotations.samples % WINDOW
    at_an_edge = wearer.annotations.samples[(near < 4) | (near > WINDOW - 4)] // WINDOW
    clear = ~np.isin(np.arange(n), [at_an_edge - 1, at_an_edge, at_an_edge + 1])
    assert clear.sum() > n // 2
    np.testing.assert_array_equal(resampled.labels[:n][clear], prepared.labels[:n][clear])
    steps = [np.flatnonzero(each.beats[:n].ravel()) for each in (resampled, prepared)]
    assert len(steps[0]) == len(steps[1])
    assert np.abs(steps[0] - steps[1]).max() <= 1
    assert {*np.unique(resampled.labels)} == {*np.unique(prepared.labels)}


@pytest.mark.parametrize("rate", [99.9, 64.0, 1000.1])
def test_a_rate_that_no_monitor_takes_is_refused(rate):
    annotations = Annotations(np.array([10]), ("N",))
    record = Record("x", "x", rate, 200.0, "I", np.zeros(5000, np.int16), annotations)
    with pytest.raises(RecordError, match=f"{rate:g} Hz: give a record of 100 to 1000 Hz"):
        record_set(record, BeatNet.geometry, 30)


def test_a_record_without_annotations_has_no_labels_and_cannot_be_learned_from(tmp_path):
    record = Record("x", "x", 360.0, 200.0, "I", np.zeros(1000, np.int16), None)
    unlabelled = record_set(record, BeatNet.geometry, 30)
    assert len(unlabelled) == 2
    assert (unlabelled.labels == labels.UNLABELLED).all()
    assert not unlabelled.beats.any()
    wfdb.wrsamp("x", 360, ["mV"], ["I"], np.zeros((1000, 1)), fmt=["16"], write_dir=str(tmp_path))
    with pytest.raises(RecordError, match="has no annotations"):
        load([str(tmp_path / "x")], BeatNet)


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
            beats=np.where(flip, 2 - prepared.beats, prepared.beats).astype(np.int8),
        )
        batches = kind([Group([known], 4)])
        return batches.loss(network.eval(), batches.draw(np.random.default_rng(3)))

    assert loss(flipped=True) == loss(flipped=False)


def test_label_smoothing_draws_targets_towards_a_half(prepared):
    network = BeatNet().eval()
    losses = []
    for smoothing in (0.0, 0.2):
        batches = SegmentBatches(
            [Group([prepared], 4)], premature=0.0, faster=0.0, smoothing=smoothing
        )
        losses.append((batches, batches.draw(np.random.default_rng(5))))
    (hard, batch), (soft, _) = losses

    def with_targets(batches, softened):
        batches.criterion = lambda logits, target: softened(target).mean()
        return batches.loss(network, batch)

    with torch.inference_mode():
        expected = with_targets(hard, lambda target: target * 0.8 + 0.1)
        torch.testing.assert_close(with_targets(soft, lambda target: target), expected)
