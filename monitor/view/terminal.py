"""The live view: messages in, pictures and acknowledgements out."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import zmq

from ecgmon.terminal.canvas import Canvas
from ecgmon.terminal.screen import Screen, full_screen
from ecgmon.wire import messages
from monitor.view.feed import BATCH, Feed
from monitor.view.render import Caption, render
from monitor.view.state import ViewState

FRAME_S: Final = 1 / 12
IDLE_S: Final = 0.25
"""Time between two pictures when nothing arrives: the terminal's size or the silence changes."""


def run_view(
    socket: zmq.Socket[bytes],
    *,
    wearer: str | None,
    title: str,
    acknowledge: Callable[[messages.Alert], None],
    done: Callable[[], bool],
    notice: str | None = None,
    score: Callable[[], str | None] = lambda: None,
) -> bool:
    """Draw one wearer's stream on the terminal until it is done or the user quits.

    Signals do what `full_screen` says.

    Parameters
    ----------
    socket : zmq.Socket
        From `subscribe`.
    wearer : str or None
        Whom to show; without it, the first wearer heard of.
    title : str
        What is shown, for example the record.
    acknowledge : callable
        Called with each alert that is raised when the user presses ``a``.
    done : callable
        Says whether to stop; called many times a second.
    notice : str, optional
        What must not be overlooked.
    score : callable, optional
        Returns a line on how well the model does so far; called for each picture.

    Returns
    -------
    bool
        Whether the user quit, by a key or by a signal that the program outlived.
    """
    view = _View(socket, wearer, Caption(title, notice), score, acknowledge)
    ended = full_screen(
        lambda screen, signals: view.show(screen, lambda: done() or signals.caught is not None)
    )
    return view.quit or not ended


class _View:
    def __init__(
        self,
        socket: zmq.Socket[bytes],
        wearer: str | None,
        caption: Caption,
        score: Callable[[], str | None],
        acknowledge: Callable[[messages.Alert], None],
    ) -> None:
        self.quit = False
        self._feed = Feed(socket, wearer)
        self._state = ViewState(wearer, time.monotonic())
        self._caption = caption
        self._score = score
        self._acknowledge = acknowledge

    def show(self, screen: Screen, done: Callable[[], bool]) -> None:
        poller = zmq.Poller()
        poller.register(self._feed.socket, zmq.POLLIN)
        poller.register(screen.keyboard, zmq.POLLIN)
        drawn_at, fresh = 0.0, True
        while not (self.quit or screen.gone or done()):
            wait_s = drawn_at + (FRAME_S if fresh else IDLE_S) - time.monotonic()
            if wait_s <= 0:
                screen.draw(self._picture())
                drawn_at, fresh = time.monotonic(), False
                continue
            ready = dict(poller.poll(math.ceil(1000 * wait_s)))
            if self._feed.socket in ready:
                self._listen()
                fresh = True
            if screen.keyboard in ready:
                self._obey(screen.keys())

    def _picture(self) -> Callable[[int, int], Canvas]:
        caption = replace(
            self._caption,
            score=self._score(),
            unreadable=self._feed.unreadable,
            now=time.monotonic(),
        )
        return lambda width, height: render(self._state, caption, width, height)

    def _listen(self) -> None:
        now = time.monotonic()
        for message in self._feed.drain(BATCH):
            self._state.apply(message, now)

    def _obey(self, keys: str) -> None:
        self.quit = self.quit or "q" in keys
        if "a" in keys:
            for alert in self._state.alerts:
                if alert.message.state == "raised":
                    self._acknowledge(alert.message)
