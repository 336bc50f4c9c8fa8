"""A review on a real terminal."""

import select
import time
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import UsageError
from ecgmon.terminal.screen import Screen, Signals, full_screen, usable
from trainer.enrolment.review.judgements import Judgements
from trainer.enrolment.review.lead import Lead
from trainer.enrolment.review.questions import QuestionSource
from trainer.enrolment.review.review_flow import Course

IDLE_S: Final = 0.25
"""Time between two looks at the terminal's size."""
SETTLE_S: Final = 0.2
"""The keyboard must have been silent so long after an answer before a key counts again: a key
held down, or struck twice, must not judge a beat that nobody has looked at yet."""


def run(
    signal: NDArray[np.float32],
    questions: QuestionSource,
    judgements: Judgements,
    title: str,
    most: int,
) -> bool:
    """Let a clinician judge beats on this terminal.

    Signals do what `full_screen` says; every answer given is on disk by then.

    Parameters
    ----------
    signal : ndarray of float32, shape (n,)
        The filtered signal in mV at `ecgmon.core.constants.RATE`, NaN where nothing was measured.
    questions : QuestionSource
        What to ask about it.
    judgements : Judgements
        Where the answers go, made for the same beats; a review that was left goes on from them.
    title : str
        Whose signal it is.
    most : int
        Most questions asked.

    Returns
    -------
    bool
        Whether the labels were accepted; they are then saved.

    Raises
    ------
    UsageError
        Where there is no terminal.
    RecordError
        Where answers cannot be saved.
    """
    if not usable():
        raise UsageError(
            "A review needs a terminal to draw on and to type in: start it in one, without "
            "redirecting its output."
        )
    judgements.require_writable()
    course = Course(Lead(signal, questions.beats), questions, judgements, title, most)
    full_screen(lambda screen, signals: _show(course, screen, signals))
    return course.accepted


def _show(course: Course, screen: Screen, signals: Signals) -> None:
    drawn, typed_at = (0, 0), 0.0
    while not (course.over or screen.gone or signals.caught is not None):
        if screen.size() != drawn:
            drawn = screen.size()
            screen.draw(course.picture)
        if not select.select([screen.keyboard], [], [], IDLE_S)[0]:
            continue
        # What comes with the first key or after it was typed without having seen what that did.
        key = screen.keys()[:1]
        now = time.monotonic()
        if now - typed_at < SETTLE_S:
            typed_at = now
        elif key:
            if course.on_key(key, *drawn):
                typed_at = time.monotonic()
            drawn = (0, 0)
