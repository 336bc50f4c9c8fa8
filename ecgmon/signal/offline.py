"""Offline processing of complete records by the chain that the monitor runs."""

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.signal.beat_feed import BeatFeed, BeatFeeds
from ecgmon.signal.chain import SignalChain
from ecgmon.signal.filter import band_pass
from ecgmon.signal.geometry import Geometry
from ecgmon.signal.qrs import BeatDetector
from ecgmon.signal.types import Windows
from ecgmon.signal.usual_beat import EVERY_S, SAMPLES, each_minute


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
    return [windows for windows, _ in windows_and_beats(millivolts, geometry)]


def windows_and_beats(
    millivolts: NDArray[np.float64], geometry: Geometry
) -> list[tuple[Windows, NDArray[np.float32]]]:
    """Do what `process_records` does, and return the usual beat of each whole minute beside it.

    Returns
    -------
    list of tuple of Windows and ndarray of float32, shape (minutes, SAMPLES)
        One for each record; NaN where no beat was usual (`ecgmon.signal.usual_beat`).
    """
    rows = np.arange(len(millivolts), dtype=np.intp)
    pushed = SignalChain(geometry, len(rows)).push(rows, millivolts)
    minute = EVERY_S * WINDOW
    usual = np.full((len(rows), millivolts.shape[1] // minute, SAMPLES), np.nan, dtype=np.float32)
    for row, end, beat in each_minute(pushed.atrial, range(len(rows))):
        if beat is not None:
            usual[row, end // minute - 1] = beat
    of = {name: getattr(pushed.windows, name) for name in Windows.__slots__}
    return [
        (Windows(*(each[of["rows"] == row] for each in of.values())), usual[row])
        for row in rows.tolist()
    ]


def feed_of(millivolts: NDArray[np.float64]) -> BeatFeed:
    """Return what the chain hands on of a whole record whose beats are to be cut.

    Parameters
    ----------
    millivolts : ndarray of float64, shape (n,)
        As `process_record` takes it, at least a second of it.
    """
    chain, feeds = SignalChain(Geometry(history_s=0, look_ahead_s=0, rate=RATE), 1), BeatFeeds([0])
    chain.push(np.zeros(1, dtype=np.intp), millivolts[None, :], follow=feeds)
    return feeds.of[0]


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


def band_passed(millivolts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a whole record as the chain's band-pass gives it, in mV.

    Parameters
    ----------
    millivolts : ndarray of float64, shape (n,)
        Measured throughout.
    """
    filtered: NDArray[np.float64] = band_pass(1)(np.zeros(1, dtype=np.intp), millivolts[None, :])[0]
    return filtered


def measured_windows(measured: NDArray[np.bool_], geometry: Geometry) -> NDArray[np.bool_]:
    """Return which windows of a record have all samples that a model sees of them.

    Parameters
    ----------
    measured : ndarray of bool, shape (n,)
        Which samples of the record were measured.
    geometry : Geometry
        What the model sees. What lies before the record or after it counts as measured.

    Returns
    -------
    ndarray of bool, shape (n // WINDOW,)
    """
    starts = np.arange(len(measured) // WINDOW) * WINDOW
    missing = np.concatenate([[0], np.cumsum(~measured)])
    first = np.maximum(starts - geometry.history, 0)
    stop = np.minimum(starts + WINDOW + geometry.look_ahead, len(measured))
    complete: NDArray[np.bool_] = missing[first] == missing[stop]
    return complete
