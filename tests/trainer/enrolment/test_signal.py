"""The part of a wearer's signal that can be used for enrolment, and the refusals."""

from dataclasses import replace

import numpy as np
import pytest

from ecgmon.core.constants import NO_VALUE, RATE
from ecgmon.core.errors import RecordError
from ecgmon.core.labels import UNLABELLED, is_beat
from ecgmon.records import Record
from tests.trainer.enrolment.conftest import SECONDS
from trainer.enrolment.signal import SHORTEST, USABLE, take
from trainer.networks.window_networks import BeatNet

N = (SECONDS + 1) * RATE


def made_of(samples, rate=float(RATE)):
    return Record("home/ann", "ann", rate, 200.0, "II", samples.astype(np.int16))


def test_the_beats_are_those_of_the_record(record, signal):
    true = record.annotations.samples[is_beat(record.annotations)]
    apart = np.abs(true[:, None] - signal.beats[None, :])
    inside = (true > 2 * RATE) & (true < (SECONDS - 1) * RATE)
    assert (apart.min(axis=1)[inside] <= 0.15 * RATE).mean() > 0.99
    assert (np.diff(signal.beats) > 0).all()
    assert signal.filtered.shape == (SECONDS * RATE,)


def test_a_record_without_annotations_has_beats_but_no_labels(record, signal):
    bare = take(replace(record, annotations=None), BeatNet, SECONDS)
    np.testing.assert_array_equal(bare.beats, signal.beats)
    np.testing.assert_array_equal(bare.record.inputs, signal.record.inputs)
    assert (bare.record.labels == UNLABELLED).all()


def test_seconds_without_signal_have_no_beats(record):
    samples = record.samples.copy()
    samples[20 * RATE : 60 * RATE] = NO_VALUE
    part = take(replace(record, samples=samples), BeatNet, SECONDS)
    assert not part.usable[21:59].any()
    seconds = part.beats // RATE
    assert not np.isin(seconds, np.flatnonzero(~part.usable)).any()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.full(N, NO_VALUE), f"0 can be used .0 noisy or clipped, {SECONDS} with missing signal"),
        (  # a line that has been still for two seconds may be between two beats
            np.full(N, 77),
            f"2 can be used .0 noisy or clipped, {SECONDS - 2} with missing signal",
        ),
        (
            np.random.default_rng(1).normal(0, 300, N),
            f"0 can be used .{SECONDS} noisy or clipped, 0 with",
        ),
        (np.zeros(SHORTEST * RATE - 1), f"too short: it has {SHORTEST - 1} whole seconds"),
        (np.zeros(0), "too short"),
    ],
    ids=["nothing", "flat", "noise", "short", "empty"],
)
def test_a_signal_unfit_for_enrolment_is_refused_with_the_reason(samples, reason):
    seconds = min(SECONDS, len(samples) // RATE - 1)
    with pytest.raises(RecordError, match=reason):
        take(made_of(samples), BeatNet, seconds)


def test_a_sampling_rate_that_no_monitor_takes_is_refused():
    with pytest.raises(RecordError, match="home/ann is sampled at 64 Hz: give a record of 100 to"):
        take(made_of(np.zeros(N), rate=64.0), BeatNet, SECONDS)


def test_too_little_good_signal_is_refused(record):
    samples = record.samples.copy()
    samples[: int((1 - USABLE) * SECONDS + 3) * RATE] = NO_VALUE
    with pytest.raises(RecordError, match="check the electrodes"):
        take(replace(record, samples=samples), BeatNet, SECONDS)


def test_seconds_that_are_clipped_or_near_missing_samples_are_not_usable(record):
    samples = record.samples.copy()
    top = int(samples.max())
    clipped = slice(100 * RATE, 102 * RATE)
    samples[clipped] = np.clip(samples[clipped], -top // 8, top // 8)
    samples[50 * RATE + 7] = NO_VALUE  # one alone: the second itself would pass for whole
    part = take(replace(record, samples=samples), BeatNet, SECONDS)
    assert not part.usable[100:102].any()
    # Its history is 3 s and its look-ahead half a second, as the monitor has it.
    np.testing.assert_array_equal(np.flatnonzero(~part.usable[45:60]) + 45, [49, 50, 51, 52, 53])
