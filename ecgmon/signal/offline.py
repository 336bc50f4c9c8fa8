"""Whole records through the chain that the monitor runs."""

import numpy as np
from numpy.typing import NDArray

from ecgmon.signal.chain import SignalChain
from ecgmon.signal.geometry import Geometry
from ecgmon.signal.qrs import BeatDetector
from ecgmon.signal.types import Windows


def process_record(millivolts: NDArray[np.float64], geometry: Geometry) -> Windows:
    """Cut a whole record into windows.

    The last window's look-ahead may reach past the end of the record: the record then ends
    without it, as a stream does.

    Parameters
    ----------
    millivolts : ndarray of float64, shape (n,)
        The record's lead, NaN where nothing was measured.
    geometry : Geometry
        What the model sees.

    Returns
    -------
    Windows
        With rows all zero.
    """
    (windows,) = process_records(millivolts[None, :], geometry)
    return windows


def process_records(millivolts: NDArray[np.float64], geometry: Geometry) -> list[Windows]:
    """Cut records of one length into windows, all at once: many times faster than one by one.

    Parameters
    ----------
    millivolts : ndarray of float64, shape (r, n)
        As `process_record` takes them.

    Returns
    -------
    list of Windows
        One for each record; ``rows`` is the record's number.
    """
    rows = np.arange(len(millivolts), dtype=np.intp)
    windows = SignalChain(geometry, len(rows)).push(rows, millivolts).windows
    return [
        Windows(*(getattr(windows, name)[windows.rows == row] for name in Windows.__slots__))
        for row in rows
    ]


def detect_beats(millivolts: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the sample index of each beat that the monitor finds in a whole record, ascending.

    Parameters
    ----------
    millivolts : ndarray of float64, shape (n,)
        As `process_record` takes it.
    """
    row, first = np.zeros(1, dtype=np.intp), np.zeros(1, dtype=np.int64)
    (found,) = BeatDetector(1)(row, millivolts[None, :], first)
    return np.array(found, dtype=np.int64)
