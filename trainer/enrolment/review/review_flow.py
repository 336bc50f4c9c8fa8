"""The course of a review: which picture is shown, and what each key does there."""

import numpy as np

from ecgmon.core import labels
from ecgmon.terminal.canvas import Canvas
from ecgmon.terminal.screen import ESCAPE
from trainer.enrolment.review.ecg import shown
from trainer.enrolment.review.judgements import Judgements
from trainer.enrolment.review.lead import Lead
from trainer.enrolment.review.picture import MIN_WIDTH, Scene, fits, picture
from trainer.enrolment.review.questions import QuestionSource
from trainer.enrolment.review.vocabulary import Judgement


class Course:
    """Questions one by one, then the summary, from which the labels can be looked through.

    Parameters
    ----------
    lead : Lead
        The signal.
    questions : QuestionSource
        What to ask, about the same beats.
    judgements : Judgements
        Where the answers go; those already there count.
    title : str
        Whose signal it is.
    most : int
        Most questions asked.

    Attributes
    ----------
    over : bool
        Whether the review has ended.
    accepted : bool
        Whether it ended by accepting.
    """

    def __init__(
        self, lead: Lead, questions: QuestionSource, judgements: Judgements, title: str, most: int
    ) -> None:
        self.over = False
        self.accepted = False
        self._lead = lead
        self._questions = questions
        self._judgements = judgements
        self._title = title
        self._most = most
        self._beat: int | None = None
        self._looking = False
        self._page = shown(MIN_WIDTH)
        self._go_on()

    def picture(self, width: int, height: int) -> Canvas:
        """Return the picture that belongs here, of exactly this size."""
        self._page = shown(max(width, MIN_WIDTH))
        answers = self._judgements.answers
        spread = self._looking or self._beat is None
        scene = Scene(
            lead=self._lead,
            vocabulary=self._judgements.vocabulary,
            title=self._title,
            heading=self._heading(),
            answers=answers,
            beat=self._beat,
            given=self._judgements.labels_with(self._spread) if spread else None,
        )
        return picture(scene, width, height)

    def on_key(self, key: str, width: int, height: int) -> bool:
        """Do what a key does on a terminal of this size; tell whether it was an answer.

        An answer is on disk when this returns. Nothing is judged that cannot be seen.
        """
        if key == "q":
            self.over = True
        elif fits(width, height):
            judgement = self._judgements.vocabulary.of_key(key)
            if self._beat is not None and judgement:
                self._answer(self._beat, judgement)
                return True
            if key == "b" or (key == ESCAPE and self._looking):
                self._back()
            elif self._looking and self._beat is not None:
                self._beat = self._move(key, self._beat)
            elif self._beat is None:
                self._conclude(key)
        return False

    def _heading(self) -> str:
        answers = self._judgements.answers
        if self._beat is None:
            return "summary"
        if self._looking:
            return f"beat {self._beat + 1:,} of {len(self._lead.beats):,}"
        if self._beat in answers:
            return f"answer {list(answers).index(self._beat) + 1} of {len(answers)}"
        return f"question {len(answers) + 1} of at most {self._most}"

    def _answer(self, beat: int, judgement: Judgement) -> None:
        self._judgements.give(beat, judgement)
        if self._looking:
            self._spread = self._questions.spread(self._judgements.answers)
        else:
            self._go_on()

    def _go_on(self) -> None:
        """Go to the next question; to the summary when there is none."""
        answers = self._judgements.answers
        self._looking = False
        self._beat = self._questions.next(answers) if len(answers) < self._most else None
        if self._beat is None:
            self._spread = self._questions.spread(answers)

    def _back(self) -> None:
        """Go to the answer before, or from looking through to the summary."""
        if self._looking:
            self._looking, self._beat = False, None
            return
        given = list(self._judgements.answers)
        at = given.index(self._beat) if self._beat in given else len(given)
        if at > 0:
            self._beat = given[at - 1]

    def _conclude(self, key: str) -> None:
        if key in "\r\n":
            self._judgements.accept(self._spread)
            self.over = self.accepted = True
        elif key in "→↓" and len(self._lead.beats):
            self._looking, self._beat = True, 0

    def _move(self, key: str, beat: int) -> int:
        """Return the beat that a key leads to from one."""
        beats, last = self._lead.beats, len(self._lead.beats) - 1
        if key == "→":
            return min(beat + 1, last)
        if key == "←":
            return max(beat - 1, 0)
        if key == "↓":  # the last one a page on, so that none is left out between two pages
            on = int(np.searchsorted(beats, beats[beat] + self._page, "right")) - 1
            return min(max(on, beat + 1), last)
        if key == "↑":
            return max(min(int(np.searchsorted(beats, beats[beat] - self._page)), beat - 1), 0)
        if key == "x":
            given = self._judgements.labels_with(self._spread)
            usual = (labels.NORMAL, labels.UNLABELLED)
            return next((b for b in range(beat + 1, last + 1) if given[b] not in usual), beat)
        return beat
