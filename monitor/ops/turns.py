"""Turns of the wearers: what is due once a second for each is spread over the second.

Done for all at once, it would hold up the verdicts of thousands by as many times what it takes for
one.
"""

import zlib
from typing import Final

PARTS: Final = 20
"""Wearers are divided into so many parts, each with a turn of its own."""


def part_of(wearer: str) -> int:
    """Return a wearer's part."""
    return zlib.crc32(wearer.encode()) % PARTS


class Turns:
    """Tells whose turn it is.

    Parameters
    ----------
    period_s : float
        Time in seconds in which each part has one turn.
    """

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._last: int | None = None

    def due(self, now: float) -> list[int]:
        """Return the parts whose turn has come since the last call, at most all, each once.

        Parameters
        ----------
        now : float
            Monotonic time in seconds.
        """
        at = int(now / self._period_s * PARTS)
        before = at - PARTS if self._last is None else max(self._last, at - PARTS)
        self._last = at
        return [turn % PARTS for turn in range(before + 1, at + 1)]
