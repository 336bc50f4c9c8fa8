"""Records at other sampling rates."""

import numpy as np
import pytest

from ecgmon.core.annotations import Annotations
from ecgmon.core.constants import NO_VALUE
from ecgmon.core.errors import UsageError
from ecgmon.records import Record
from replay.player.resampled import at_rate
from replay.simulator.simulation import simulate

RATES = (100, 128, 250, 257, 500, 1000)


def sine(rate, seconds=10, hz=5.0):
    t = np.arange(round(seconds * rate)) / rate
    samples = np.rint(1000 * np.sin(2 * np.pi * hz * t)).astype(np.int16)
    return Record("a/b", "b", float(rate), 200.0, "II", samples)


@pytest.mark.parametrize("rate", RATES)
def test_a_signal_is_the_same_in_time_at_every_rate(rate):
    resampled = at_rate(sine(360), rate)
    expected = sine(rate)
    assert resampled.rate == rate
    assert abs(len(resampled.samples) - len(expected.samples)) <= 1
    n = min(len(resampled.samples), len(expected.samples))
    inside = slice(rate, n - rate)  # a filter needs room at both ends
    off = resampled.samples[inside].astype(int) - expected.samples[inside]
    assert np.abs(off).max() <= 10  # of 1,000


@pytest.mark.parametrize("rate", RATES)
def test_annotations_and_gaps_move_with_the_signal(rate):
    record = simulate("gaps", seed=2).record
    resampled = at_rate(record, rate)
    seconds = resampled.annotations.samples / rate
    assert np.abs(seconds - record.annotations.samples / 360).max() <= 1 / rate
    assert resampled.annotations.symbols == record.annotations.symbols
    for (start, stop), (was_start, was_stop) in zip(resampled.missing, record.missing, strict=True):
        assert abs(start / rate - was_start / 360) <= 1 / rate
        assert abs(stop / rate - was_stop / 360) <= 1 / rate


@pytest.mark.parametrize("rate", RATES)
def test_what_was_not_measured_stays_so_and_disturbs_nothing_around_it(rate):
    complete = sine(360)
    off = complete.samples.copy()
    off[1000:1500] = NO_VALUE
    resampled = at_rate(Record("a/b", "b", 360.0, 200.0, "II", off), rate).samples
    seconds = np.arange(len(resampled)) / rate
    unknown = resampled == NO_VALUE
    assert unknown[(seconds > 1001 / 360) & (seconds < 1498 / 360)].all()
    assert not unknown[(seconds < 999 / 360) | (seconds > 1501 / 360)].any()
    assert np.abs(resampled[~unknown].astype(int)).max() < 1100


def test_a_record_without_a_single_sample_has_none_at_another_rate():
    nothing = np.full(3600, NO_VALUE, dtype=np.int16)
    resampled = at_rate(Record("a/b", "b", 360.0, 200.0, "II", nothing), 250)
    assert (resampled.samples == NO_VALUE).all()


def test_the_same_rate_is_the_same_record_and_full_scale_never_wraps():
    record = sine(360)
    assert at_rate(record, 360.0) is record
    square = np.where(np.arange(3600) % 72 < 36, -32767, 32767).astype(np.int16)
    loud = Record("a/b", "b", 360.0, 200.0, "II", square, Annotations(np.zeros(0, np.int64), ()))
    assert not (at_rate(loud, 250).samples == NO_VALUE).any()


@pytest.mark.parametrize("rate", [50, 99.9, 1001, 10_000])
def test_a_rate_that_the_wire_does_not_take_is_refused(rate):
    with pytest.raises(UsageError, match=f"a/b cannot be sent at {rate:g} Hz"):
        at_rate(sine(360), rate)
