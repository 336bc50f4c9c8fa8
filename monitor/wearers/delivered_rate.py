"""Comparison of the rate a device delivers with the one it declared."""

import math
from collections import deque
from statistics import fmean
from typing import Annotated, Final

import msgspec

from ecgmon.core.state import Index, Layout, Stateful
from monitor.wearers.clock import edge_below

LIMIT: Final = 0.02
"""Relative error of the declared rate at which the heart rate is off by more than is allowed."""
CALM: Final = 0.75 * LIMIT
"""Relative error below which a wrong rate counts as right again."""
FASTEST: Final = 5.0
"""Times the declared rate that are a backlog or a recording at another speed. Of a device as wrong
a healthy heart reads 20 a minute or less, which is alarmed as it is."""
BUCKET_S: Final = 4.0
"""Of what arrives in as long the earliest counts, for a link makes samples late and never early."""
LOOK_S: Final = 90.0
"""Observed time in seconds; older arrivals are forgotten."""
LEAST_S: Final = 25.0
"""Observation time in seconds before a rate is reported."""
CERTAIN_S: Final = 0.8
SPREAD: Final = 3.0
"""What samples must have gained or lost on the clock meanwhile, at `LIMIT` in 40 s, and so many
times the mean by which arrivals lie above the line: more than what bursts vary by makes believe."""
LOOSE_S: Final = 0.3
LOOSE: Final = 0.05
"""How far arrivals may lie above a steady rate: so many seconds, and such a part of what it has
gained or lost. A device that catches up is not as steady."""
ANEW_S: Final = 20.0
"""Samples this many seconds too early show that the device restarted its counting."""


class DeliveredRate(Stateful):
    """The rate at which a stream's samples arrive, known while they arrive steadily.

    The delay of a frame is its arrival less the time of its last sample at the declared rate. It
    falls steadily where the device takes more samples than it declared, and rises where it takes
    fewer. The line below the delays of the last minute is a rate if the delays lie along it. Those
    of a device that catches up fall too: but not below what they were before, if anything was.

    Parameters
    ----------
    rate_mhz : int
        Sampling rate in millihertz that the device declared.

    Attributes
    ----------
    wrong : bool or None
        Whether more or fewer samples come than were declared, by more than `LIMIT`, found twice in
        a row; None while it is not known.
    hz : float or None
        Samples that come in a second, as last found.
    """

    layout = Layout(
        "delivered rate",
        1,
        ("_rate_mhz",),
        _origin=Index,
        _points=Annotated[list[tuple[float, float]], msgspec.Meta(max_length=64)],
        _lowest=float,
        wrong=bool | None,
        hz=float | None,
        _before=bool,
    )

    def __init__(self, rate_mhz: int) -> None:
        self._rate_mhz = rate_mhz
        self._origin = 0
        self._points: deque[tuple[float, float]] = deque()
        self._lowest = float("inf")
        self.wrong: bool | None = None
        self.hz: float | None = None
        self._before = False

    def observe(self, end: int, arrival: float) -> None:
        """Note that samples before index ``end`` have arrived, some of them for the first time.

        Parameters
        ----------
        end : int
            In the device's samples.
        arrival : float
            Monotonic time in seconds.
        """
        delay = arrival - (end - self._origin) * 1000 / self._rate_mhz
        points = self._points
        at, earliest = points[-1] if points else (arrival, math.inf)
        if not points or delay < earliest - ANEW_S:
            points.clear()
            self._origin, self._lowest = end, math.inf
            points.append((arrival, arrival))
        elif arrival // BUCKET_S > at // BUCKET_S:
            self._judge()
            points.append((arrival, delay))
        elif delay < earliest:
            points[-1] = (arrival, delay)

    def shift(self, seconds: float) -> None:
        """Count times of arrival by a monotonic clock that is ahead by so many seconds."""
        self._points = deque((at + seconds, delay + seconds) for at, delay in self._points)
        self._lowest += seconds

    def _judge(self) -> None:
        """Look at the delays of the last minute, all of them in buckets that are complete."""
        while self._points[0][0] < self._points[-1][0] - LOOK_S:
            self._lowest = min(self._lowest, self._points.popleft()[1])
        slope = _steady(list(self._points))
        if slope is not None and slope <= -CALM and self._points[-1][1] > self._lowest - CERTAIN_S:
            slope = None  # it catches up
        if slope is None:
            self.wrong, self._before = None, False
            return
        limit = CALM if self.wrong else LIMIT
        now = abs(slope) >= limit and 1 - slope <= FASTEST
        self.wrong = (True if self._before else None) if now else False
        self.hz = (1 - slope) * self._rate_mhz / 1000
        self._before = now


def _steady(points: list[tuple[float, float]]) -> float | None:
    """Return the slope of the line below points if they lie along it and it is certain."""
    span = points[-1][0] - points[0][0]
    if span < LEAST_S:
        return None
    (at, delay), (to, other) = edge_below(points)
    slope = (other - delay) / (to - at)
    gained = abs(slope) * span
    above = [d - delay - slope * (t - at) for t, d in points]
    if abs(slope) >= CALM and gained < CERTAIN_S + SPREAD * fmean(above):
        return None
    loose = LOOSE_S + LOOSE * gained
    near = [t for (t, _), d in zip(points, above, strict=True) if d <= loose]
    ends = near and near[0] <= points[0][0] + span / 4 and near[-1] >= points[-1][0] - span / 4
    return slope if ends and 2 * len(near) >= len(points) else None
