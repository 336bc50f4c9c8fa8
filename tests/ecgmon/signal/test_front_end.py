"""Streams that are converted together have the bits that each has alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import NO_VALUE
from ecgmon.signal.front_end import FrontEnd
from tests.support.streaming import counts

RATES = [100, 250, 360, 500, 1000]


def signal(rng):
    """ECG, noise and steps with spikes, holes, and stretches at both ends of the range."""
    samples = counts(rng)[:3000].copy()
    for _ in range(rng.integers(0, 4)):
        at, n = int(rng.integers(0, len(samples))), int(rng.choice([1, 2, 30, 200]))
        samples[at : at + n] = rng.choice([32767, -32767, NO_VALUE])
    return samples


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1), rates=st.lists(st.sampled_from(RATES), min_size=1, max_size=5)
)
def test_streams_pushed_together_have_the_bits_that_each_has_alone(seed, rates):
    rng = np.random.default_rng(seed)
    signals, gains = [signal(rng) for _ in rates], rng.choice([200.0, 4000.0], len(rates)).tolist()
    together = [FrontEnd(rate * 1000) for rate in rates]
    alone = [FrontEnd(rate * 1000) for rate in rates]
    at = [0] * len(rates)
    while any(at[i] < len(samples) for i, samples in enumerate(signals)):
        some = [i for i in range(len(rates)) if rng.random() < 0.7]
        new = [signals[i][at[i] : at[i] + int(rng.integers(0, 400))] for i in some]
        if not some:
            continue
        pushed = FrontEnd.push_all(
            [together[i] for i in some],
            np.concatenate(new),
            [len(samples) for samples in new],
            [gains[i] for i in some],
        )
        for i, samples, result in zip(some, new, pushed, strict=True):
            assert alone[i].push(samples, gains[i]).tobytes() == result.tobytes()
            at[i] += len(samples)
    for one, other in zip(together, alone, strict=True):
        assert one.state() == other.state()
        assert one.flush().tobytes() == other.flush().tobytes()


@pytest.mark.parametrize("rate", RATES)
def test_what_is_returned_is_nobody_else_s(rate):
    fronts = [FrontEnd(rate * 1000), FrontEnd(rate * 1000)]
    samples = np.arange(200, dtype=np.int16)
    one, other = FrontEnd.push_all(fronts, np.tile(samples, 2), [200, 200], [200.0, 200.0])
    one[:] = other[:] = 7.0
    again = FrontEnd(rate * 1000)
    again.push(samples, 200.0)
    expected = again.push(samples, 200.0).tobytes()
    assert [front.push(samples, 200.0).tobytes() for front in fronts] == [expected] * 2
