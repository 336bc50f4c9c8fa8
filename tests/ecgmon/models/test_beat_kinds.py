"""Kinds of beats: what was said of those alike makes a judgement of V steady, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.models.beat_kinds import MOST, BeatKinds, steadied
from ecgmon.signal.beat_segments import LENGTH
from ecgmon.signal.shape_context import QRS

CLASSES = ("N", "S", "V", "F", "Q")
RNG = np.random.default_rng(3)
SHAPES = RNG.normal(size=(40, LENGTH)).astype(np.float32)
SURE = np.array([0.04, 0.02, 0.92, 0.01, 0.01], dtype=np.float32)
UNSURE = np.array([0.50, 0.10, 0.38, 0.01, 0.01], dtype=np.float32)


def of_one(kinds, signal, said, classes=CLASSES):
    """Let the only row of a stack take its next beat."""
    return kinds.steadied(np.zeros(1, dtype=np.intp), signal[None], said[None], classes)[0]


def noisy(kind):
    return SHAPES[kind] + RNG.normal(0, 0.05, LENGTH).astype(np.float32)


def test_a_beat_whose_kind_was_called_ventricular_is_ventricular():
    kinds = BeatKinds(1)
    for _ in range(10):
        of_one(kinds, noisy(0), SURE)
    alike, other = (of_one(kinds, noisy(kind), UNSURE) for kind in (0, 1))
    assert alike.argmax() == CLASSES.index("V")
    np.testing.assert_allclose(other, UNSURE, rtol=1e-5)  # the first of its kind stands by itself


def test_one_beat_that_is_called_otherwise_does_not_turn_its_kind():
    kinds = BeatKinds(1)
    for _ in range(30):
        of_one(kinds, noisy(0), np.array([0.96, 0.01, 0.03, 0, 0], np.float32))
    assert of_one(kinds, noisy(0), UNSURE[[2, 1, 0, 3, 4]]).argmax() == 0


@given(st.integers(0, 2**32 - 1), st.integers(1, 120))
@settings(max_examples=40)
def test_only_the_odds_of_v_change(seed, n):
    rng = np.random.default_rng(seed)
    signals = SHAPES[rng.integers(0, 40, n)] + rng.normal(0, 0.3, (n, LENGTH)).astype(np.float32)
    said = rng.dirichlet(np.full(5, 0.3), n).astype(np.float32)
    found = steadied(signals, said, CLASSES)
    assert found.dtype == np.float32
    assert found.shape == said.shape
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    rest = [0, 1, 3, 4]
    wanted = said[:, rest] / np.maximum(said[:, rest].sum(axis=1, keepdims=True), 1e-30)
    kept = found[:, rest].sum(axis=1) > 1e-3
    got = found[:, rest] / np.maximum(found[:, rest].sum(axis=1, keepdims=True), 1e-30)
    known = kept & (said[:, 0] > 1e-6)
    np.testing.assert_allclose(got[known], wanted[known], atol=1e-3)


def test_a_kind_that_is_seen_often_stays_while_many_others_come_and_go():
    kinds = BeatKinds(1)
    for number in range(400):
        of_one(kinds, noisy(0), SURE)
        of_one(kinds, noisy(1 + number % (2 * MOST)), UNSURE)
    assert of_one(kinds, noisy(0), UNSURE).argmax() == CLASSES.index("V")


def test_an_amplitude_that_changes_slowly_keeps_its_kind():
    kinds = BeatKinds(1)
    for gain in np.linspace(1, 2.5, 300):
        of_one(kinds, (gain * SHAPES[0]).astype(np.float32), SURE)
    last = (2.5 * SHAPES[0]).astype(np.float32)
    assert of_one(kinds, last, UNSURE).argmax() == CLASSES.index("V")


@pytest.mark.parametrize("classes", [("N", "A"), ("V", "S")])
def test_without_n_or_v_nothing_changes(classes):
    kinds, said = BeatKinds(1), np.array([0.3, 0.7], dtype=np.float32)
    for _ in range(5):
        assert of_one(kinds, SHAPES[0], said, classes).tolist() == said.tolist()


def test_a_flat_line_is_a_kind_like_others():
    flat = np.zeros(LENGTH, dtype=np.float32)
    assert QRS.stop < LENGTH
    found = steadied(np.stack([flat] * 5), np.stack([UNSURE] * 5), CLASSES)
    np.testing.assert_allclose(found, np.stack([UNSURE] * 5), rtol=1e-5)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_beats_have_the_same_bits_alone_and_beside_those_of_others(seed):
    """Rows in any order, several beats of one at once, one row that begins anew."""
    rng = np.random.default_rng(seed)
    together, alone = BeatKinds(4), BeatKinds(4)
    for number in range(8):
        rows = rng.integers(0, 4, int(rng.integers(1, 12)))
        signals = SHAPES[rng.integers(0, 20, len(rows))]
        signals = signals + rng.normal(0, 0.2, signals.shape).astype(np.float32)
        said = rng.dirichlet(np.full(5, 0.3), len(rows)).astype(np.float32)
        one_by_one = [
            alone.steadied(rows[[i]], signals[[i]], said[[i]], CLASSES) for i in range(len(rows))
        ]
        found = together.steadied(rows, signals, said, CLASSES)
        assert found.tobytes() == np.concatenate(one_by_one).tobytes()
        if number == 4:
            together.reset(2)
            alone.reset(2)
    assert together.state(2) == alone.state(2)
