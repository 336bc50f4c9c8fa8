"""The inputs of beats: the monitor cuts them as the trainer does, however the stream comes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import RATE
from ecgmon.records.read import read
from ecgmon.records.record import Found
from ecgmon.signal import Geometry, SignalChain
from ecgmon.signal.beat_cutter import BeatSegments, CutBeats
from ecgmon.signal.beat_segments import (
    AFTER,
    BEAT_RATE,
    BEFORE,
    LENGTH,
    BeatContexts,
    beat_inputs,
)
from ecgmon.signal.offline import feed_of
from ecgmon.signal.windows import HOLE

SERVED = Geometry(3, 0.5, 120)
EDGES = [1, 36, 107, 179, 180, 181, 359, 360, 361, 720, 721, 1801]
sizes = st.lists(st.sampled_from(EDGES) | st.integers(30, 3000), min_size=2, max_size=8)


def streamed(samples, chunks, rows=1, row=0, first=0, others=None):
    """Stream one wearer in chunks beside others; return beats, and how late each was complete."""
    chain, segments = SignalChain(SERVED, rows), BeatSegments(rows)
    for one in range(rows):
        chain.reset(one, first)
        segments.reset(one, first)
    found, at, number = [], 0, 0
    while at < len(samples):
        n = chunks[number % len(chunks)]
        together = list(range(rows)) if others is not None else [row]
        pieces = [samples[at : at + n] if one == row else others[at : at + n] for one in together]
        cutter = CutBeats(segments, together)
        chain.push(np.array(together, dtype=np.intp), pieces, follow=cutter)
        cut = cutter.found()
        at, number = at + n, number + 1
        for i in np.flatnonzero(cut.rows == row).tolist():
            late = first + min(at, len(samples)) - int(cut.at[i])
            found.append((int(cut.at[i]), cut.inputs[i].tobytes(), bool(cut.settled[i]), late))
    return found


def offline(samples):
    """Return the trainer's inputs of the same record, for the beats that the chain finds."""
    feed = feed_of(samples)
    beats = np.array([beat for beat in feed.beats if beat + AFTER <= len(samples)])
    scale = np.array([unit for _, unit in feed.scale])
    inputs = beat_inputs(np.concatenate(feed.filtered), scale, beats)
    return [(int(beat), each.tobytes()) for beat, each in zip(beats, inputs, strict=True)]


def with_holes(ecg, seed):
    """ECG of changing size with noise, and stretches that were not measured."""
    rng = np.random.default_rng(seed)
    start = int(rng.integers(0, len(ecg) - 10 * RATE))
    x = ecg[start : start + int(rng.integers(5, 10)) * RATE] * rng.choice([0.3, 1, 3])
    for _ in range(rng.integers(0, 4)):
        at, n = int(rng.integers(0, len(x))), int(rng.integers(1, 900))
        x[at : at + n] = rng.choice([np.nan, 0.2]) + rng.normal(
            0, rng.choice([0, 0.5]), len(x[at : at + n])
        )
    return x


@given(seed=st.integers(0, 2**32 - 1), chunks=sizes)
@settings(max_examples=10)
def test_any_cut_of_a_stream_gives_the_bits_that_the_trainer_has(ecg, seed, chunks):
    samples = with_holes(ecg, seed)
    found = streamed(samples, chunks)
    assert [beat[:2] for beat in found] == offline(samples)
    assert [beat[:3] for beat in streamed(samples, [len(samples)])] == [b[:3] for b in found]


@given(seed=st.integers(0, 2**32 - 1), chunks=sizes, seconds=st.integers(0, 40))
@settings(max_examples=4)
def test_neither_the_row_nor_its_neighbours_nor_the_second_it_starts_at_matter(
    ecg, seed, chunks, seconds
):
    samples, others = with_holes(ecg, seed), with_holes(ecg, seed + 1)
    others = np.resize(others, len(samples))
    alone = [beat[:3] for beat in streamed(samples, chunks)]
    first = seconds * RATE
    beside = streamed(samples, chunks, rows=3, row=1, first=first, others=others)
    assert [(at - first, inputs, settled) for at, inputs, settled, _ in beside] == alone


def test_a_real_record_in_frames_gives_the_bits_that_the_trainer_has(real):
    found = streamed(real, [36, 35, 37])
    assert [beat[:2] for beat in found] == offline(real)
    assert len(found) > 150
    assert sum(settled for _, _, settled, _ in found) > 150
    # Half a second after the R peak, and what is left of a frame.
    assert max(late for at, _, _, late in found if at >= RATE) <= AFTER + 36 < 0.6 * RATE + 1


def test_a_beat_in_the_first_second_waits_for_the_scale(ecg):
    found = streamed(ecg[: 5 * RATE], [1])
    for at, _, settled, late in found:
        assert late == max(AFTER, RATE - at)
        assert settled == (at >= BEFORE)


@pytest.mark.parametrize(("hole", "settled"), [(HOLE - 1, True), (HOLE, False)])
def test_a_beat_beside_a_hole_is_not_settled(ecg, hole, settled):
    samples = ecg[: 20 * RATE].copy()
    beats = [beat[0] for beat in streamed(samples, [360])]
    middle = (beats[9] + beats[10]) // 2 - hole // 2
    samples[middle : middle + hole] = np.nan
    found = {at: known for at, _, known, _ in streamed(samples, [360]) if middle < at}
    near = [known for at, known in found.items() if at - BEFORE <= middle]
    assert near
    assert set(near) == {settled}
    assert all(known for at, known in found.items() if at - BEFORE > middle + hole)


def test_a_row_begun_anew_has_forgotten_everything(ecg):
    chain, segments = SignalChain(SERVED, 1), BeatSegments(1)
    row = np.zeros(1, dtype=np.intp)
    chain.push(row, 3 * ecg[None, : 20 * RATE], follow=CutBeats(segments, [0]))
    chain.reset(0, 25 * RATE)
    segments.reset(0, 25 * RATE)
    cutter = CutBeats(segments, [0])
    chain.push(row, ecg[None, : 10 * RATE], follow=cutter)
    again = cutter.found()
    assert [
        (at - 25 * RATE, each.tobytes()) for at, each in zip(again.at, again.inputs, strict=True)
    ] == offline(ecg[: 10 * RATE])


def test_the_trainers_record_of_two_minutes(mitdb):
    """The chain that also cuts windows hands on what the trainer's own chain does."""
    record = read(Found("mitdb/208", "208", mitdb / "208"))
    samples = record.millivolts()[: 60 * RATE]
    assert [beat[:2] for beat in streamed(samples, [1000, 1])] == offline(samples)


def test_a_row_taken_up_in_the_midst_sees_nothing_of_the_signal_before(ecg):
    """A model that comes into service: what lies before is no signal to it, and not settled."""
    chain, segments = SignalChain(SERVED, 1), BeatSegments(1)
    row, begun = np.zeros(1, dtype=np.intp), 20 * RATE + 77
    chain.push(row, ecg[None, :begun])
    segments.reset(0, begun)
    cutter = CutBeats(segments, [0])
    chain.push(row, ecg[None, begun : begun + 10 * RATE], follow=cutter)
    cut = cutter.found()
    assert cut.settled.tolist() == (cut.at - BEFORE >= begun).tolist()
    assert 0 < cut.settled.sum() < len(cut)
    early = cut.inputs[0, : BEFORE * BEAT_RATE // RATE]
    unseen = (begun - int(cut.at[0]) + BEFORE) * BEAT_RATE // RATE
    assert unseen > 30
    assert np.abs(early[: unseen - 12]).max() < 0.05 < np.abs(early[unseen:]).max()


def test_rows_that_are_not_followed_have_no_beats(ecg):
    chain, segments = SignalChain(SERVED, 2), BeatSegments(2)
    cutter = CutBeats(segments, [1])
    chain.push(np.arange(2), np.stack([ecg[: 10 * RATE]] * 2), follow=cutter)
    assert set(cutter.found().rows.tolist()) == {1}


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=8)
def test_beats_described_together_are_those_described_alone(seed):
    """Rows that know few beats beside rows that know many, several beats of a row at once."""
    rng = np.random.default_rng(seed)
    together, alone = BeatContexts(4), BeatContexts(4)
    last = np.zeros(4, dtype=np.int64)
    for number in range(12):
        several = 40 if number == 3 else 3
        rows = np.sort(rng.integers(0, 2 + number // 4, several))
        at = np.empty(len(rows), dtype=np.int64)
        for i, row in enumerate(rows):
            last[row] += rng.integers(80, 700)
            at[i] = last[row]
        shapes = rng.normal(size=(len(rows), LENGTH)).astype(np.float32)
        one_by_one = [
            alone.add(*(each[[i]] for each in (rows, at, shapes))) for i in range(len(at))
        ]
        assert together.add(rows, at, shapes).tobytes() == np.concatenate(one_by_one).tobytes()
