"""The loop of both views: messages in, keys in, pictures out."""

import math
import time
from collections.abc import Callable
from typing import Final, Protocol

import zmq

from ecgmon.terminal.canvas import Canvas
from ecgmon.terminal.screen import Screen
from ecgmon.wire import messages
from ecgmon.wire.viewer_client import ViewerClient

BATCH: Final = 200
"""Messages read between two looks at anything else."""
IDLE_S: Final = 0.25
"""Time between two pictures when nothing arrives: the terminal's size or the silence changes."""


class View(Protocol):
    """What is shown, and what it does with what it hears."""

    @property
    def over(self) -> bool:
        """Whether there is nothing more to show."""

    @property
    def frame_s(self) -> float:
        """Least time between two pictures."""

    @property
    def next_ring(self) -> float:
        """Monotonic time at which `ring` wants to be asked next."""

    def listen(self, message: messages.ToViewer, now: float) -> None:
        """Take a message that arrived at monotonic time ``now``."""

    def on_key(self, key: str) -> None:
        """Do what a key says."""

    def ring(self, now: float) -> bool:
        """Tell whether to ring the bell now."""

    def picture(self, now: float) -> Callable[[int, int], Canvas]:
        """Return what draws the picture for a terminal's columns and rows."""


def show(view: View, viewer: ViewerClient, screen: Screen, done: Callable[[], bool]) -> None:
    """Show what a viewer hears until the view is over, the terminal gone or it is all done."""
    poller = zmq.Poller()
    poller.register(viewer.socket, zmq.POLLIN)
    poller.register(screen.keyboard, zmq.POLLIN)
    drawn_at, fresh = 0.0, True
    while not (view.over or screen.gone or done()):
        viewer.keep_alive()
        now = time.monotonic()
        if refused := viewer.turned_away():
            view.listen(refused, now)
        if view.ring(now):
            screen.ring()
        draw_at = drawn_at + (view.frame_s if fresh else IDLE_S)
        if draw_at <= now:
            screen.draw(view.picture(now))
            drawn_at, fresh = time.monotonic(), False
            continue
        wait_s = min(draw_at, view.next_ring) - now
        ready = dict(poller.poll(max(math.ceil(1000 * wait_s), 0)))
        if viewer.socket in ready:
            now = time.monotonic()
            for message in viewer.drain(BATCH):
                view.listen(message, now)
            fresh = True
        if screen.keyboard in ready:
            typed = screen.keys()
            for key in typed:
                view.on_key(key)
                fresh = True
