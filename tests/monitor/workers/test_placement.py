"""Who has which wearer, and whose places are taken."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.workers.placement import UNDER_WAY_S, WearerPlacement


def placement(*workers):
    made = WearerPlacement()
    for one in workers:
        made.join(one)
    return made


def test_wearers_go_to_whom_has_fewest_and_keep_their_worker():
    made = placement(1, 2)
    given_to = [made.place(f"w{n}", 0.0, None) for n in range(6)]
    assert sorted(given_to) == [1, 1, 1, 2, 2, 2]
    assert [made.place(f"w{n}", 100.0, None) for n in range(6)] == given_to


def test_an_overloaded_worker_gets_nobody_while_another_is_not():
    made = placement(1, 2)
    made.report(1, [], True, 0.0)
    assert {made.place(f"w{n}", 0.0, None) for n in range(4)} == {2}


def test_wearers_of_a_worker_that_ends_go_to_the_others_and_settle_there():
    made = placement(1, 2, 3)
    of = {f"w{n}": made.place(f"w{n}", 0.0, None) for n in range(9)}
    made.leave(1)
    assert set(made.orphans) == {wearer for wearer, worker in of.items() if worker == 1}
    assert made.place(next(iter(made.orphans)), 0.0, None) is None, "not before it is given away"
    given_away = made.adopt()
    assert {len(wearers) for wearers in given_away.values()} <= {1, 2}
    for worker, wearers in given_away.items():
        for wearer in wearers:
            assert made.of(wearer) == worker
            assert made.settles(wearer)
        made.settled(worker, wearers)
    assert not any(map(made.settles, of))
    assert {w: made.of(w) for w in of if of[w] != 1} == {w: n for w, n in of.items() if n != 1}


def test_without_a_worker_wearers_wait_for_one():
    made = placement(1)
    made.place("ann", 0.0, None)
    made.leave(1)
    assert made.adopt() == {}
    made.join(2)
    assert made.adopt() == {2: ["ann"]}


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0, 10)), max_size=30))
def test_no_place_is_counted_as_free_before_its_worker_says_so(hellos):
    made, now = placement(1, 2), 0.0
    placed = {1: set(), 2: set()}
    for number, later in hellos:
        now += later
        worker = made.place(f"w{number}", now, None)
        placed[worker].add(f"w{number}")
        assert made.taken >= sum(map(len, placed.values()))
        for one, wearers in placed.items():
            made.report(one, wearers, False, now)
    assert made.elsewhere(1) in (None, len(placed[2]))


def test_a_hello_that_came_to_nothing_gives_its_place_back():
    made = placement(1)
    made.place("ann", 0.0, None)
    made.report(1, [], False, UNDER_WAY_S / 2)
    assert made.taken == 1
    made.report(1, [], False, UNDER_WAY_S)
    assert made.taken == 0


def test_after_a_restart_each_worker_gets_as_many_of_those_whose_stream_was_open():
    made = placement(1, 2)
    made.orphans = {f"w{n}": n < 6 for n in range(30)}
    given_away = made.adopt()
    streaming = {f"w{n}" for n in range(6)}
    assert [len(streaming & set(of)) for of in given_away.values()] == [3, 3]
    assert [len(of) for of in given_away.values()] == [15, 15]
