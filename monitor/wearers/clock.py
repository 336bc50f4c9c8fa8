"""Estimation of a device's clock from times of arrival: its rate and its lag."""

from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from ecgmon.core.state import Index, Layout, Stateful

BUCKET_S: Final = 5.0
"""Length of a bucket in seconds; of the frames that arrive in it only the earliest counts."""
KEPT: Final = 240
"""Number of buckets remembered: twenty minutes in which something arrived."""
LEAST_S: Final = 60.0
"""Observation time in seconds before a drift is reported."""
MAX_DRIFT_PPM: Final = 20_000.0
"""More is no drift: it is another rate than was declared (`monitor.wearers.delivered_rate`), a
recording at another speed, or a link that is too slow."""
RESTART_S: Final = 2.0
"""A sample this many seconds too early shows that the device restarted its counting."""
JUMP_S: Final = 1.0
"""A larger step in seconds between two frames is no drift: the clock was set."""


class Clock(Stateful):
    """Estimates a device's rate and lag from its earliest arrivals; late ones may have any reason.

    The delay of a frame is its arrival less the time of its last sample at the declared rate. The
    line below all delays of the last minutes is the device's clock: its slope is the drift, and
    what lies above it is lag. Lag is therefore zero for the fastest delivery there was, and does
    not grow as the drift adds up. Where the line is steeper than `MAX_DRIFT_PPM` there is no drift,
    and lag is measured from the earliest delay.

    Parameters
    ----------
    rate_mhz : int
        Sampling rate in millihertz that the device declared.

    Attributes
    ----------
    drift_ppm : float or None
        By how many millionths the device samples faster than it declared; None before
        `LEAST_S` of arrivals were seen, and where it does not keep to its rate at all.
    jumped_s : float
        By how much the device's own clock was set forward, against the samples it counted, since
        somebody put this back to zero; a jump of up to `JUMP_S` between two frames is not counted.
    """

    layout = Layout(
        "device clock",
        1,
        ("_rate_mhz",),
        _origin=Index,
        _newest=Index,
        _earliest=list[tuple[float, float]],
        _level=float,
        _slope=float,
        _device=tuple[Index, int] | None,
        drift_ppm=float | None,
        jumped_s=float,
    )

    def __init__(self, rate_mhz: int) -> None:
        self._rate_mhz = rate_mhz
        self._origin = 0
        self._newest = 0
        self._earliest: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self._level = self._slope = 0.0
        self._device: tuple[int, int] | None = None
        self.drift_ppm: float | None = None
        self.jumped_s = 0.0

    def observe(self, end: int, arrival: float) -> None:
        """Note that the samples before index ``end`` have arrived.

        Parameters
        ----------
        end : int
            In the device's samples; need not grow from call to call.
        arrival : float
            Monotonic time in seconds.
        """
        delay = arrival - (end - self._origin) * 1000 / self._rate_mhz
        points = self._earliest
        if points:
            at, earliest = points[-1]
            is_above = delay >= earliest and delay - self._slope * arrival >= self._level
            if is_above and arrival // BUCKET_S <= at // BUCKET_S:  # as of nearly all frames
                if end > self._newest:
                    self._newest = end
                return
        if points and delay < self._expected(arrival) - RESTART_S:
            points.clear()
        if not points:
            self._origin = self._newest = end
            points.append((arrival, arrival))
            self._fit()
            return
        self._newest = max(self._newest, end)
        if arrival // BUCKET_S > points[-1][0] // BUCKET_S:
            points.append((arrival, delay))
            self._fit()
        elif delay < points[-1][1]:
            points[-1] = (arrival, delay)
        # Until the next bucket the line keeps its slope; it lies below every delay.
        self._level = min(self._level, delay - self._slope * arrival)

    def observe_device(self, first: int, device_time: int) -> None:
        """Compare the device's own clock with the samples it has counted since the frame before.

        Parameters
        ----------
        first : int
            Index of a frame's first sample.
        device_time : int
            The device's clock there in nanoseconds; 0 says that it has none.
        """
        if not device_time:
            return
        before, self._device = self._device, (first, device_time)
        if before is not None:
            counted = (first - before[0]) * 1000 / self._rate_mhz
            jump = (device_time - before[1]) / 1e9 - counted
            if abs(jump) > JUMP_S:
                self.jumped_s += jump

    def lag(self, now: float) -> float:
        """Return by how many seconds the newest sample is late at a monotonic time."""
        if not self._earliest:
            return 0.0
        delay = now - (self._newest - self._origin) * 1000 / self._rate_mhz
        return max(delay - self._expected(now), 0.0)

    def shift(self, seconds: float) -> None:
        """Count times of arrival by a monotonic clock that is ahead by so many seconds."""
        moved = ((arrival + seconds, delay + seconds) for arrival, delay in self._earliest)
        self._earliest = deque(moved, maxlen=KEPT)
        self._level += seconds - self._slope * seconds

    def _expected(self, arrival: float) -> float:
        return self._level + self._slope * arrival

    def _fit(self) -> None:
        """Lay the line below all points, but for the latest bucket, which is not complete."""
        points = list(self._earliest)
        if len(points) > 1:
            points.pop()
        if len(points) > LEAST_S / BUCKET_S:
            (at, delay), (to, other) = edge_below(points)
            slope = (other - delay) / (to - at)
            if abs(slope) * 1e6 <= MAX_DRIFT_PPM:
                self.drift_ppm = -slope * 1e6
                self._slope, self._level = slope, delay - slope * at
                return
        self.drift_ppm = None
        self._slope, self._level = 0.0, min(delay for _, delay in points)


def edge_below(
    points: Sequence[tuple[float, float]],
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the edge of the convex hull below points that lies above their mean time.

    Of all lines below the points the one through this edge is the nearest to them.

    Parameters
    ----------
    points : sequence of (float, float)
        Two or more, by rising time.
    """
    middle = sum([time for time, _ in points]) / len(points)
    hull = [points[0]]
    for point in points[1:]:
        x, y = point
        x1, y1 = hull[-1]
        while len(hull) > 1:
            x0, y0 = hull[-2]
            if (y1 - y0) * (x - x0) < (y - y0) * (x1 - x0):
                break
            hull.pop()
            x1, y1 = x0, y0
        hull.append(point)
    return next(edge for edge in pairwise(hull) if edge[1][0] >= middle)
