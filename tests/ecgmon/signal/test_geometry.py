import pytest

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.signal import Geometry


def test_a_window_is_one_second():
    assert RATE == WINDOW == 360


@pytest.mark.parametrize(
    ("geometry", "history", "look_ahead", "context", "inputs"),
    [
        (Geometry(0, 0, 360), 0, 0, 360, 360),
        (Geometry(0, 0, 128), 0, 0, 360, 128),
        (Geometry(3, 0.5, 120), 1080, 180, 1620, 540),
        (Geometry(5, 0.25, 128), 1800, 90, 2250, 800),
        (Geometry(30, 0.1, 120), 10_800, 36, 11_196, 3732),
    ],
)
def test_seconds_become_samples(geometry, history, look_ahead, context, inputs):
    assert (geometry.history, geometry.look_ahead) == (history, look_ahead)
    assert (geometry.context, geometry.inputs) == (context, inputs)


@pytest.mark.parametrize(
    ("history", "look_ahead", "rate"),
    [
        (-1, 0, 120),
        (31, 0, 120),
        (3, 0.51, 120),
        (3, -0.1, 120),
        (3, 0, 29),
        (3, 0, 361),
        (3, 0, 0),
        (3, 0, -120),
        (3, 0.1, 128),
        (0.001, 0, 120),
        (float("nan"), 0, 120),
        (float("inf"), 0, 120),
        (0, float("nan"), 120),
    ],
)
def test_what_is_out_of_range_or_no_whole_number_of_samples_is_refused(history, look_ahead, rate):
    with pytest.raises(ValueError, match=r"must be|whole number"):
        Geometry(history, look_ahead, rate)
