"""Each wearer's turn comes once a period, however late a tick is."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.ops.turns import PARTS, Turns, part_of


@given(st.lists(st.floats(0.001, 0.9), min_size=1, max_size=60))
def test_each_part_has_one_turn_in_each_period(steps):
    turns, now, count = Turns(1.0), 1000.0, [0] * PARTS
    assert sorted(turns.due(now)) == list(range(PARTS))
    for step in steps:
        now += step
        for part in turns.due(now):
            count[part] += 1
    assert all(abs(one - (now - 1000.0)) <= 1 for one in count)


def test_after_a_long_tick_each_part_has_one_turn():
    turns = Turns(1.0)
    turns.due(5.0)
    assert sorted(turns.due(100.0)) == list(range(PARTS))
    assert turns.due(100.0) == []


def test_wearers_are_spread_over_the_parts():
    sizes = [0] * PARTS
    for number in range(1000):
        sizes[part_of(f"simulated-normal-{number:03}")] += 1
    assert max(sizes) < 2 * 1000 / PARTS
