"""Pacing of the loop: what comes within the time of a tick is processed together."""

import time
from typing import Final

import zmq

IDLE_MS: Final = 100
"""Longest wait for samples in a tick, in milliseconds."""
VERDICT_S: Final = 0.08
"""Longest time from a sample's arrival to what follows from it, in seconds, where the monitor keeps
up: the time between two ticks and the work of one. What comes meanwhile from many wearers is
processed together, for little more than the first of it costs."""
PAUSE_S: Final = 0.001
"""A longer wait for samples, in seconds, shows that the monitor follows."""


class Pacing:
    """Waits between two ticks.

    Parameters
    ----------
    poller : zmq.Poller
        Of all that a tick reads.
    """

    def __init__(self, poller: zmq.Poller) -> None:
        self._poller = poller
        self._ticked = float("-inf")

    def wait(self, *, busy: bool) -> bool:
        """Wait until something has come, and for what else comes until it is time for it.

        Parameters
        ----------
        busy : bool
            Whether there is more to do: nothing is waited for.

        Returns
        -------
        bool
            Whether there was time to wait.
        """
        began = time.monotonic()
        worked_s = began - self._ticked
        self._poller.poll(0 if busy else IDLE_MS)
        if not busy and (early_s := self._ticked + VERDICT_S - worked_s - time.monotonic()) > 0:
            time.sleep(early_s)
        self._ticked = time.monotonic()
        return self._ticked - began > PAUSE_S
