"""The labels of an enrolment's beats by a clinician, who judges some of them in the terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import BundleError
from ecgmon.core.labels import ABNORMAL, NORMAL, UNLABELLED
from trainer.enrolment.beats import WearerBeats
from trainer.enrolment.questions import MOST, Questions
from trainer.enrolment.review.judgements import Judgement, Judgements
from trainer.enrolment.review.terminal_review import run
from trainer.enrolment.signal import EnrolmentSignal
from trainer.networks.window_networks import BeatNet
from trainer.training.onnx_export import restore

_LABELS: Final = {
    Judgement.NORMAL: NORMAL,
    Judgement.ABNORMAL: ABNORMAL,
    Judgement.UNUSABLE: UNLABELLED,
    Judgement.UNSURE: None,
}


class _QuestionsOfReview:
    """Questions that take a review's judgements for labels; see `QuestionSource`."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self.beats = questions.beats

    def next(self, answers: Mapping[int, Judgement]) -> int | None:
        return self._questions.next(_as_labels(answers))

    def spread(self, answers: Mapping[int, Judgement]) -> NDArray[np.int8]:
        return self._questions.spread(_as_labels(answers))


def _as_labels(answers: Mapping[int, Judgement]) -> dict[int, int | None]:
    return {beat: _LABELS[judgement] for beat, judgement in answers.items()}


def review_beats(
    signal: EnrolmentSignal, generic: Path, record_path: Path, title: str
) -> tuple[NDArray[np.int8], int] | None:
    """Let a clinician judge beats of a signal on this terminal.

    Parameters
    ----------
    signal : EnrolmentSignal
        Of the enrolment.
    generic : Path
        Bundle whose network describes the beats.
    record_path : Path
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
    beats = WearerBeats(network, signal.record, signal.beats)
    asked = _QuestionsOfReview(Questions(signal.beats, beats.distance, beats.suspicion))
    judgements = Judgements(record_path, signal.beats)
    if not run(signal.filtered, asked, judgements, title, MOST):
        return None
    return judgements.labels_with(judgements.spread), len(judgements.answers)
