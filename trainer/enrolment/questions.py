"""Choice of the beats to ask a clinician about, and propagation of the answers to the others.

The abnormality of beats is modelled as a Gaussian process over them (Rasmussen & Williams 2006):
similar beats probably have the same label. With several classes there is a process for each. The
prior mean comes from the generic model. An answer is a noisy observation, because a clinician may
err, so a large cluster is asked about more than once. The next question is about the beat whose
answer reduces the doubt about all beats most: first the middle of each cluster, then beats between
clusters or beats that contradict the model.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from ecgmon.core.labels import ABNORMAL, NORMAL, UNLABELLED

# Chosen on splits.CHOOSING with truthful answers and with one in ten wrong.
LENGTH: Final = 2.0
"""The covariance of two beats falls to 1/e over this distance."""
NOISE: Final = 0.3
"""Variance of an answer."""
OPINION: Final = 0.5
"""Weight of the generic model's opinion; an answer has weight 1."""
MOST: Final = 20
"""A review has at most this many questions."""
DOUBT: Final = 0.3
"""A beat gets a label if the label is wrong with a probability of at most this."""
DECIDED_BY: Final = {
    "length": LENGTH,
    "noise": NOISE,
    "opinion": OPINION,
    "most": MOST,
    "doubt": DOUBT,
}
"""Settings that decide which beats are asked about."""


class Questions:
    """Questions about a wearer's beats; stateless, everything follows from the answers so far.

    Parameters
    ----------
    beats : ndarray of int64, shape (n,)
        Sample index of each beat.
    distance : ndarray of float64, shape (n, n)
        Distance between beats (`trainer.enrolment.beats`).
    suspicion : ndarray of float64, shape (n,)
        The generic model's probability that a beat is abnormal.
    """

    def __init__(
        self,
        beats: NDArray[np.int64],
        distance: NDArray[np.float64],
        suspicion: NDArray[np.float64],
    ) -> None:
        self.beats = beats
        self._distance = distance
        self._covariance = np.exp(-distance / LENGTH)
        self._opinion = OPINION * self._prior(suspicion)

    def next(self, answers: Mapping[int, int | None]) -> int | None:
        """Return the index of the beat to ask about.

        Parameters
        ----------
        answers : mapping of int to label or None
            Answers by index of the beat: a label, `UNLABELLED` for a beat that cannot be used, or
            None if the clinician is not sure.

        Returns
        -------
        int or None
            None if every beat has been asked about.
        """
        if len(answers) == len(self.beats):
            return None
        mean, covariance = self._posterior(answers)
        variance = _diagonal(covariance)
        doubt = _doubt(self._called(mean)[1], variance)
        gain: NDArray[np.float64] = doubt @ (covariance**2 / (variance + NOISE))
        gain[list(answers)] = -1
        return int(np.argmax(gain))

    def spread(self, answers: Mapping[int, int | None]) -> NDArray[np.int8]:
        """Return the label of every beat, int8 of shape (n,).

        A beat is `UNLABELLED` if there is too much doubt, or if the most similar beat among those
        asked about cannot be used.
        """
        mean, covariance = self._posterior(answers)
        labels, margin = self._called(mean)
        labels[_doubt(margin, _diagonal(covariance)) > DOUBT] = UNLABELLED
        sure = {i: label for i, label in answers.items() if label is not None}
        if sure:
            alike = np.array(list(sure))[np.argmin(self._distance[:, list(sure)], axis=1)]
            unusable = [i for i, label in sure.items() if label == UNLABELLED]
            labels[np.isin(alike, unusable)] = UNLABELLED
        for beat, answer in answers.items():
            labels[beat] = UNLABELLED if answer is None else answer
        return labels

    def _posterior(
        self, answers: Mapping[int, int | None]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the mean of every beat for each process, shape (n, p), and the covariance."""
        known = {i: label for i, label in answers.items() if label not in (UNLABELLED, None)}
        if not known:
            return self._opinion, self._covariance
        asked = list(known)
        given = self._given(np.array(list(known.values())))
        among = self._covariance[np.ix_(asked, asked)] + NOISE * np.eye(len(asked))
        weights = np.linalg.solve(among, self._covariance[asked])
        mean = [
            opinion + (said - opinion[asked]) @ weights
            for opinion, said in zip(self._opinion.T, given.T, strict=True)
        ]
        return np.stack(mean, axis=1), self._covariance - self._covariance[:, asked] @ weights

    def _prior(self, suspicion: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the generic model's opinion, shape (n, p); here from -1 to 1, p = 1."""
        return (2 * suspicion - 1)[:, None]

    def _given(self, labels: NDArray[np.int_]) -> NDArray[np.float64]:
        """Return what answers say of each process, shape (answers, p)."""
        return np.where(labels == ABNORMAL, 1.0, -1.0)[:, None]

    def _called(self, mean: NDArray[np.float64]) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
        """Return every beat's more likely label, and how far its mean is from another one's."""
        margin = mean[:, 0]
        return np.where(margin > 0, ABNORMAL, NORMAL).astype(np.int8), margin


class ClassQuestions(Questions):
    """Questions about the classes of a wearer's beats; of two classes, it asks as `Questions` does.

    Parameters
    ----------
    beats, distance
        As `Questions` takes them.
    suspicion : ndarray of float64, shape (n, classes)
        The generic model's probability of each class.
    """

    def _prior(self, suspicion: NDArray[np.float64]) -> NDArray[np.float64]:
        return suspicion

    def _given(self, labels: NDArray[np.int_]) -> NDArray[np.float64]:
        said: NDArray[np.float64] = np.eye(self._opinion.shape[1])[labels]
        return said

    def _called(self, mean: NDArray[np.float64]) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
        second, first = np.sort(mean, axis=1)[:, -2:].T
        return mean.argmax(axis=1).astype(np.int8), first - second


def _diagonal(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(np.diag(covariance), 1e-9)


def _doubt(mean: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability that the sign of the mean is wrong."""
    doubt: NDArray[np.float64] = norm.cdf(-np.abs(mean) / np.sqrt(variance))
    return doubt
