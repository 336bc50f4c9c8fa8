"""However a stream is cut into calls, and whoever shares the call, the bits are the same."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import RATE
from ecgmon.signal import Geometry, SignalChain

GEOMETRIES = [
    Geometry(0, 0, 120),
    Geometry(0, 0.5, 360),
    Geometry(1, 0.25, 128),
    Geometry(2, 0.1, 120),
    Geometry(3, 0.5, 120),
    Geometry(3, 0.5, 120, "second"),
    Geometry(3, 0, 128),
    Geometry(5, 0.05, 360),
    Geometry(0.5, 0.125, 128),
]
SERVED = Geometry(3, 0.5, 120)

# What the monitor is served with, no look-ahead, and the least and the most history.
FAST = (SERVED, Geometry(3, 0, 128), Geometry(0, 0, 120), Geometry(5, 0.05, 360))
every_geometry = pytest.mark.parametrize(
    "geometry",
    [g if g in FAST else pytest.param(g, marks=pytest.mark.slow) for g in GEOMETRIES],
    ids=str,
)
# Around everything that happens at a certain number of samples: the moving window of the beat
# detector (36), its refractory period (72), half a second and a second.
EDGES = [1, 2, 3, 35, 36, 37, 71, 72, 73, 179, 180, 181, 359, 360, 361, 719, 720, 721]
sizes = st.lists(st.sampled_from(EDGES) | st.integers(1, 1500), min_size=1, max_size=12)


def tone(hz, n):
    """A tone of 0.5 mV. Mains hum and its like have constant energy, where rounding decides."""
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(n) / RATE)


def piece(kind, n, ecg, rng):
    start = int(rng.integers(0, len(ecg) - n))
    match kind:
        case "ecg":
            return ecg[start : start + n]
        case "small":
            return 0.2 * ecg[start : start + n]
        case "noise":
            return rng.normal(0, rng.choice([0.01, 0.3, 5.0]), n)
        case "tone":
            return tone(rng.choice([5, 10, 20, 50, 60]), n)
        case "constant":
            return np.full(n, rng.normal(0, 2))
        case "missing":
            return np.full(n, np.nan)
        case "sparse":
            return np.where(rng.random(n) < 0.6, np.nan, ecg[start : start + n])
        case _:
            raise AssertionError(kind)


KINDS = ["ecg", "ecg", "small", "noise", "tone", "constant", "missing", "sparse"]
# The numbers are drawn as a seed and lengths: hypothesis shrinks those, numpy fills them.
recipes = st.tuples(
    st.integers(0, 2**32 - 1),
    st.lists(
        st.tuples(
            st.sampled_from(KINDS),
            st.sampled_from([1, 90, 359, 360, 361, 1000, 1500]) | st.integers(200, 1500),
        ),
        min_size=3,
        max_size=7,
    ),
)


def build(recipe, ecg):
    seed, parts = recipe
    rng = np.random.default_rng(seed)
    return np.concatenate([piece(kind, n, ecg, rng) for kind, n in parts])


@every_geometry
@given(recipe=recipes, chunks=sizes)
@example(recipe=(1, [("missing", 500), ("ecg", 3000)]), chunks=[1])
@example(recipe=(2, [("ecg", 2000), ("missing", 800), ("ecg", 2000)]), chunks=[7, 360, 1])
@example(recipe=(2, [("ecg", 3000), ("small", 8000)]), chunks=[1, 360, 7])
@example(recipe=(3, [("ecg", 1500), ("noise", 1500), ("sparse", 1500)]), chunks=[181])
@settings(max_examples=20)
def test_any_cut_of_a_stream_gives_the_bits_of_the_whole(streams, ecg, recipe, geometry, chunks):
    samples = build(recipe, ecg)
    streams.assert_same(
        streams.cut(samples, geometry, chunks), streams.in_one_call(samples, geometry)
    )


@every_geometry
def test_one_sample_at_a_time_gives_the_bits_of_the_whole(streams, ecg, geometry):
    samples = ecg[: 8 * RATE].copy()
    samples[1000:1300] = np.nan
    in_one_call = streams.in_one_call(samples, geometry)
    assert len(in_one_call.windows) >= 7
    streams.assert_same(streams.cut(samples, geometry, [1]), in_one_call)


@pytest.mark.parametrize("hz", [10, 20, 50, 60])
@pytest.mark.parametrize("chunk", [1, 7, 36, 100])
def test_a_pure_tone_where_rounding_decides_what_is_a_peak_is_no_exception(streams, hz, chunk):
    samples = tone(hz, 10 * RATE)
    streams.assert_same(streams.cut(samples, SERVED, [chunk]), streams.in_one_call(samples, SERVED))


def test_real_signal_in_bursts_gives_the_bits_of_the_whole(streams, real):
    rng = np.random.default_rng(20)
    in_one_call = streams.in_one_call(real, SERVED)
    assert len(in_one_call.windows) == 119
    assert sum(len(second.beats) for second in in_one_call.seconds) > 150
    chunks = rng.choice(EDGES, 500).tolist()
    streams.assert_same(streams.cut(real, SERVED, chunks), in_one_call)
    streams.assert_same(
        streams.cut(real[: 15 * RATE], SERVED, [1]), streams.in_one_call(real[: 15 * RATE], SERVED)
    )


def push_together(streams, wearers, geometry, steps, rng):
    """Push several wearers' segments through one chain, some of them in each call.

    Parameters
    ----------
    wearers : list of list of (first, samples)
        Each wearer's segments; a row is reset before each of them.
    """
    chain = SignalChain(geometry, len(wearers))
    left = [list(segments) for segments in wearers]
    at = [0] * len(wearers)
    done = []
    for row, segments in enumerate(left):
        chain.reset(row, segments[0][0])
    while any(left):
        ready = [row for row, segments in enumerate(left) if segments]
        rows = rng.permutation(ready)[: int(rng.integers(1, len(ready) + 1))]
        remaining = min(len(left[row][0][1]) - at[row] for row in rows)
        n = min(remaining, steps[len(done) % len(steps)])
        together = np.stack([left[row][0][1][at[row] : at[row] + n] for row in rows])
        done.append(chain.push(rows.astype(np.intp), together))
        for row in rows:
            at[row] += n
            if at[row] == len(left[row][0][1]):
                left[row].pop(0)
                at[row] = 0
                if left[row]:
                    chain.reset(row, left[row][0][0])
    return streams.joined(done, geometry)


firsts = st.sampled_from([0, 1, 359, 360, 361, 12_345, 2**40 + 77]) | st.integers(0, 10_000)
segments = st.lists(st.tuples(firsts, recipes), min_size=1, max_size=3)


@pytest.mark.thorough
@every_geometry
@given(
    wearers=st.lists(segments, min_size=2, max_size=4),
    steps=st.lists(st.sampled_from([20, 36, 90, 180, 360, 1000]) | st.integers(5, 800), min_size=1),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=12)
def test_wearers_in_one_call_get_the_bits_each_gets_alone_also_after_gaps(
    streams, ecg, wearers, geometry, steps, seed
):
    wearers = [[(first, build(recipe, ecg)) for first, recipe in one] for one in wearers]
    together = push_together(streams, wearers, geometry, steps, np.random.default_rng(seed))
    for row, its in enumerate(wearers):
        streams.assert_same(streams.of_row(together, row), streams.alone(its, geometry))


@pytest.mark.parametrize("geometry", [SERVED, Geometry(1, 0.25, 128)], ids=str)
def test_a_ward_of_wearers_with_different_phases_gets_the_bits_each_gets_alone(
    streams, ecg, geometry
):
    rng = np.random.default_rng(5)
    firsts = [0, 1, 100, 359, 360, 2**40 + 180, 777, 361]
    wearers = []
    for first in firsts:
        start = int(rng.integers(0, 30 * RATE))
        samples = ecg[start : start + 10 * RATE] + rng.normal(0, 1)
        gap = int(rng.integers(1, 2000))
        wearers.append([(first, samples[:1500]), (first + 1500 + gap, samples[1500:])])
    together = push_together(streams, wearers, geometry, [90], rng)
    assert len(together.windows) > 4 * len(firsts)
    assert len(together.seconds) > 4 * len(firsts)
    for row, its in enumerate(wearers):
        streams.assert_same(streams.of_row(together, row), streams.alone(its, geometry))


def test_a_reset_leaves_nothing_of_what_was_before(streams, ecg):
    chain = SignalChain(SERVED, 2)
    rows = np.arange(2)
    chain.push(rows, np.stack([ecg[:5000] * 9, ecg[5000:10_000]]))
    chain.reset(0, 7_000)
    after = chain.push(rows, np.stack([ecg[:4000], ecg[10_000:14_000]]))
    streams.assert_same(streams.of_row(after, 0), streams.alone([(7_000, ecg[:4000])], SERVED))
    beginning = streams.in_one_call(ecg[5000:10_000], SERVED)
    rest = streams.of_row(after, 1)
    undisturbed = streams.in_one_call(ecg[5000:14_000], SERVED)
    streams.assert_same(streams.joined([beginning, rest], SERVED), undisturbed)
