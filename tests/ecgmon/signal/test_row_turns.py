"""Turns of beats: each row at most once in a turn, and its beats in their order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.signal.row_turns import turns


@given(st.lists(st.integers(0, 4), max_size=20))
def test_each_turn_has_the_next_beat_of_each_row_that_has_one(rows):
    places, taken = np.arange(len(rows)), []
    for some in turns(np.array(rows, dtype=np.intp)):
        turn = places[some].tolist()
        waiting = [place for place in places.tolist() if place not in taken]
        assert sorted(turn) == sorted({rows[place]: place for place in waiting[::-1]}.values())
        taken += turn
    assert sorted(taken) == places.tolist()
