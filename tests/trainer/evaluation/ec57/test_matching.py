"""Which beats are paired, worked by hand from the rules of bxb(1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.evaluation.ec57.matching import LEARNING, MATCH, match

CROWDED = st.lists(st.integers(0, 2_000), unique=True, max_size=40).map(sorted)


def pairs(reference, test, start=0, stop=10**9):
    """Return the pairs by sample index."""
    return [
        (None if i is None else reference[i], None if j is None else test[j])
        for i, j in match(reference, test, start, stop)
    ]


def test_the_window_is_150_ms_and_the_learning_time_five_minutes():
    assert (MATCH, LEARNING) == (54, 108_000)


@pytest.mark.parametrize("side", [-1, 1])
def test_a_beat_is_found_at_exactly_150_ms_and_not_one_sample_later(side):
    assert pairs([1000], [1000 + side * 54]) == [(1000, 1000 + side * 54)]
    found = sorted(
        pairs([1000], [1000 + side * 55]), key=lambda pair: pair[0] or pair[1], reverse=side < 0
    )
    assert found == [(1000, None), (None, 1000 + side * 55)]


def test_of_two_candidates_for_a_beat_the_nearer_is_its_own():
    assert pairs([1000], [970, 1010]) == [(None, 970), (1000, 1010)]
    assert pairs([1000], [990, 1030]) == [(1000, 990), (None, 1030)]
    assert pairs([1000], [1010, 1020]) == [(1000, 1010), (None, 1020)]
    assert pairs([970, 1010], [1000]) == [(970, None), (1010, 1000)]
    assert pairs([990, 1030], [1000]) == [(990, 1000), (1030, None)]


def test_of_two_that_are_as_near_the_later_is_its_own():
    assert pairs([1000], [980, 1020]) == [(None, 980), (1000, 1020)]
    assert pairs([980, 1020], [1000]) == [(980, None), (1020, 1000)]


def test_a_beat_leaves_its_rival_alone_that_belongs_rather_to_the_next():
    assert pairs([96, 160], [128, 185]) == [(96, 128), (160, 185)]
    assert pairs([128, 185], [96, 160]) == [(128, 96), (185, 160)]


def test_two_marks_for_one_beat_are_a_beat_and_an_extra_one():
    assert pairs([1000], [1000, 1000]) == [(1000, 1000), (None, 1000)]


def test_what_comes_before_the_start_does_not_count():
    assert pairs([900, 1100], [900, 1100, 1300], start=1000) == [(1100, 1100), (None, 1300)]
    assert pairs([900], [910], start=1000) == []
    assert pairs([1100], [], start=1000) == [(1100, None)]
    assert pairs([], [1100], start=1000) == [(None, 1100)]


def test_at_the_start_a_beat_may_be_found_too_early_and_one_of_before_too_late():
    assert pairs([1010, 1400], [990, 1400], start=1000) == [(1010, 990), (1400, 1400)]
    assert pairs([990, 1400], [1010, 1400], start=1000) == [(1400, 1400)]
    assert pairs([1010], [956], start=1000) == [(1010, 956)]
    assert pairs([1010], [955], start=1000) == [(1010, None)]
    # A better one after the start takes it.
    assert pairs([1010], [970, 1012], start=1000) == [(1010, 1012)]
    # One just after the start counts only if the next one is not nearer to the first beat.
    assert pairs([1040], [1010], start=1000) == [(1040, 1010)]
    assert pairs([1200], [1010], start=1000) == [(None, 1010), (1200, None)]
    assert pairs([1200], [1010, 1200], start=1000) == [(1200, 1200)]


def test_what_comes_after_the_end_does_not_count():
    assert pairs([1000, 2001], [1000, 2002], stop=2000) == [(1000, 1000)]
    assert pairs([1990], [2010], stop=2000) == [(1990, 2010)]
    assert pairs([2000], [], stop=2000) == [(2000, None)]
    assert pairs([], [2000], stop=2000) == [(None, 2000)]


@given(CROWDED)
def test_an_annotator_agrees_with_itself(beats):
    assert pairs(beats, beats) == [(beat, beat) for beat in beats]


@given(CROWDED, CROWDED)
def test_every_beat_of_both_files_occurs_once_and_in_order(reference, test):
    found = list(match(reference, test))
    assert [i for i, _ in found if i is not None] == list(range(len(reference)))
    assert [j for _, j in found if j is not None] == list(range(len(test)))
    both = [(i, j) for i, j in found if i is not None and j is not None]
    assert all(abs(reference[i] - test[j]) <= MATCH for i, j in both)


@given(CROWDED, CROWDED)
def test_it_does_not_matter_which_annotator_is_the_reference(reference, test):
    assert set(match(reference, test)) == {(j, i) for i, j in match(test, reference)}


@given(
    st.lists(st.integers(2 * MATCH + 1, 1_000), max_size=20),
    st.integers(-MATCH, MATCH),
    st.integers(0, 5_000),
)
def test_in_a_sparse_rhythm_a_constant_delay_changes_nothing(intervals, delay, start):
    beats = [1_000 + sum(intervals[:n]) for n in range(len(intervals) + 1)]
    found = pairs(beats, [beat + delay for beat in beats], start)
    assert found == [(beat, beat + delay) for beat in beats if beat >= start]
