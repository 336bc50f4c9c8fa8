"""The labels of an enrolment's beats by a clinician, who judges some of them in the terminal."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import BundleError, RecordError
from ecgmon.core.labels import UNLABELLED
from ecgmon.models.card import Input
from trainer.enrolment.beats import WearerBeats
from trainer.enrolment.labelled import matched
from trainer.enrolment.questions import MOST, Questions
from trainer.enrolment.review.judgements import Judgements
from trainer.enrolment.review.terminal_review import run
from trainer.enrolment.review.vocabulary import VOCABULARIES, Judgement, Vocabulary
from trainer.enrolment.signal import EnrolmentSignal
from trainer.networks.window_networks import BeatNet
from trainer.training.onnx_export import restore


class _QuestionsOfReview:
    """Questions that take a review's judgements for labels; see `QuestionSource`."""

    def __init__(self, questions: Questions, vocabulary: Vocabulary) -> None:
        self._questions = questions
        self._vocabulary = vocabulary.of
        self.beats = questions.beats

    def next(self, answers: Mapping[int, Judgement]) -> int | None:
        return self._questions.next(self._as_labels(answers))

    def spread(self, answers: Mapping[int, Judgement]) -> NDArray[np.int8]:
        return self._questions.spread(self._as_labels(answers))

    def _as_labels(self, answers: Mapping[int, Judgement]) -> dict[int, int | None]:
        return {beat: self._vocabulary[judgement].label for beat, judgement in answers.items()}


def judge_beats(
    questions: Questions,
    filtered: NDArray[np.float32],
    kind: Input,
    record_path: Path,
    title: str,
) -> tuple[NDArray[np.int8], int] | None:
    """Let a clinician judge beats of a signal on this terminal.

    Parameters
    ----------
    questions : Questions
        What to ask.
    filtered : ndarray of float32, shape (n,)
        The band-passed signal in mV.
    kind : Input
        What the model judges that is being made: it decides what may be answered.
    record_path : Path
        The signal's record, beside which the judgements are kept.
    title : str
        Whose signal it is.

    Returns
    -------
    tuple of ndarray of int8, shape (beats,), and int, or None
        The label of each beat, and how many were judged; None if the review was left.
    """
    vocabulary = VOCABULARIES[kind]
    judgements = Judgements(record_path, questions.beats, vocabulary)
    if not run(filtered, _QuestionsOfReview(questions, vocabulary), judgements, title, MOST):
        return None
    return judgements.labels_with(judgements.spread), len(judgements.answers)


def kept_labels(signal: EnrolmentSignal, record_path: Path) -> tuple[NDArray[np.int8], int]:
    """Return what a review that was accepted says of a signal's beats, without asking anything.

    The review may be of an earlier version, which found beats at other samples: a beat gets the
    label of the nearest judged one (`trainer.enrolment.labelled.matched`).

    Returns
    -------
    tuple of ndarray of int8, shape (beats,), and int
        The label of each beat, and how many were judged.

    Raises
    ------
    RecordError
        If there is no such review.
    """
    kept = Judgements(record_path, None, VOCABULARIES["window"])
    if (kept.spread == UNLABELLED).all():
        raise RecordError(
            f"{kept.path} holds no labels that were accepted: judge the beats anew with --record, "
            "--captured or --live."
        )
    return matched(signal.beats, kept.beats, kept.labels_with(kept.spread)), len(kept.answers)


def review_beats(
    signal: EnrolmentSignal, generic: Path, record_path: Path, title: str
) -> tuple[NDArray[np.int8], int] | None:
    """Let a clinician judge beats as normal or abnormal; see `judge_beats`.

    Parameters
    ----------
    signal : EnrolmentSignal
        Of the enrolment.
    generic : Path
        Bundle whose network describes the beats.
    record_path, title
        As `judge_beats` takes them.
    """
    network, card = restore(generic)
    if not isinstance(network, BeatNet):
        raise BundleError(f"{generic} holds {card.network}: a review needs a beatnet.")
    beats = WearerBeats(network, signal.record, signal.beats)
    questions = Questions(signal.beats, beats.distance, beats.suspicion)
    return judge_beats(questions, signal.filtered, "window", record_path, title)
