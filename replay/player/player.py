"""Playing records to a monitor, and listening to what the monitor says of them."""

import logging
import math
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import zmq

from ecgmon.core.errors import EcgmonError
from ecgmon.wire import messages
from ecgmon.wire.device_client import PATIENCE_S, Context, Secure, plain
from ecgmon.wire.viewer_client import ViewerClient, topics
from replay.player.device import RecordDevice
from replay.scoring.annotations import PublishedAnnotations
from replay.scoring.scoreboard import Scoreboard

KINDS: Final = (
    messages.Opened,
    messages.Closed,
    messages.Gap,
    messages.Link,
    messages.Window,
    messages.Beat,
    messages.BeatWithdrawn,
    messages.Alarm,
)
"""What the scoreboard counts."""
BATCH: Final = 1000
"""Messages read between two looks at the devices."""
GOODBYE_S: Final = 2.0
"""Longest wait for the last results of streams that are ended early."""
LAST_WORD_S: Final = 10.0
"""Longest wait for the last results of streams that were acknowledged whole."""
MANY_TURNS_S: Final = 0.01
"""Shortest turn of many devices: together they always have something to send."""

_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class PlayedDevice:
    """A wearer in play.

    Parameters
    ----------
    wearer : str
        The wearer's id.
    device : RecordDevice
        Sends.
    board : Scoreboard
        Counts what is published of it.
    annotations : PublishedAnnotations, optional
        Collects what is published of it.
    error : EcgmonError or None
        What ended it early.
    """

    wearer: str
    device: RecordDevice
    board: Scoreboard
    annotations: PublishedAnnotations | None = None
    error: EcgmonError | None = None


class Player:
    """Sends devices' frames when they are due and feeds the scoreboards meanwhile.

    Parameters
    ----------
    parts : sequence of PlayedDevice
        Who plays. What fails for one of many is noted in its part.
    context : zmq.Context
        Of the viewer's socket.
    secure : callable
        Makes it use a client's key. That of a device may not listen: then nothing is counted.
    """

    def __init__(
        self, parts: Sequence[PlayedDevice], context: Context, secure: Secure = plain
    ) -> None:
        self._parts = parts
        self._of = {part.device.stream: part for part in parts}
        self._context = context
        self._secure = secure
        self._refused = False
        self._results: ViewerClient | None = None
        self._stopping = threading.Event()
        self._subscribed = threading.Event()

    def stop(self) -> None:
        """Ask `run` to end early; may be called from another thread."""
        self._stopping.set()

    @property
    def complete(self) -> bool:
        """Whether everything was sent, acknowledged and judged, but for what failed."""
        return all(
            part.device.finished and (self._refused or part.board.end is not None)
            for part in self._playing
        )

    def welcome(self) -> str:
        """Wait until the monitor takes the streams and results arrive.

        Returns
        -------
        str
            The endpoint where the monitor publishes.

        Raises
        ------
        EcgmonError
            If it refuses all, or does not answer in time.
        """
        while any(part.device.publish is None for part in self._playing):
            self._turn()
        device = self._playing[0].device
        if not device.publish:
            raise EcgmonError(
                f"{device.endpoint} takes devices, and publishes no results: replay to a monitor, "
                "or to a gateway that was started with --publish."
            )
        publish = _reachable(str(device.publish), device.endpoint)
        one = self._parts[0].wearer if len(self._parts) == 1 else None
        annotated = any(part.annotations is not None for part in self._parts)
        kinds = (*KINDS, messages.Beat) if annotated else KINDS
        # The devices' acknowledgements bound what can be under way.
        self._results = ViewerClient(
            self._context, publish, topics(kinds, one), queued=0, secure=self._secure
        )
        deadline = time.monotonic() + PATIENCE_S
        while not self._subscribed.is_set():
            if time.monotonic() > deadline:
                raise EcgmonError(
                    f"Nothing is heard from {publish}, where the monitor publishes: "
                    "is it reachable from here?"
                )
            self._turn()
        return publish

    def run(self) -> None:
        """Play until everything is sent and judged; once stopped, only what was sent."""
        try:
            for i, part in enumerate(self._playing):
                part.device.start(i / len(self._parts))  # no two wearers began in the same instant
            deadline, finished = float("inf"), time.monotonic()
            while not self.complete and time.monotonic() < deadline:
                if self._stopping.is_set() and deadline == float("inf"):
                    for part in self._playing:
                        part.device.stop()
                    deadline = time.monotonic() + GOODBYE_S
                elif not all(part.device.finished for part in self._playing):
                    finished = time.monotonic()
                elif time.monotonic() - finished > LAST_WORD_S:
                    break
                self._turn()
        finally:
            self.close()

    def close(self) -> None:
        """Close all connections."""
        for part in self._parts:
            part.device.close()
        if self._results is not None:
            self._results.close()

    @property
    def _playing(self) -> list[PlayedDevice]:
        return [part for part in self._parts if part.error is None]

    def _turn(self) -> None:
        playing = self._playing
        self._wait(playing)
        for part in playing:
            try:
                part.device.receive()
                part.device.send_due()
            except EcgmonError as error:
                part.device.close()
                part.error = error
                if not self._playing:
                    raise
        if self._results is not None:
            for part, message in self._listen(self._results):
                part.board.take(message, self._results.last_message)
                if part.annotations is not None:
                    part.annotations.take(message)

    def _wait(self, playing: list[PlayedDevice]) -> None:
        """Wait until there is something to read or to send."""
        poller = zmq.Poller()
        for part in playing:
            if part.device.socket is not None:
                poller.register(part.device.socket, zmq.POLLIN)
        if self._results is not None:
            poller.register(self._results.socket, zmq.POLLIN)
        wait_s = min(part.device.wait_s() for part in playing)
        if len(playing) > 1:
            time.sleep(MANY_TURNS_S)
            wait_s = max(0.0, wait_s - MANY_TURNS_S)
        poller.poll(math.ceil(1000 * wait_s))

    def _listen(self, results: ViewerClient) -> Iterator[tuple[PlayedDevice, messages.Published]]:
        for message in results.drain(BATCH):
            if isinstance(message, messages.Subscribed):
                self._subscribed.set()
            elif isinstance(message, messages.Refused):
                if not self._refused:
                    _log.warning("what the monitor says is not heard: %s", message.reason)
                self._refused = True
                self._subscribed.set()
            # The monitor may still speak of streams that these take the place of, and of others.
            elif isinstance(message, messages.OfStream | messages.Alarm):
                part = self._of.get(message.stream or "")
                if part is not None and part.wearer == message.wearer:
                    yield part, message


def _reachable(published: str, connected: str) -> str:
    """Return where results are, for a monitor that listens on all its machine's addresses."""
    for anywhere in ("tcp://0.0.0.0:", "tcp://[::]:"):
        if published.startswith(anywhere):
            return f"{connected.rpartition(':')[0]}:{published.removeprefix(anywhere)}"
    return published
