from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.support.unruly import unruly


@given(st.integers(0, 200), st.integers(0, 100))
def test_every_frame_arrives_near_its_place(n, seed):
    arrivals = unruly(range(n), seed)
    assert set(arrivals) == set(range(n))
    first = {frame: arrivals.index(frame) for frame in range(n)}
    assert all(sum(first[later] < at for later in range(i + 1, n)) <= 5 for i, at in first.items())


def test_a_third_of_them_is_disturbed_and_the_same_way_each_time():
    frames = range(1000)
    arrivals = unruly(frames, seed=7)
    assert arrivals == unruly(frames, seed=7) != unruly(frames, seed=8)
    assert 1050 < len(arrivals) < 1150  # repeats
    assert sum(a > b for a, b in pairwise(arrivals)) > 150  # out of order
    assert unruly(frames, share=0.0) == list(frames)
