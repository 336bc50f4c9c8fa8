"""What a clinician may say of a beat, by which key, and how the answer is kept.

A model of windows asks whether a beat is normal; a model of beats asks for its class. The reviews
of the two are files of other names, so that none is taken for the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ecgmon.core.labels import ABNORMAL, NORMAL, UNLABELLED
from ecgmon.models.card import Input
from ecgmon.terminal.canvas import Look
from trainer.data.beats.kachuee import CLASSES


class Judgement(StrEnum):
    """A clinician's answer about a beat."""

    NORMAL = "normal"
    ABNORMAL = "abnormal"
    VENTRICULAR = "ventricular"
    SUPRAVENTRICULAR = "supraventricular"
    UNUSABLE = "unusable"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Answer:
    """How a judgement is given, kept and shown.

    Parameters
    ----------
    judgement : Judgement
        What is said.
    key : str
        Key of the keyboard.
    label : int or None
        Label of the beat; `UNLABELLED` for a beat that cannot be used, None if the clinician is
        not sure.
    code, subtype : int
        Of the WFDB annotation.
    mark : str
        Letter under the beat.
    look : Look
        Of the beat's trace.
    """

    judgement: Judgement
    key: str
    label: int | None
    code: int
    subtype: int
    mark: str
    look: Look

    @property
    def spreads(self) -> int | None:
        """The label that beats like this one may get; None if the answer says nothing of them."""
        return None if self.label == UNLABELLED else self.label

    @property
    def mark_look(self) -> Look:
        """How the letter looks."""
        return Look.ABNORMAL_MARK if self.look is Look.ABNORMAL else self.look


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The answers of one kind of review.

    Parameters
    ----------
    annotator : str
        Suffix of the files of such a review.
    answers : tuple of Answer
        In the order in which they are offered.
    """

    annotator: str
    answers: tuple[Answer, ...]

    @property
    def of(self) -> Mapping[Judgement, Answer]:
        """The answers by what they say."""
        return MappingProxyType({answer.judgement: answer for answer in self.answers})

    @property
    def labels(self) -> Mapping[int, Answer]:
        """The answers that name what a beat is, by the label."""
        each = ((answer.spreads, answer) for answer in self.answers)
        return MappingProxyType({label: answer for label, answer in each if label is not None})

    def of_key(self, key: str) -> Judgement | None:
        """Return what a key says."""
        return next((answer.judgement for answer in self.answers if answer.key == key), None)


_NORMAL: Final = Answer(Judgement.NORMAL, "n", NORMAL, 1, 0, "N", Look.NORMAL)
# "~" of subtype 0 would say that the signal is clean again.
_UNUSABLE: Final = Answer(Judgement.UNUSABLE, "u", UNLABELLED, 14, -1, "U", Look.UNUSABLE)


def _unsure(key: str, mark: str) -> Answer:
    return Answer(Judgement.UNSURE, key, None, 22, 0, mark, Look.UNUSABLE)


def _of_class(judgement: Judgement, name: str, code: int) -> Answer:
    label = CLASSES.index(name)
    return Answer(judgement, name.lower(), label, code, 0, name, Look.ABNORMAL)


VOCABULARIES: Final[Mapping[Input, Vocabulary]] = MappingProxyType(
    {
        "window": Vocabulary(
            "review",
            (
                _NORMAL,
                Answer(Judgement.ABNORMAL, "a", ABNORMAL, 13, 0, "A", Look.ABNORMAL),
                _UNUSABLE,
                _unsure("s", "S"),
            ),
        ),
        "beat": Vocabulary(
            "classes",
            (
                _NORMAL,
                _of_class(Judgement.VENTRICULAR, "V", 5),
                _of_class(Judgement.SUPRAVENTRICULAR, "S", 9),
                _UNUSABLE,
                _unsure("?", "?"),
            ),
        ),
    }
)
"""The answers, by what the model judges that is being made."""
