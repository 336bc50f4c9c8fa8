"""Samples of one wearer that wait for the disk, and when they are to be written."""

from collections import deque
from typing import Final
from zlib import crc32

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from monitor.wearers.pieces import Piece

WRITE_S: Final = 5
"""Samples are written when they have waited for so long, in seconds, or when the stream passes the
wearer's next multiple of so much signal."""
QUIET_S: Final = 0.4
"""Samples after which nothing came for so long, in seconds, are written: a device has paused, or
is gone."""
BURST_S: Final = 2.0
"""So much signal, in seconds, that came in half the time is written at once: a device catches up.
"""
CHUNK: Final = 16_384
"""Pieces that follow each other are joined up to as many samples."""
PARTS: Final = 64
"""Most arrays that wait to be joined."""
PIECE: Final = 200
"""A piece counts for as many samples more: what Python needs for it."""


class SampleQueue:
    """Pieces of one wearer in the order in which they came, joined where they follow each other.

    Wearers whose streams began at the same time are due at different times: after a multiple of
    `WRITE_S` of signal, moved by what the wearer's id gives.

    Parameters
    ----------
    wearer : str
        Whose.
    now : float
        Monotonic time in seconds.

    Attributes
    ----------
    count : int
        Samples.
    weight : int
        For how many they count, `PIECE` for each piece included.
    """

    def __init__(self, wearer: str, now: float) -> None:
        self.count = self.weight = 0
        self._wearer = wearer
        self._since = self._latest = now
        self._enough = float("inf")
        self._pieces: deque[Piece] = deque()
        self._parts: list[NDArray[np.int16]] = []
        self._length = self._turn = 0
        self._burst = 0.0
        self._end = -1

    def __len__(self) -> int:
        return len(self._pieces)

    def add(self, piece: Piece, now: float) -> bool:
        """Take a piece; tells whether the device catches up, and waits to send more."""
        samples, first = piece.samples, piece.first
        length = len(samples)
        if (  # as nearly all do; each frame of each wearer comes here
            first == self._end
            and piece.stream == (last := self._pieces[-1]).stream
            and piece.gain == last.gain
            and piece.rate_mhz == last.rate_mhz
            and piece.lead == last.lead
            and self._length + length <= CHUNK
        ):
            self._parts.append(samples)
            if len(self._parts) >= PARTS:
                self._settle()
        else:
            self._begin(piece)
        self._latest = now
        self.count = count = self.count + length
        self.weight += length
        self._length += length
        self._end = end = first + length
        catches_up = False
        if count >= self._burst:
            catches_up = (now - self._since) * 2 < count * 1000 / piece.rate_mhz
        if catches_up or end >= self._turn:
            self._enough = min(self._enough, now)
        return catches_up

    def due_at(self) -> float:
        """Return the monotonic time from which the samples are to be written, in seconds."""
        return min(self._enough, self._latest + QUIET_S, self._since + WRITE_S)

    def put_off(self) -> None:
        """Let it not be due before something comes, or nothing for `QUIET_S`."""
        self._enough = float("inf")

    def first(self, stream: int) -> int | None:
        """Return the first sample of a stream; None if there is none."""
        return next((piece.first for piece in self._pieces if piece.stream == stream), None)

    def drop(self) -> Piece:
        """Take the oldest piece away."""
        if len(self._pieces) == 1:
            self._settle()
        piece = self._pieces.popleft()
        self.count -= len(piece.samples)
        self.weight -= len(piece.samples) + PIECE
        return piece

    def pieces(self) -> list[Piece]:
        """Return all pieces."""
        self._settle()
        return list(self._pieces)

    def _settle(self) -> None:
        """Join the newest piece with what follows it."""
        if self._parts:
            last = self._pieces[-1]
            samples = np.concatenate([last.samples, *self._parts])
            self._pieces[-1] = replace(last, samples=samples)
            self._parts.clear()

    def _begin(self, piece: Piece) -> None:
        """Take a piece that does not follow the newest."""
        self._settle()
        self._pieces.append(piece)
        self._length = 0
        self.weight += PIECE
        self._burst = BURST_S * piece.rate_mhz / 1000
        span = max(WRITE_S * piece.rate_mhz // 1000, 1)
        self._turn = piece.first + span - (piece.first + crc32(self._wearer.encode())) % span
