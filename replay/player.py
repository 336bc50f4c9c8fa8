"""Playing a record to a monitor, and listening to what the monitor says of it."""

import math
import threading
import time
from typing import Final

import zmq

from ecgmon.errors import EcgmonError
from ecgmon.wire import messages
from replay.device import PATIENCE_S, Device
from replay.scoreboard import Scoreboard

TOPICS: Final = ("closed", "gap", "link", "window", "alert", "opened")
"""What the scoreboard counts. The monitor repeats *opened* to whoever begins to listen to it; it
comes last, so that its arrival proves all the other subscriptions."""
GOODBYE_S: Final = 1.0
"""Longest wait for the last results of a stream that is ended early."""


class Player:
    """Sends a device's frames when they are due and feeds the scoreboard meanwhile.

    Parameters
    ----------
    device : Device
        Connected.
    board : Scoreboard
        Counts what is published of the wearer.
    wearer : str
        Whose results to listen to.
    context : zmq.Context
        Of the sockets.
    """

    def __init__(
        self,
        device: Device,
        board: Scoreboard,
        wearer: str,
        context: "zmq.Context[zmq.Socket[bytes]]",
    ) -> None:
        self._device = device
        self._board = board
        self._wearer = wearer
        self._results = context.socket(zmq.SUB)
        self._results.rcvhwm = 0  # the device's acknowledgements bound what can be under way
        self._results.maxmsgsize = messages.MAX_BYTES
        self._results.linger = 0
        self._poller = zmq.Poller()
        self._poller.register(device.socket, zmq.POLLIN)
        self._poller.register(self._results, zmq.POLLIN)
        self._stopping = threading.Event()
        self._heard = threading.Event()

    def stop(self) -> None:
        """Ask `run` to end early; may be called from another thread."""
        self._stopping.set()

    @property
    def complete(self) -> bool:
        """Whether everything was sent, acknowledged and judged."""
        return self._device.finished and self._board.end is not None

    def welcome(self) -> str:
        """Wait until the monitor takes the stream and results arrive.

        Returns
        -------
        str
            The endpoint where the monitor publishes.

        Raises
        ------
        EcgmonError
            If it refuses, or does not answer in time.
        """
        while self._device.publish is None:
            self._turn()
        self._results.connect(self._device.publish)
        for topic in TOPICS:
            self._results.subscribe(f"{topic}/{self._wearer}")
        deadline = time.monotonic() + PATIENCE_S
        while not self._heard.is_set():
            if time.monotonic() > deadline:
                raise EcgmonError(
                    f"Nothing is heard from {self._device.publish}, where the monitor publishes: "
                    "is it reachable from here?"
                )
            self._turn()
        return self._device.publish

    def run(self) -> None:
        """Play until everything is sent and judged; once stopped, only what was sent."""
        try:
            self._device.start()
            deadline = float("inf")
            while not self.complete and time.monotonic() < deadline:
                if self._stopping.is_set() and deadline == float("inf"):
                    self._device.stop()
                    deadline = time.monotonic() + GOODBYE_S
                self._turn()
        finally:
            self._device.socket.close()
            self._results.close()

    def _turn(self) -> None:
        ready = dict(self._poller.poll(math.ceil(1000 * self._device.wait_s())))
        if self._device.socket in ready:
            self._device.receive()
        if self._results in ready:
            self._listen()
        self._device.send_due()

    def _listen(self) -> None:
        while self._results.poll(0):
            _, payload = self._results.recv_multipart()
            arrival = time.monotonic()
            message = messages.decode_published(payload)
            # Topics are prefixes: another wearer's id may begin with this one's. And the monitor
            # may still speak of the stream that this one takes the place of.
            if message.wearer == self._wearer and message.stream == self._device.stream:
                self._heard.set()
                self._board.take(message, arrival)
