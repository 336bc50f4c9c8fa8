"""Pacing of the loop: what comes within the time of a tick is processed together."""

import time
from collections.abc import Callable
from typing import Final

import zmq

IDLE_MS: Final = 100
"""Longest wait for samples in a tick, in milliseconds."""
PERIOD_S: Final = 0.06
"""Longest time between two ticks, in seconds, where samples come all the time. What comes meanwhile
from many wearers is processed together, for little more than the first of it costs."""
VERDICT_S: Final = 0.075
"""Longest time from a sample's arrival to what follows from it, in seconds, where the monitor keeps
up: the time between two ticks and the work of one."""
PAUSE_S: Final = 0.001
"""A longer wait for samples, in seconds, shows that the monitor follows."""


class Pacing:
    """Waits between two ticks.

    Parameters
    ----------
    poller : zmq.Poller
        Of all that a tick reads.
    stored : int
        File descriptor that can be read when something is on disk.
    """

    def __init__(self, poller: zmq.Poller, stored: int) -> None:
        self._poller = poller
        self._stored = zmq.Poller()
        self._stored.register(stored, zmq.POLLIN)
        self._ticked = float("-inf")

    def wait(self, publish: Callable[[], None], *, busy: bool) -> bool:
        """Wait until something has come, and for what else comes until it is time for it.

        Parameters
        ----------
        publish : callable
            Publishes what is on disk by now: an alarm that was written waits for no tick.
        busy : bool
            Whether there is more to do: nothing is waited for.

        Returns
        -------
        bool
            Whether there was time to wait.
        """
        began = time.monotonic()
        work_s = began - self._ticked
        tick_at = self._ticked + min(PERIOD_S, VERDICT_S - work_s)
        self._poller.poll(0 if busy else IDLE_MS)
        while not busy and (early_s := tick_at - time.monotonic()) > 0:
            if self._stored.poll(int(1000 * early_s) + 1):
                publish()
        self._ticked = time.monotonic()
        return self._ticked - began > PAUSE_S
