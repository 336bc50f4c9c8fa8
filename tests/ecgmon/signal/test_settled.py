"""Windows know whether all that the model sees of them is signal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.signal import Geometry, SignalChain, process_record
from ecgmon.signal.quality import SIGNAL
from ecgmon.signal.windows import HOLE

SERVED = Geometry(3, 0.5, 120)
ROW = np.zeros(1, dtype=np.intp)


def starts(windows, *, settled):
    return windows.first[windows.settled == settled].tolist()


@settings(max_examples=40)
@given(
    first=st.sampled_from([0, 1, 359, 360, 2**40 + 5]) | st.integers(0, 5000),
    geometry=st.sampled_from([SERVED, Geometry(0, 0, 120), Geometry(1, 0.25, 120)]),
)
def test_a_window_is_settled_once_its_history_lies_after_the_start(ecg, first, geometry):
    chain = SignalChain(geometry, 1)
    chain.push(ROW, ecg[None, :3000])  # of before a gap
    chain.reset(0, first)
    windows = chain.push(ROW, ecg[None, :3600]).windows
    early = [at for at in windows.first.tolist() if at < first + geometry.history]
    assert starts(windows, settled=False) == early
    assert len(windows) > len(early) + 3


@settings(max_examples=40)
@given(start=st.integers(5 * RATE, 8 * RATE), length=st.integers(1, 400))
def test_a_hole_unsettles_the_windows_that_see_it(ecg, start, length):
    samples = ecg[: 20 * RATE].copy()
    samples[start : start + length] = np.nan
    windows = process_record(samples, SERVED)
    seen = []
    for at in windows.first.tolist():
        begins = max(start, at - SERVED.history)
        ends = min(start + length, at + WINDOW + SERVED.look_ahead)
        seen.append(ends - begins >= HOLE or at < SERVED.history)
    if (windows.state == SIGNAL).all():  # else the filters start anew as well
        assert (~windows.settled).tolist() == seen
    assert windows.settled[-6:].all()


@pytest.mark.parametrize(("off", "seconds"), [(np.nan, 3), (0.5, 2)], ids=["not measured", "flat"])
def test_what_is_held_while_a_lead_is_off_is_no_history(ecg, off, seconds):
    samples = ecg[: 24 * RATE].copy()
    # A flat line is a slow heart's for four seconds.
    samples[7 * RATE + 100 : 14 * RATE + 200] = off
    windows = process_record(samples, SERVED)
    back = windows.first[windows.state == SIGNAL]
    back = int(back[back > 12 * RATE][0])
    unsettled = starts(windows, settled=False)
    assert {back + i * WINDOW for i in range(seconds)} <= set(unsettled)
    assert max(unsettled) <= 14 * RATE + 200 + SERVED.history
    assert windows.settled[4:6].all()  # what comes after sees the lead go off


def test_a_few_samples_that_were_not_measured_unsettle_nothing(ecg):
    samples = ecg[: 30 * RATE].copy()
    for start in range(5 * RATE, 25 * RATE, 200):
        samples[start : start + HOLE - 1] = np.nan
    assert process_record(samples, SERVED).settled[3:].all()
