"""Wearers who share a call but neither their seconds nor their numbers of samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import RATE
from ecgmon.signal import Geometry, SignalChain, following
from ecgmon.signal.beat_feed import BeatFeeds
from ecgmon.signal.qrs import BeatDetector

SERVED = Geometry(3, 0.5, 120)
FRAMES = [7, 25, 36, 73, 180, 400, 800]


def disturbed(ecg, n, rng):
    """Some seconds of a wearer whose electrode comes off, is noisy, or whose line turns still."""
    start = int(rng.integers(0, len(ecg) - n))
    samples = ecg[start : start + n].copy()
    for _ in range(3):
        at, length = int(rng.integers(0, n)), int(rng.choice([20, 200, 700, 1500]))
        off = slice(at, at + length)
        match rng.integers(0, 5):
            case 0:
                samples[off] = np.nan
            case 1:
                samples[off] = samples[at]
            case 2:
                samples[off] += rng.normal(0, 1, len(samples[off]))
            case 3:
                samples[off][rng.random(len(samples[off])) < 0.6] = np.nan
            case _:
                samples[at:] += rng.normal(0, 3)
    return samples


def push_as_they_come(wearers, firsts, geometry, rng):
    """Push frames of several lengths, of some wearers in each call."""
    chain = SignalChain(geometry, len(wearers))
    for row, first in enumerate(firsts):
        chain.reset(row, int(first))
    at, done = np.zeros(len(wearers), dtype=int), []
    while len(left := [row for row, its in enumerate(wearers) if at[row] < len(its)]):
        rows = rng.permutation(left)[: int(rng.integers(1, len(left) + 1))]
        n = rng.choice(FRAMES, len(rows))
        pieces = [wearers[row][at[row] : at[row] + k] for row, k in zip(rows, n, strict=True)]
        done.append(chain.push(rows.astype(np.intp), pieces))
        at[rows] += n
        ends = [firsts[row] + min(at[row], len(wearers[row])) for row in rows]
        assert chain.next[rows].tolist() == ends
    return done


@pytest.mark.parametrize("geometry", [SERVED, Geometry(5, 0.05, 360)], ids=str)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(2, 4))
@settings(max_examples=8)
def test_each_gets_the_bits_that_it_gets_alone(streams, ecg, geometry, seed, count):
    rng = np.random.default_rng(seed)
    wearers = [disturbed(ecg, int(rng.integers(1500, 4000)), rng) for _ in range(count)]
    firsts = rng.integers(0, 1000, count)
    together = streams.joined(push_as_they_come(wearers, firsts, geometry, rng), geometry)
    for row, (first, samples) in enumerate(zip(firsts, wearers, strict=True)):
        alone = streams.alone([(int(first), samples)], geometry)
        streams.assert_same(streams.of_row(together, row), alone)


def feed_of(chain, rows, wearers, cut):
    """Push what is left of some wearers, in pieces, and return each one's whole feed."""
    at, parts = np.zeros(len(wearers), dtype=int), [[] for _ in wearers]
    while len(left := np.flatnonzero([k < len(its) for k, its in zip(at, wearers, strict=True)])):
        pieces = [wearers[i][at[i] : at[i] + cut()] for i in left]
        feeds = BeatFeeds(rows[left].tolist())
        chain.push(rows[left], pieces, follow=feeds)
        for i, piece in zip(left, pieces, strict=True):
            parts[i].append(feeds.of[int(rows[i])])
            at[i] += len(piece)
    return [
        (
            np.concatenate([one for part in of for one in part.filtered]).tobytes(),
            [beat for part in of for beat in part.beats],
            [each for part in of for each in part.scale],
            [begin for part in of for begin in part.begins],
        )
        for of in parts
    ]


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=5)
def test_what_is_handed_on_to_cut_beats_is_what_each_has_alone(ecg, seed):
    rng = np.random.default_rng(seed)
    wearers = [disturbed(ecg, int(rng.integers(1500, 4000)), rng) for _ in range(3)]
    firsts = rng.integers(0, 1000, 3)
    rows, chain = rng.permutation(3), SignalChain(SERVED, 3)
    for row, first in zip(rows.tolist(), firsts.tolist(), strict=True):
        chain.reset(row, first)
    together = feed_of(chain, rows, wearers, lambda: int(rng.integers(1, RATE + 1)))
    for first, samples, found in zip(firsts.tolist(), wearers, together, strict=True):
        alone = SignalChain(SERVED, 1)
        alone.reset(0, first)
        assert [found] == feed_of(alone, np.zeros(1, dtype=np.intp), [samples], lambda: 10**9)


def test_they_are_filtered_in_one_call(ecg, monkeypatch):
    calls, take = [], BeatDetector.take

    def counted(self, rows, *given):
        calls.append(len(rows))
        take(self, rows, *given)

    monkeypatch.setattr(BeatDetector, "take", counted)
    rng, chain = np.random.default_rng(1), SignalChain(SERVED, 50)
    starts = rng.integers(0, 10 * RATE, 50)
    for row in range(50):
        chain.reset(row, int(rng.integers(0, RATE)))
    while len(calls) < 20:
        stops = starts + rng.integers(36, RATE + 1, 50)
        pieces = [ecg[start:stop] for start, stop in zip(starts, stops, strict=True)]
        chain.push(np.arange(50), pieces)
        starts = stops
    assert calls == [50] * 20


def test_what_ends_in_one_call_is_judged_and_cut_together(ecg, monkeypatch):
    judged, cut = [], []

    def counted(calls, does):
        def called(known, *given):
            calls.append(len(given[-1]))
            return does(known, *given)

        return called

    monkeypatch.setattr(following, "finish_seconds", counted(judged, following.finish_seconds))
    monkeypatch.setattr(following, "cut_windows", counted(cut, following.cut_windows))
    rng, chain = np.random.default_rng(2), SignalChain(SERVED, 50)
    for row in range(50):
        chain.reset(row, int(rng.integers(0, RATE)))
    chain.push(np.arange(50), [ecg[: rng.integers(300, RATE)] for _ in range(50)])
    assert len(judged) == 1
    assert len(cut) <= 2
    assert sum(judged) > 30
    assert sum(cut) > 30


def test_a_still_line_out_of_step_costs_one_more_call_a_second(ecg, monkeypatch):
    calls, take = [], BeatDetector.take

    def counted(self, rows, *given):
        calls.append(len(rows))
        take(self, rows, *given)

    monkeypatch.setattr(BeatDetector, "take", counted)
    chain, rows = SignalChain(SERVED, 2), np.arange(2)
    chain.reset(0, 7)
    chain.reset(1, 100)
    for at in range(0, 10 * RATE, 36):
        chain.push(rows, [np.zeros(36), ecg[at : at + 36]])
    assert len(calls) <= 100 + 2 * 10
