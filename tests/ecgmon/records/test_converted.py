"""Records at other rates, converted as the monitor would convert them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.annotations import Annotations
from ecgmon.core.constants import NO_VALUE, RATE, WINDOW
from ecgmon.core.errors import RecordError
from ecgmon.records import Record
from ecgmon.records.converted import converted
from ecgmon.signal.rate_converter import RateConverter, first_output
from replay.player.resampled import at_rate
from replay.simulator.simulation import simulate

PLAYED = simulate("gaps", seed=3, duration_s=40).record


def test_what_has_the_rate_is_not_touched():
    assert converted(PLAYED) is PLAYED


@pytest.mark.parametrize("rate", [100, 128, 250, 257.5, 500, 1000])
def test_the_signal_is_what_the_monitor_makes_of_the_stream(rate):
    device = at_rate(PLAYED, rate)
    converted_record = converted(device)
    assert (converted_record.rate, converted_record.name, converted_record.wearer) == (
        RATE,
        device.name,
        device.wearer,
    )
    assert len(converted_record.samples) == first_output(len(device.samples), round(rate * 1000))
    converter = RateConverter(round(rate * 1000))
    streamed = np.concatenate([converter.push(device.millivolts()), converter.flush()])
    np.testing.assert_array_equal(np.isnan(converted_record.millivolts()), np.isnan(streamed))
    np.testing.assert_allclose(converted_record.millivolts(), streamed, rtol=0, atol=0.6e-3)
    for (start, stop), (begin, end) in zip(converted_record.missing, PLAYED.missing, strict=True):
        assert abs(start - begin) <= RATE / rate + 1
        assert abs(stop - end) <= RATE / rate + 1


@given(
    st.integers(100_000, 1_000_000),
    st.lists(st.integers(0, 3000), min_size=1, max_size=20).map(sorted),
)
def test_an_annotation_stays_in_its_second_and_within_the_signal(rate_mhz, samples):
    annotations = Annotations(np.array(samples), tuple("N" * len(samples)))
    counts = np.zeros(3001, np.int16)
    record = Record("x", "x", rate_mhz / 1000, 200.0, "I", counts, annotations)
    if rate_mhz == RATE * 1000:
        return
    converted_record = converted(record)
    seconds = [sample * 1000 // rate_mhz for sample in samples]
    assert (converted_record.annotations.samples // WINDOW).tolist() == seconds
    assert converted_record.annotations.samples.max() < len(converted_record.samples)
    assert converted_record.annotations.symbols == annotations.symbols


@given(st.floats(50, 5000), st.floats(0.01, 300))
def test_no_amplitude_overflows_and_none_is_rounded_away(gain, peak_mv):
    wave = np.rint(np.clip(peak_mv * gain, 1, 32766) * np.tile([1, 1, -1, -1], 300))
    record = Record("x", "x", 250.0, gain, "I", wave.astype(np.int16))
    converted_record = converted(record)
    own = np.abs(record.millivolts()).max()
    assert (converted_record.samples != NO_VALUE).all()
    assert np.abs(converted_record.millivolts()).max() < 3 * own
    assert (
        converted_record.gain >= 1000 or np.abs(converted_record.samples.astype(int)).max() > 32760
    )


@pytest.mark.parametrize("rate", [0.5, 99.9, 1000.01, 5000])
def test_a_rate_that_no_monitor_takes_is_refused(rate):
    with pytest.raises(RecordError, match=f"x is sampled at {rate:g} Hz: give a record of 100 to"):
        converted(Record("x", "x", rate, 200.0, "I", np.zeros(99, np.int16)))
