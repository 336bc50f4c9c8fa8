"""When and what each wearer's device of the load sends."""

import time
import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from replay.simulator.simulation import GAIN, simulate

LEAD: Final = "MLII"
PLAN_S: Final = 0.2
"""Frames of so many seconds are made at once."""
JITTERS: Final = 64
"""Delays of a wearer's frames come again after so many frames."""
JITTER_S: Final = 0.03
"""Most that the frames of a wearer are delayed by chance, in seconds; below a frame's length."""
SIGNALS: Final = 20
SIGNAL_S: Final = 300


def prepared(count: int = SIGNALS, seconds: int = SIGNAL_S) -> list[bytes]:
    """Return simulated signals as samples of frames; each goes on with its own first second."""
    made = [
        simulate("premature", seed=seed, duration_s=seconds).record.samples
        for seed in range(1, count + 1)
    ]
    return [np.concatenate([one, one[:RATE]]).astype("<i2").tobytes() for one in made]


class Links:
    """When each wearer's device sends: arrays with a place for each wearer.

    Parameters
    ----------
    wearers : int
        How many.
    lengths : sequence of int
        Lengths of frames, in samples.
    seconds : float
        For how long they send.
    seed : int
        Of what is left to chance.

    Attributes
    ----------
    length : ndarray of int64, shape (wearers,)
        Samples of each frame.
    frames : ndarray of int64, shape (wearers,)
        Frames sent or planned.
    sent : ndarray of float64, shape (wearers, frames)
        Monotonic time at which each frame was sent, NaN for none.
    late : list of ndarray of float64
        By how many seconds frames were sent after they were due.
    """

    def __init__(
        self, wearers: int, lengths: tuple[int, ...], seconds: float, seed: int = 1
    ) -> None:
        chance = np.random.default_rng(seed)
        self.length = chance.choice(np.array(lengths, dtype=np.int64), wearers)
        self._offset = chance.integers(0, RATE, wearers) / RATE
        most = chance.uniform(0, JITTER_S, (wearers, 1))
        self._jitter = most * chance.random((wearers, JITTERS))
        self._most = int(PLAN_S * RATE / min(lengths)) + 2
        self.frames = np.zeros(wearers, dtype=np.int64)
        self.sent = np.full((wearers, int((seconds + 2) * RATE / min(lengths)) + 2), np.nan)
        self.late: list[NDArray[np.float64]] = []

    @property
    def end(self) -> NDArray[np.int64]:
        """Samples sent or planned of each wearer, shape (wearers,)."""
        sent: NDArray[np.int64] = self.frames * self.length
        return sent

    def begin(self, now: float) -> None:
        """Start the wearers' signals within a second from now."""
        self._begin = now + self._offset

    def plan(self, until: float) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.float64]]:
        """Return the frames that become due before a moment, sorted by time.

        Returns
        -------
        ndarray of intp, shape (n,)
            Wearer of each frame.
        ndarray of int64, shape (n,)
            Number of each frame in its stream.
        ndarray of float64, shape (n,)
            Monotonic time at which it is due, in seconds.
        """
        number = self.frames[:, None] + np.arange(self._most)
        whole = self._begin[:, None] + (number + 1) * self.length[:, None] / RATE
        due = whole + np.take_along_axis(self._jitter, number % JITTERS, 1)
        rows, columns = np.nonzero(due < until)
        order = np.argsort(due[rows, columns])
        rows, columns = rows[order], columns[order]
        planned = rows, number[rows, columns], due[rows, columns]
        self.frames += np.bincount(rows, minlength=len(self.frames))
        return planned

    def note_sent(
        self,
        rows: NDArray[np.intp],
        number: NDArray[np.int64],
        due: NDArray[np.float64],
        at: NDArray[np.float64],
    ) -> None:
        """Note when planned frames were sent."""
        self.late.append(at - due)
        self.sent[rows, number] = at


class Framer:
    """Frames of all wearers: what never changes of a header is made once for each.

    Parameters
    ----------
    signals : list of bytes
        From `prepared`; the wearers share them, each from another moment on.
    streams : list of int
        Stream id of each wearer.
    lengths : ndarray of int64, shape (wearers,)
        Samples of each frame.
    """

    def __init__(
        self, signals: list[bytes], streams: list[int], lengths: NDArray[np.int64]
    ) -> None:
        self._signals = signals
        self._lengths = lengths
        self._heads = [
            b"ECGF\x01\x00" + int(n).to_bytes(2, "little") + number.to_bytes(8, "little")
            for number, n in zip(streams, lengths, strict=True)
        ]
        self._tail = (
            (1000 * RATE).to_bytes(4, "little")
            + np.float32(GAIN).tobytes()
            + LEAD.encode().ljust(8, b"\0")
        )
        self._loop = len(signals[0]) // 2 - RATE
        self._from = 7919 * np.arange(len(streams))
        self._began_ns = time.time_ns()

    def frames(self, rows: NDArray[np.intp], first: NDArray[np.int64]) -> list[bytes]:
        """Return frames of these wearers that begin at these samples; arrays of shape (n,)."""
        clock = self._began_ns + first * 1_000_000_000 // RATE
        times = np.stack([first, clock], 1).astype("<i8").tobytes()
        at = (self._from[rows] + first) % self._loop
        bounds = np.stack([rows, 2 * at, 2 * (at + self._lengths[rows])], 1).tolist()
        made, heads, signals, tail = [], self._heads, self._signals, self._tail
        for i, (row, begin, end) in enumerate(bounds):
            samples = signals[row % len(signals)][begin:end]
            body = b"%b%b%b%b" % (heads[row], times[16 * i : 16 * i + 16], tail, samples)
            made.append(body + zlib.crc32(body).to_bytes(4, "little"))
        return made
