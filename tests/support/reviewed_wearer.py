"""A wearer whose beats are known, and questions that anybody can foresee."""

import numpy as np

from ecgmon.core import labels
from ecgmon.core.constants import RATE
from trainer.enrolment.review.vocabulary import Judgement

BEATS = np.arange(180, 60 * RATE, 300)
"""72 beats in a minute, 833 ms apart."""


def signal():
    """Return the minute: a spike of 1 mV at each beat."""
    time = np.arange(60 * RATE)[:, None] - BEATS
    return np.exp(-((time / 8.0) ** 2)).sum(axis=1).astype(np.float32)


class Every:
    """Asks about every so many-th beat; each answer holds for those since the one before."""

    def __init__(self, beats=BEATS, step=5):
        self.beats = beats
        self.step = step

    def next(self, answers):
        asked = range(self.step - 1, len(self.beats), self.step)
        return next((beat for beat in asked if beat not in answers), None)

    def spread(self, answers):
        given = np.full(len(self.beats), labels.UNLABELLED, np.int8)
        for beat, judgement in answers.items():
            if judgement in (Judgement.NORMAL, Judgement.ABNORMAL):
                abnormal = judgement == Judgement.ABNORMAL
                around = slice(max(beat - self.step + 1, 0), beat + 1)
                given[around] = labels.ABNORMAL if abnormal else labels.NORMAL
        return given
