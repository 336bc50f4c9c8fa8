"""Beats of many rows in turns, in each of which no row comes twice."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def turns(rows: NDArray[np.intp]) -> Iterator[NDArray[np.intp] | slice]:
    """Yield places in ``rows`` that hold no row twice, those of a row in their order.

    Parameters
    ----------
    rows : ndarray of intp, shape (m,)
        Whose beats; those of one row in the order of time.
    """
    if len(set(rows.tolist())) == len(rows):
        if len(rows):
            yield slice(None)
        return
    order = np.argsort(rows, kind="stable")
    place, by_row = np.arange(len(rows)), rows[order]
    begins = np.concatenate([[True], by_row[1:] != by_row[:-1]])
    nth = place - np.maximum.accumulate(np.where(begins, place, 0))
    turn = np.argsort(nth, kind="stable")
    yield from np.split(order[turn], np.flatnonzero(np.diff(nth[turn])) + 1)
