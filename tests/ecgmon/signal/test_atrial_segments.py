"""What a model of atrial rhythms sees: the last beats and the intervals between them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import RATE
from ecgmon.signal import Geometry, SignalChain
from ecgmon.signal.atrial_segments import (
    AFTER,
    ATRIAL_SHAPE,
    BEATS,
    BEFORE,
    EVERY_S,
    FEWEST,
    LATEST_S,
    ORDINARY_S,
    SEGMENT,
)
from ecgmon.signal.beat_feed import BeatFeeds

ROW = np.zeros(1, dtype=np.intp)
SERVED = Geometry(3, 0.5, 120)


def pushed(samples, first=0, follow=None):
    chain = SignalChain(SERVED, 1)
    chain.reset(0, first)
    return chain.push(ROW, samples[None], follow=follow)


def test_every_five_seconds_it_holds_the_newest_beats(ecg):
    feeds = BeatFeeds([0])
    found = pushed(ecg[: 60 * RATE], follow=feeds)
    seen, beats = found.atrial, np.array(feeds.of[0].beats)
    filtered = np.concatenate(feeds.of[0].filtered)
    units = dict(feeds.of[0].scale)
    assert seen.end.tolist() == [EVERY_S * RATE * k for k in range(1, 13)]
    assert seen.inputs.shape == (12, *ATRIAL_SHAPE)
    assert seen.settled[3:].all()
    known = {s.end: s.beats for s in found.seconds}
    for end, inputs in zip(seen.end.tolist(), seen.inputs, strict=True):
        mine = [beat for at, some in known.items() if at <= end for beat in some][-BEATS:]
        if len(mine) < FEWEST:
            assert not inputs.any()
            continue
        assert (inputs[:, SEGMENT + 3] == 1).sum() == len(mine)
        rr = np.diff(mine) / RATE
        np.testing.assert_allclose(
            inputs[1 - len(mine) :, SEGMENT + 1], rr - ORDINARY_S, rtol=1e-4, atol=1e-6
        )
        np.testing.assert_allclose(
            inputs[1 - len(mine) :, SEGMENT], np.log(rr / np.median(rr)), rtol=1e-3, atol=1e-5
        )
        peak = mine[-1] // 3
        segment = filtered[::3][peak - BEFORE : peak + AFTER]
        at = next(second for second, some in known.items() if mine[-1] in some)
        np.testing.assert_allclose(inputs[-1, :SEGMENT], segment / units[at], rtol=1e-4, atol=1e-6)
    assert set(beats) >= set(mine)


@pytest.mark.parametrize("first", [0, 1000, 2**40])
def test_nothing_reaches_across_a_gap(ecg, first):
    chain = SignalChain(SERVED, 1)
    chain.push(ROW, ecg[None, : 40 * RATE])
    chain.reset(0, first)
    after = chain.push(ROW, ecg[None, : 40 * RATE]).atrial
    alone = pushed(ecg[: 40 * RATE], first).atrial
    assert after.inputs.tobytes() == alone.inputs.tobytes()
    assert after.settled.tolist() == alone.settled.tolist()


@settings(max_examples=10)
@given(silent_s=st.integers(30, 90))
def test_beats_of_more_than_a_minute_ago_are_not_seen(ecg, silent_s):
    samples = np.concatenate(
        [ecg[: 30 * RATE], np.full(silent_s * RATE, ecg[30 * RATE]), ecg[: 6 * RATE]]
    )
    seen = pushed(samples).atrial
    for end, inputs, settled in zip(seen.end.tolist(), seen.inputs, seen.settled, strict=True):
        if end > (30 + LATEST_S + 1) * RATE and end <= (30 + silent_s) * RATE:
            assert not settled
            assert not inputs.any()
