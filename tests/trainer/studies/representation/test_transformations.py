import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from trainer.data.examples import Examples
from trainer.studies.representation.transformations import (
    NOISE,
    SEGMENTS,
    VERSIONS,
    in_versions,
    lengths,
    negated,
    noisy,
    original,
    reversed_in_time,
    scaled,
    shuffled,
    squeezed,
    stretched,
)


def of(values, transformation, seed=0):
    """Return a transformed beat as a list."""
    signal = np.array([values], np.float32)
    result = transformation(signal, lengths(signal), np.random.default_rng(seed))
    assert result.dtype == np.float32
    return result[0].tolist()


@st.composite
def padded(draw):
    """Beats of one array, each with a length and nothing but zeros behind it."""
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 40)))
    sample = st.integers(1, 64).map(lambda n: n / 64)  # exact, and never equal to padding
    signal = draw(arrays(np.float32, shape, elements=sample))
    long = draw(arrays(np.intp, shape[0], elements=st.integers(1, shape[1])))
    return np.where(np.arange(shape[1]) < long[:, None], signal, np.float32(0)), long


def test_a_beat_ends_at_its_last_sample_that_is_not_zero():
    beats = np.array([[0, 0, 1, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]], np.float32)
    assert lengths(beats).tolist() == [3, 5, 1]


def test_a_negated_beat_is_upside_down_in_its_own_range():
    assert of([1, 0.25, 0.5, 0, 0], negated) == [0.25, 1, 0.75, 0, 0]
    assert of([1, 0, 0.75, 0.5], negated) == [0, 1, 0.25, 0.5]


def test_a_reversed_beat_keeps_its_padding_at_the_end():
    assert of([1, 2, 3, 0, 0], reversed_in_time) == [3, 2, 1, 0, 0]


def test_a_shuffled_beat_has_its_segments_in_another_order_and_the_left_over_sample_in_place():
    beat = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0]
    for seed in range(50):
        new = of(beat, shuffled, seed)
        assert new[8:] == [9, 0, 0]
        pairs = [tuple(new[at : at + 2]) for at in range(0, 8, 2)]
        assert sorted(pairs) == [(1, 2), (3, 4), (5, 6), (7, 8)]
        assert new != beat


def test_every_other_order_of_the_segments_is_drawn():
    drawn = {tuple(of([1, 2, 3, 4], shuffled, seed)) for seed in range(400)}
    assert len(drawn) == math.factorial(SEGMENTS) - 1


def test_a_beat_shorter_than_its_segments_is_not_shuffled():
    assert of([1, 2, 3, 0, 0], shuffled) == [1, 2, 3, 0, 0]


def test_a_stretched_beat_is_twice_as_long_and_cut_where_the_input_ends():
    assert of([1, 3, 5, 0, 0, 0, 0], stretched) == [1, 2, 3, 4, 5, 5, 0]
    assert of([1, 3, 5, 7, 0], stretched) == [1, 2, 3, 4, 5]


def test_a_squeezed_beat_is_half_as_long_with_padding_behind():
    assert of([1, 2, 3, 4, 5, 0, 0], squeezed) == [1, 3, 5, 0, 0, 0, 0]
    assert of([1, 2, 3, 4], squeezed) == [1, 3, 0, 0]


def test_a_scaled_beat_is_a_tenth():
    assert of([1, 0.5, 0], scaled) == pytest.approx([0.1, 0.05, 0])


def test_noise_is_as_strong_as_it_should_be_and_spares_the_padding():
    signal = np.zeros((400, 60), np.float32)
    signal[:, :50:2] = 2  # a range of 2, its last sample the 49th
    long = np.full(400, 49)
    added = noisy(signal, long, np.random.default_rng(1)) - signal
    assert np.std(added[:, :49]) == pytest.approx(2 * NOISE, rel=0.02)
    assert abs(np.mean(added)) < 0.002
    assert not added[:, 49:].any()


@given(padded())
def test_two_negations_and_two_reversals_undo_each_other(beats):
    signal, long = beats
    rng = np.random.default_rng(0)
    for twice in (negated, reversed_in_time):
        once = twice(signal, long, rng)
        np.testing.assert_allclose(twice(once, long, rng), signal, rtol=0, atol=1e-6)


@given(padded())
def test_a_stretched_beat_that_fits_squeezes_back(beats):
    signal, long = beats
    room = np.pad(signal, ((0, 0), (0, signal.shape[1])))
    rng = np.random.default_rng(0)
    back = squeezed(stretched(room, long, rng), 2 * long, rng)
    np.testing.assert_array_equal(back, room)


@given(padded(), st.integers(0, 99))
def test_padding_stays_padding_and_beats_in_0_to_1_stay_there(beats, seed):
    signal, long = beats
    longer = {"stretched": np.minimum(2 * long, signal.shape[1]), "squeezed": (long + 1) // 2}
    for name, transformation in VERSIONS.items():
        new = transformation(signal, long, np.random.default_rng(seed))
        assert new.shape == signal.shape
        if name != "noisy":
            assert lengths(new).tolist() == longer.get(name, long).tolist()
            assert new.min() >= 0
            assert new.max() <= 1
        assert not new[np.arange(signal.shape[1]) >= longer.get(name, long)[:, None]].any()


@given(padded(), st.integers(0, 99))
def test_moving_samples_about_keeps_their_values(beats, seed):
    signal, long = beats
    for moving in (original, reversed_in_time, shuffled):
        new = moving(signal, long, np.random.default_rng(seed))
        np.testing.assert_array_equal(np.sort(new), np.sort(signal))


@given(padded(), st.integers(0, 99))
def test_what_happens_to_a_beat_does_not_depend_on_those_beside_it(beats, seed):
    signal, long = beats
    for transformation in VERSIONS.values():
        if transformation not in (noisy, shuffled):  # these draw at random
            rng = np.random.default_rng(seed)
            together = transformation(signal, long, rng)
            alone = [transformation(signal[[n]], long[[n]], rng)[0] for n in range(len(signal))]
            np.testing.assert_array_equal(together, np.stack(alone))


def examples(n=400, channels=2):
    rng = np.random.default_rng(3)
    inputs = rng.uniform(0.1, 1, (n, channels, 24)).astype(np.float32)
    inputs[:, 0, 20:] = 0
    labels = rng.integers(2, size=n).astype(np.int8)
    wearers = np.array([f"w{number}" for number in range(n)])
    return Examples(inputs, labels, wearers, np.arange(n), ("healthy", "infarction"))


def test_each_example_goes_through_what_its_new_label_says():
    given = examples()
    before = given.inputs.copy()
    made = in_versions(given, np.random.default_rng(5))
    assert made.classes == tuple(VERSIONS)
    assert made.counts.min() > 25
    for name in ("original", "negated", "reversed", "stretched", "squeezed", "scaled"):
        own = made.labels == made.classes.index(name)
        signal = given.inputs[own, 0]
        wanted = VERSIONS[name](signal, lengths(signal), np.random.default_rng(0))
        np.testing.assert_array_equal(made.inputs[own, 0], wanted)
    np.testing.assert_array_equal(made.inputs[:, 1], given.inputs[:, 1])
    np.testing.assert_array_equal(given.inputs, before)


def test_versions_repeat_with_their_seed():
    first, again, other = (in_versions(examples(), np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.inputs, again.inputs)
    assert (first.labels != other.labels).any()
