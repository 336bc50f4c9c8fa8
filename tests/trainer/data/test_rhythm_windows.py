"""Seconds of a ventricular rhythm teach a model of windows that they are abnormal."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ecgmon.core.annotations import Annotations
from ecgmon.core.labels import ABNORMAL, NORMAL, UNLABELLED
from replay.simulator.simulation import simulate
from trainer.data.dataset import record_set
from trainer.data.rhythms import ABNORMAL_RHYTHM, NORMAL_RHYTHM
from trainer.networks.window_networks import BeatNet
from trainer.training.batches import SEGMENT_S, Group, SegmentBatches

HEART = simulate("normal", seed=4, duration_s=60).record
RATE = 360


def prepared(name, marks):
    """Return the simulated record with marks beside its beats: second, symbol and note."""
    beats = HEART.annotations
    at = np.array([round(second * RATE) for second, *_ in marks], dtype=np.int64)
    samples = np.concatenate([beats.samples, at])
    order = np.argsort(samples, kind="stable")
    symbols = [*beats.symbols, *(symbol for _, symbol, _ in marks)]
    notes = [*("" for _ in beats.symbols), *(note for *_, note in marks)]
    annotations = Annotations(
        samples[order],
        tuple(symbols[i] for i in order),
        notes=tuple(notes[i] for i in order),
    )
    record = replace(HEART, name=name, annotations=annotations)
    return record_set(record, BeatNet.geometry, BeatNet.steps_per_second)


def test_fibrillation_of_a_database_without_classes_is_all_that_it_teaches():
    made = prepared("cudb/cu01", [(20.5, "[", ""), (40.2, "]", "")])
    assert set(made.labels) == {UNLABELLED}
    assert np.flatnonzero(made.taught == ABNORMAL).tolist() == [*range(21, 40)]
    assert set(made.taught) == {UNLABELLED, ABNORMAL}


def test_seconds_noted_as_normal_teach_that_where_beats_have_no_classes():
    notes = [(5, "+", "(N"), (20, "+", "(NOISE"), (25, "+", "(N"), (40.5, "+", "(VT")]
    made = prepared("cudb/cu01", [*notes, (50, "+", "(NSR"), (55, "+", "(AFIB")])
    assert np.flatnonzero(made.taught == NORMAL).tolist() == [
        *range(5, 20),
        *range(25, 40),
        *range(50, 55),
    ]
    assert np.flatnonzero(made.taught == ABNORMAL).tolist() == [*range(41, 50)]
    assert (prepared("mitdb/207", notes).beats != NORMAL_RHYTHM).all()


def test_without_notes_it_is_normal_until_half_a_minute_before_a_fibrillation():
    made = prepared("cudb/cu01", [(50.5, "[", "")])
    assert np.flatnonzero(made.taught == NORMAL).tolist() == [*range(20)]
    assert (prepared("cudb/cu01", []).taught == UNLABELLED).all()


def test_noise_in_it_teaches_nothing():
    notes = [(20, "+", "(VT"), (30, "+", "(NOISE"), (35, "+", "(VT"), (45, "+", "(AFIB")]
    made = prepared("cudb/cu02", notes)
    taught = [*range(20, 30), *range(35, 45)]
    assert np.flatnonzero(made.taught == ABNORMAL).tolist() == taught


def test_where_beats_have_classes_these_count():
    made = prepared("mitdb/207", [(20, "[", ""), (40, "]", "")])
    # The seconds of the marks themselves have no label.
    assert np.flatnonzero(made.taught == ABNORMAL).tolist() == [20]
    assert (made.labels[21:40] == NORMAL).all()
    assert made.labels[20] == UNLABELLED


@pytest.mark.parametrize("faster", [0.0, 1.0])
def test_batches_teach_the_window_and_no_place_of_a_beat(faster):
    made = prepared("cudb/cu01", [(1, "[", ""), (59, "]", "")])
    batches = SegmentBatches([Group([made], 2)], premature=faster, faster=faster)
    torch.manual_seed(1)
    network = BeatNet()
    signal, beats, labels = batches.draw(np.random.default_rng(1))
    assert (labels == ABNORMAL).all()
    assert (beats == ABNORMAL_RHYTHM).all()
    assert labels.shape == (2, SEGMENT_S)
    loss = batches.loss(network, (signal, beats, labels))
    windows = network.of_windows(network.along_time(signal)[:, 0])
    expected = torch.nn.functional.softplus(-windows).mean()
    torch.testing.assert_close(loss, expected, atol=1e-4, rtol=1e-4)


def test_normal_seconds_without_named_beats_say_that_none_is_abnormal():
    made = prepared("cudb/cu01", [(0, "+", "(N")])
    batches = SegmentBatches([Group([made], 2)], premature=0.0, faster=0.0)
    torch.manual_seed(1)
    network = BeatNet()
    signal, beats, labels = batches.draw(np.random.default_rng(1))
    assert (labels == NORMAL).all()
    loss = batches.loss(network, (signal, beats, labels))
    abnormal = network.along_time(signal)[:, 0]
    inner = abnormal.reshape(2, SEGMENT_S, -1)[..., 1:-1]
    softplus = torch.nn.functional.softplus
    expected = softplus(network.of_windows(abnormal)).mean()
    expected = expected + SegmentBatches.ALONG_TIME * softplus(inner).mean()
    torch.testing.assert_close(loss, expected, atol=1e-4, rtol=1e-4)
