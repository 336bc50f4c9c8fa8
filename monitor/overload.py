"""Overload: more signal comes than the monitor can judge, so that all verdicts would come too late.

Some wearers are set aside then, those who came last first, so that the others are watched in time.
Their devices are told when to try again, and keep their samples meanwhile.
"""

from collections import deque
from collections.abc import Sequence
from math import ceil
from statistics import median
from typing import Final

from ecgmon.wire import messages
from monitor.sources.device_connections import DeviceConnections
from monitor.wearers.registry import WearerRegistry

BUSY_S: Final = 5
"""Seconds in a row without a pause between ticks after which the monitor may be overloaded..."""
LATE_S: Final = 2.0
"""...if the median of all devices' lag is above so many seconds, and does not fall."""
SHARE: Final = 0.05
"""Share of the wearers who are set aside at once, at least one; then it is looked again."""
CLOSED_S: Final = 600.0
"""For so many seconds after that no other wearer is taken on, and the alarm stands."""
WHY: Final = "the monitor is overloaded"


class Load:
    """Tells when wearers are too many, by the pauses of the loop and the lag of all devices.

    A replay at full speed leaves no pause, but lags behind nothing; after an outage all devices
    lag, but less and less.
    """

    def __init__(self) -> None:
        self._busy_s = 0
        self._paused = True
        self._lags: deque[float] = deque(maxlen=BUSY_S)

    def pause(self) -> None:
        """Note that the loop had time to wait."""
        self._paused = True

    def too_many(self, lags: Sequence[float]) -> int:
        """Return how many wearers are to be set aside; call it once a second.

        Parameters
        ----------
        lags : sequence of float
            By how many seconds each device's newest sample is late; one alone is left.
        """
        self._busy_s = 0 if self._paused else self._busy_s + 1
        self._paused = False
        self._lags.append(median(lags) if lags else 0.0)
        falls = len(self._lags) < BUSY_S or self._lags[-1] < self._lags[0]
        if len(lags) < 2 or self._busy_s < BUSY_S or self._lags[-1] < LATE_S or falls:
            return 0
        self._lags.clear()
        return ceil(SHARE * len(lags))


class LoadShedding:
    """Sets wearers aside while the monitor is overloaded, and says so.

    Parameters
    ----------
    registry : WearerRegistry
        The wearers.
    connections : DeviceConnections
        Their devices.
    """

    def __init__(self, registry: WearerRegistry, connections: DeviceConnections) -> None:
        self._registry = registry
        self._connections = connections
        self._until = float("-inf")
        self.load = Load()

    def check(self, now: float) -> list[messages.Published]:
        """Set aside who is too many; call it once a second.

        Parameters
        ----------
        now : float
            Monotonic time in seconds.
        """
        published: list[messages.Published] = []
        streams = self._registry.streams
        if count := self.load.too_many([stream.clock.lag(now) for stream in streams]):
            self._until = now + CLOSED_S
            self._registry.closed_until = self._until
            published += self._registry.shed(count, now, WHY)
            shed = set(streams) - set(self._registry.streams)
            self._connections.refuse(shed, f"Not watched: {WHY}.", CLOSED_S)
        holds = now < self._until
        text = f"{WHY}: the wearers who came last are not watched; use another monitor for them"
        return [*published, *self._registry.own.condition("overload", holds, text=text)]
