"""The interface that a review has to the choice of questions."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.enrolment.review.vocabulary import Judgement


class QuestionSource(Protocol):
    """Chooses the beats to ask about and spreads the answers over the others.

    Both methods depend on the answers alone, which come in the order in which they were first
    given: an interrupted review then goes on with the question at which it stopped.
    """

    @property
    def beats(self) -> NDArray[np.int64]:
        """Sample index of each beat of the signal, strictly ascending, shape (n,)."""

    def next(self, answers: Mapping[int, Judgement]) -> int | None:
        """Return which beat to ask about, as an index into `beats`; None when all is asked.

        It is one without an answer.
        """

    def spread(self, answers: Mapping[int, Judgement]) -> NDArray[np.int8]:
        """Return the label of each beat: those of the vocabulary, or `UNLABELLED`, shape (n,).

        Where a beat is judged, the judgement holds, whatever is returned for it.
        """
