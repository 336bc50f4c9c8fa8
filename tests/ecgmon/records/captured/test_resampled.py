"""Captured signals at 360 Hz equal the monitor's input, whatever the device's rate."""

import numpy as np
import pytest

from ecgmon.core.constants import NO_VALUE
from ecgmon.core.errors import RecordError
from ecgmon.records.captured.reader import captures
from ecgmon.records.captured.resampled import begin, end, hear
from ecgmon.signal.rate_converter import RateConverter
from ecgmon.wire import messages
from monitor.storage.capture import Capture
from monitor.wearers.pieces import Piece

STREAM = messages.stream_id(7)


def wave(n, rate):
    return np.round(400 * np.sin(2 * np.pi * 3 * np.arange(n) / rate)).astype(np.int16)


@pytest.mark.parametrize("rate", [100.0, 250.0, 333.333, 360.0, 1000.0])
def test_a_captured_signal_is_read_as_it_was_converted(tmp_path, rate):
    counts, capture = wave(round(30 * rate), rate), Capture(tmp_path, 1)
    counts[700:720] = NO_VALUE
    rate_mhz = round(1000 * rate)
    for first in range(0, len(counts), 977):
        samples = counts[first : first + 977]
        capture.append([("ann", Piece(7, first, rate_mhz, 200.0, "II", samples))])
    capture.flush()
    (record,) = captures(tmp_path, "ann")
    assert begin(record) == 0
    assert abs(end(record) - 30 * 360) <= 1
    converter = RateConverter(rate_mhz)
    millivolts = np.where(counts == NO_VALUE, np.nan, counts / 200.0)
    converted = np.concatenate([converter.push(millivolts), converter.flush()])
    for start, stop in ((0, 360), (1234, 5000), (7200, end(record))):
        converted_record = hear(tmp_path, "ann", STREAM, start, stop)
        assert (converted_record.rate, converted_record.gain, len(converted_record.samples)) == (
            360.0,
            200.0,
            stop - start,
        )
        expected = converted[start:stop]
        missing = np.isnan(expected)
        np.testing.assert_array_equal(converted_record.samples == NO_VALUE, missing)
        difference = converted_record.millivolts()[~missing] - expected[~missing]
        assert np.abs(difference).max() <= 0.5 / 200 + 1e-9
    with pytest.raises(RecordError, match="choose some that are there"):
        hear(tmp_path, "ann", messages.stream_id(8), 0, 360)
