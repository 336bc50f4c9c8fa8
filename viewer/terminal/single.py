"""The view of one wearer, as ``ecgmon replay`` shows it."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ecgmon.terminal.canvas import Canvas
from ecgmon.terminal.screen import full_screen
from ecgmon.wire import messages
from ecgmon.wire.viewer_client import ViewerClient
from viewer.model.wearer import ViewState
from viewer.terminal.banner import below
from viewer.terminal.loop import show
from viewer.terminal.render import Caption, render

FRAME_S: Final = 1 / 12


def run_view(
    viewer: ViewerClient,
    *,
    wearer: str,
    title: str,
    acknowledge: Callable[[messages.Alarm], None],
    done: Callable[[], bool],
    notice: str | None = None,
    score: Callable[[], str | None] = lambda: None,
) -> bool:
    """Draw one wearer's stream on the terminal until it is done or the user quits.

    Signals do what `full_screen` says.

    Parameters
    ----------
    viewer : ViewerClient
        Subscribed to all of the wearer.
    wearer : str
        Whom to show.
    title : str
        What is shown, for example the record.
    acknowledge : callable
        Called with each alarm that nobody has acknowledged when the user presses ``a``.
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
    view = _View(viewer, wearer, Caption(title, notice), score, acknowledge)
    ended = full_screen(
        lambda screen, signals: show(
            view, viewer, screen, lambda: done() or signals.caught is not None
        )
    )
    return view.over or not ended


class _View:
    frame_s = FRAME_S
    next_ring = math.inf

    def __init__(
        self,
        viewer: ViewerClient,
        wearer: str,
        caption: Caption,
        score: Callable[[], str | None],
        acknowledge: Callable[[messages.Alarm], None],
    ) -> None:
        self.over = False
        self._viewer = viewer
        self._state = ViewState(wearer, time.monotonic())
        self._caption = caption
        self._score = score
        self._acknowledge = acknowledge

    def listen(self, message: messages.ToViewer, now: float) -> None:
        self._state.apply(message, now)
        if isinstance(message, messages.Dropped):  # perhaps the end of an alarm is missing
            self._state.alarm_list.begin_again()
            self._viewer.ask_again()
        elif isinstance(message, messages.Subscribed) and not message.repeated:
            self._state.alarm_list.end_again()

    def on_key(self, key: str) -> None:
        if key == "q":
            self.over = True
        elif key == "a":
            for alarm in self._state.alarm_list.waiting:
                self._acknowledge(alarm.message)

    def ring(self, now: float) -> bool:
        return False

    def picture(self, now: float) -> Callable[[int, int], Canvas]:
        caption = replace(
            self._caption,
            score=self._score(),
            unreadable=self._viewer.unreadable,
            now=now,
            time=time.time(),
        )
        return below(
            lambda width, height: render(self._state, caption, width, height),
            [self._state.alarm_list],
            caption.time,
        )
