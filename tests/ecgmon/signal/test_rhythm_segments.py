"""What a rhythm model sees: the last four seconds at the end of each second."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import RATE
from ecgmon.signal import Geometry, SignalChain
from ecgmon.signal.geometry import RHYTHM
from ecgmon.signal.windows import HOLE

ROW = np.zeros(1, dtype=np.intp)
SERVED = Geometry(3, 0.5, 120)


def rhythms(samples, geometry=SERVED, first=0):
    chain = SignalChain(geometry, 1)
    chain.reset(0, first)
    return chain.push(ROW, samples[None]).rhythms


@pytest.mark.parametrize("geometry", [Geometry(0, 0, 360), Geometry(8, 0.25, 120)])
def test_it_is_the_same_whatever_the_window_model_sees(ecg, geometry):
    one, other = rhythms(ecg[:7200]), rhythms(ecg[:7200], geometry)
    assert one.inputs.tobytes() == other.inputs.tobytes()
    assert one.end.tolist() == [RATE * k for k in range(1, 21)]


def test_it_is_the_newest_signal_in_the_wearer_s_unit(ecg):
    chain = SignalChain(RHYTHM, 1)
    pushed = chain.push(ROW, ecg[None, : 20 * RATE])
    assert pushed.rhythms.inputs.shape == (20, RHYTHM.inputs)
    assert pushed.rhythms.inputs.dtype == np.float32
    # A window model of the same geometry sees the same.
    seen = pushed.rhythms.inputs[-len(pushed.windows) :]
    np.testing.assert_allclose(seen, pushed.windows.inputs, rtol=1e-6)
    last = chain.recent(0, 3 * RATE)[:: RATE // RHYTHM.rate]
    np.testing.assert_allclose(seen[-1][-360:] * pushed.windows.scale[-1], last, rtol=1e-5)


@settings(max_examples=30)
@given(
    first=st.sampled_from([0, 1, 359, 2**40 + 5]),
    start=st.integers(2900, 3200),
    length=st.integers(1, 700),
)
def test_it_is_settled_once_four_seconds_were_measured(ecg, first, start, length):
    samples = ecg[: 20 * RATE].copy()
    samples[start : start + length] = np.nan
    found = rhythms(samples, first=first)
    for end, settled in zip((found.end - first).tolist(), found.settled.tolist(), strict=True):
        hole = min(start + length, end) - max(start, end - RHYTHM.context)
        if settled:
            assert end >= RHYTHM.context
            assert hole < HOLE
        elif hole <= 0 and (end < start or end > start + length + 6 * RATE):
            assert end < RHYTHM.context


def test_noise_is_asked_about_and_what_is_absent_is_not(ecg):
    rng = np.random.default_rng(1)
    samples = ecg[: 30 * RATE].copy()
    samples[10 * RATE : 16 * RATE] += rng.normal(0, 1.5, 6 * RATE)
    samples[20 * RATE : 24 * RATE] = np.nan
    chain = SignalChain(RHYTHM, 1)
    pushed = chain.push(ROW, samples[None])
    state = {second.end: second.state for second in pushed.seconds}
    settled = dict(zip(pushed.rhythms.end.tolist(), pushed.rhythms.settled.tolist(), strict=True))
    assert any(state[end] == "noisy" and settled[end] for end in state)
    assert not any(state[end] == "absent" and settled[end] for end in state)
    assert any(state[end] == "absent" for end in state)
