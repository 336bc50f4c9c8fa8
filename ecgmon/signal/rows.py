"""State of the signal chain for a stack of wearers, one row for each."""

import numpy as np

from ecgmon.core.constants import WINDOW
from ecgmon.core.state import ARRAY, NESTED, Indices, Layout, StatefulRows
from ecgmon.signal.atrial_segments import AtrialBeats
from ecgmon.signal.filter import band_pass
from ecgmon.signal.geometry import RHYTHM, Geometry
from ecgmon.signal.qrs import BeatDetector
from ecgmon.signal.quality import RECENT
from ecgmon.signal.sample_history import SampleHistory
from ecgmon.signal.scale import AmplitudeScale
from ecgmon.signal.stillness import Stillness


class Rows(StatefulRows):
    """The state of each row, by stream index.

    Parameters
    ----------
    geometry : Geometry
        What the wearers' models see.
    rows : int
        Number of wearers.

    Attributes
    ----------
    filtered, raw, valid : SampleHistory
        The latest samples in mV after the band-pass and before it, the last value held where there
        was none, and where one was measured.
    held : ndarray of float64, shape (rows,)
        The last value measured, in mV.
    missed : ndarray of int64, shape (rows,)
        Stream index after the last sample that was not measured.
    absent : ndarray of bool, shape (rows,)
        Whether the last second had no signal, so that the filters start anew at the next sample.
    start, real_from : ndarray of int64, shape (rows,)
        Stream index of the first sample, and of the first one since the filters started anew.
    next : ndarray of int64, shape (rows,)
        Stream index of the next sample.
    signal_state : ndarray of int8, shape (rows,)
        Signal state of the last whole second (`ecgmon.signal.quality`).
    hum : ndarray of float64, shape (rows,)
        Mains hum in mV of seconds with beats.
    last_beat, beat_count : ndarray of int64, shape (rows,)
        Stream index of the latest beat, of the first sample before there is one; how many.
    units : ndarray of float32, shape (rows, geometry.blocks)
        What was usual, in mV, at the ends of the last blocks of a second, the newest last; each
        block ends with a look-ahead.
    confirmed : list of list of int
        Beats of each row confirmed since its last whole second.
    """

    layout = Layout(
        "row of a chain",
        3,
        filtered=NESTED,
        raw=NESTED,
        valid=NESTED,
        band_pass=NESTED,
        scale=NESTED,
        beats=NESTED,
        atrial=NESTED,
        still=NESTED,
        held=ARRAY,
        missed=ARRAY,
        absent=ARRAY,
        start=ARRAY,
        real_from=ARRAY,
        next=ARRAY,
        signal_state=ARRAY,
        hum=ARRAY,
        last_beat=ARRAY,
        beat_count=ARRAY,
        units=ARRAY,
        confirmed=Indices,
    )

    def __init__(self, geometry: Geometry, rows: int) -> None:
        size = max(geometry.context, RHYTHM.context, RECENT) + WINDOW
        self.filtered: SampleHistory[np.float32] = SampleHistory(rows, size, np.float32)
        self.raw: SampleHistory[np.float32] = SampleHistory(rows, 2 * WINDOW, np.float32)
        self.valid: SampleHistory[np.bool_] = SampleHistory(rows, size, np.bool_)
        self.band_pass = band_pass(rows)
        self.scale = AmplitudeScale(rows)
        self.beats = BeatDetector(rows)
        self.atrial = AtrialBeats(rows)
        self.still = Stillness(rows, self.beats.longest_rr)
        self.held = np.zeros(rows)
        self.missed = np.zeros(rows, dtype=np.int64)
        self.absent = np.zeros(rows, dtype=bool)
        self.start = np.zeros(rows, dtype=np.int64)
        self.real_from = np.zeros(rows, dtype=np.int64)
        self.next = np.zeros(rows, dtype=np.int64)
        self.signal_state = np.zeros(rows, dtype=np.int8)
        self.hum = np.zeros(rows)
        self.last_beat = np.zeros(rows, dtype=np.int64)
        self.beat_count = np.zeros(rows, dtype=np.int64)
        self.units = np.ones((rows, geometry.blocks), dtype=np.float32)
        self.confirmed: list[list[int]] = [[] for _ in range(rows)]

    def reset(self, row: int, first: int) -> None:
        """Start a row anew at stream index ``first``, with zeros before it."""
        for history in (self.filtered, self.raw, self.valid):
            history.reset(row, first)
        self.band_pass.reset(row)
        self.scale.reset(row)
        self.beats.reset(row)
        self.atrial.reset(row)
        self.still.reset(row, first)
        self.held[row] = self.hum[row] = 0
        self.absent[row] = False
        for index in (self.missed, self.start, self.real_from, self.next, self.last_beat):
            index[row] = first
        self.beat_count[row] = 0
        self.units[row] = 1
        self.confirmed[row] = []

    def restart(self, row: int, first: int) -> None:
        """Start the filters of a row anew at ``first``, after a second without signal."""
        self.band_pass.reset(row)
        if self.still.since[row] < first - WINDOW:
            self.beats.restart(row)
        else:
            self.beats.reset(row)
        self.absent[row] = False
        self.real_from[row] = first  # what was held before is no signal
