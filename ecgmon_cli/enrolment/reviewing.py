"""Joins the review in the terminal with what the trainer makes of the answers."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import BundleError
from ecgmon.core.labels import ABNORMAL, NORMAL, UNLABELLED
from trainer.enrolment.beats import Beats
from trainer.enrolment.questions import MOST, Questions
from trainer.enrolment.review.judgements import Judgement, Judgements
from trainer.enrolment.review.session import run
from trainer.networks.windows import BeatNet
from trainer.training.export import restore

if TYPE_CHECKING:
    from trainer.enrolment.signal import EnrolmentSignal

_LABELS: Final = {
    Judgement.NORMAL: NORMAL,
    Judgement.ABNORMAL: ABNORMAL,
    Judgement.UNUSABLE: UNLABELLED,
    Judgement.UNSURE: None,
}


class _Asked:
    """The trainer's questions, with the review's answers."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self.beats = questions.beats

    def next(self, answers: Mapping[int, Judgement]) -> int | None:
        return self._questions.next({beat: _LABELS[said] for beat, said in answers.items()})

    def spread(self, answers: Mapping[int, Judgement]) -> NDArray[np.int8]:
        return self._questions.spread({beat: _LABELS[said] for beat, said in answers.items()})


def reviewed(
    signal: "EnrolmentSignal", generic: Path, kept: Path, title: str
) -> tuple[NDArray[np.int8], int] | None:
    """Let a clinician judge beats of a signal on this terminal.

    Parameters
    ----------
    signal : EnrolmentSignal
        Of the enrolment.
    generic : Path
        Bundle whose network describes the beats.
    kept : Path
        The signal's record, beside which the judgements are kept.
    title : str
        Whose signal it is.

    Returns
    -------
    tuple of ndarray of int8, shape (beats,), and int, or None
        The label of each beat, and how many were judged; None if the review was left.
    """
    network, card = restore(generic)
    if not isinstance(network, BeatNet):
        raise BundleError(f"{generic} holds {card.network}: a review needs a beatnet.")
    beats = Beats(network, signal.record, signal.beats)
    asked = _Asked(Questions(signal.beats, beats.distance, beats.suspicion))
    judgements = Judgements(kept, signal.beats)
    if not run(signal.filtered, asked, judgements, title, MOST):
        return None
    return judgements.labels_with(judgements.spread), len(judgements.answers)
