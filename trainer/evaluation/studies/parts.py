"""Division of examples into training, model selection and test under each protocol."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from trainer.data.examples import Examples
from trainer.data.labelled_windows import CLASSES as WINDOW_CLASSES
from trainer.data.labelled_windows import study_parts
from trainer.data.protocol_splits import (
    DS1,
    DS1_MODEL_SELECTION,
    DS2,
    TEST,
    TRAIN,
    VALIDATION,
    refuse_two_sides,
    stratified_split,
)
from trainer.data.splits import ENROLMENT_S
from trainer.evaluation.transfer.folds import FOLDS as PTB_FOLDS
from trainer.evaluation.transfer.folds import patient_folds

Mask = NDArray[np.bool_]
_CHOOSING_SHARE: Final = 0.1
"""Of a random split's training examples: those that choose the epoch."""


class Split(StrEnum):
    """Protocols, by what separates training from test."""

    RANDOM = "random"
    INTER_PATIENT = "inter-patient"
    PATIENT_SPECIFIC = "patient-specific"
    PTB = "ptb"
    PTB_RANDOM = "ptb-random"


@dataclass(frozen=True, eq=False, slots=True)
class Parts:
    """What each example is for; masks of shape (n,).

    Parameters
    ----------
    training, validation, test : ndarray of bool
        To fit to, to choose on, and to be scored.
    own : mapping of str to (ndarray of bool, ndarray of bool)
        For each wearer whose own network is wanted: examples to fit and to choose it with.
    """

    training: Mask
    validation: Mask
    test: Mask
    own: Mapping[str, tuple[Mask, Mask]] = field(default_factory=dict)


def parts(examples: Examples, split: Split, seed: int) -> list[Parts]:
    """Return the parts of a protocol, more than one where there are folds.

    *random* deals examples out whoever they are of: beats 80/20 by class as the publications do,
    and a tenth of what is left chooses; windows by wearer and class as study 1 does, and each
    wearer gets a network too. *inter-patient* is DS1 -> DS2. *patient-specific* fits the networks
    of DS1 to the first five minutes of each wearer of DS2, and scores the rest. *ptb* has folds of
    patients; the next fold chooses. *ptb-random* deals its beats out as *random* does.
    """
    match split:
        case Split.RANDOM if examples.classes == WINDOW_CLASSES:
            return [_by_window(examples, seed)]
        case Split.RANDOM | Split.PTB_RANDOM:
            return [_by_beat(examples, seed)]
        case Split.PTB:
            fold = patient_folds(examples, PTB_FOLDS, seed)
            chooses = (fold + 1) % PTB_FOLDS
            return [
                Parts((fold != n) & (chooses != n), chooses == n, fold == n)
                for n in range(PTB_FOLDS)
            ]
        case Split.INTER_PATIENT:
            training = [name for name in DS1 if name not in DS1_MODEL_SELECTION]
            return [by_wearer(examples, training, DS1_MODEL_SELECTION, DS2)]
        case Split.PATIENT_SPECIFIC:
            (strangers,) = parts(examples, Split.INTER_PATIENT, seed)
            first = examples.samples < ENROLMENT_S * RATE
            own = {}
            for name in DS2:
                enrolment = first & (examples.wearers == name)
                if enrolment.any():
                    own[name] = enrolment, np.zeros_like(enrolment)
            test = strangers.test & ~first
            return [Parts(strangers.training, strangers.validation, test, own)]


def by_wearer(
    examples: Examples, training: Iterable[str], validation: Iterable[str], test: Iterable[str]
) -> Parts:
    """Return parts that separate wearers; raises `UsageError` where one is on two sides.

    De Chazal's split has 201 and 202, one person, on two sides; it is kept as the field uses it.
    """
    sides = [sorted(names) for names in (training, validation, test)]
    refuse_two_sides(*sides)
    fitted, choosing, scored = (np.isin(examples.wearers, side) for side in sides)
    return Parts(fitted, choosing, scored)


def _by_beat(examples: Examples, seed: int) -> Parts:
    part = stratified_split(examples.labels, seed, _CHOOSING_SHARE)
    return Parts(part == TRAIN, part == VALIDATION, part == TEST)


def _by_window(examples: Examples, seed: int) -> Parts:
    training, validation, test = (np.zeros(len(examples), dtype=bool) for _ in range(3))
    for mask, which in zip((training, validation, test), study_parts(examples, seed), strict=True):
        mask[which] = True
    wearers = {str(name): examples.wearers == name for name in np.unique(examples.wearers)}
    own = {name: (training & of, validation & of) for name, of in wearers.items()}
    return Parts(training, validation, test, own)
