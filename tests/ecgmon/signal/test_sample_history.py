import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.signal.sample_history import ROOM, SampleHistory


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(1, 900),
    firsts=st.lists(st.integers(0, 2**40), min_size=1, max_size=4),
    lengths=st.lists(st.integers(1, ROOM), min_size=1, max_size=12),
)
def test_it_gives_back_any_of_the_samples_that_it_keeps(seed, size, firsts, lengths):
    rng, rows = np.random.default_rng(seed), np.arange(len(firsts))
    history = SampleHistory(len(firsts), size, np.float32)
    for row, first in enumerate(firsts):
        history.reset(row, first)
    known = [np.zeros(size, dtype=np.float32) for _ in rows]
    for n in lengths:
        some = rng.permutation(rows)[: rng.integers(1, len(rows) + 1)]
        end = np.array([firsts[row] + len(known[row]) - size for row in some])
        new = rng.normal(size=(len(some), n)).astype(np.float32)
        history.append(some, end, new)
        for row, samples in zip(some, new, strict=True):
            known[row] = np.concatenate([known[row], samples])
        back = rng.integers(0, n + 1, len(some))
        n_last = int(rng.integers(1, size + 1))
        last = history.last(some, end + n - back, n_last)
        for i, row in enumerate(some):
            stop = len(known[row]) - back[i]
            assert last[i].tobytes() == known[row][stop - n_last : stop].tobytes()
            at = int(end[i]) + n
            assert history.row(row, at - n_last, at).tobytes() == known[row][-n_last:].tobytes()


def test_what_is_written_again_from_an_earlier_sample_on_takes_the_place_of_what_was_there():
    history, row = SampleHistory(1, 10, np.int64), np.zeros(1, dtype=np.intp)
    history.append(row, np.array([0]), np.arange(8)[None])
    history.append(row, np.array([5]), np.array([[50, 60]]))
    assert history.last(row, np.array([7]), 8)[0].tolist() == [0, 0, 1, 2, 3, 4, 50, 60]


def test_after_a_reset_all_before_it_is_zero():
    history, row = SampleHistory(1, 10, np.int64), np.zeros(1, dtype=np.intp)
    history.append(row, np.array([0]), np.arange(8)[None])
    history.reset(0, 100)
    history.append(row, np.array([100]), np.array([[7]]))
    assert history.last(row, np.array([101]), 10)[0].tolist() == [0] * 9 + [7]
