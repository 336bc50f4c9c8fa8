"""The confusion matrix of a record, and the figures that EC57 asks for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.metrics.two_classes import Confusion
from trainer.evaluation.ec57.marks import Marks, inside
from trainer.evaluation.ec57.matching import NEVER, match

BEATS: Final = "NSVFQ"
NO_BEAT: Final = "OX"
"""Marks where the other annotator has a beat: none, and none because of a shutdown."""
LABELS: Final = BEATS + NO_BEAT
EXCUSED: Final = MappingProxyType({"V": "FQ", "S": "Q"})
"""Reference beats that may be called so without being counted as false positives (bxb(1))."""


class Pair(NamedTuple):
    """What both annotators say of one beat.

    Parameters
    ----------
    reference, test : str
        Their labels, of `LABELS`.
    sample : int
        The reference beat's, else the tested one's.
    """

    reference: str
    test: str
    sample: int


def pairs(reference: Marks, test: Marks, start: int = 0, stop: int = NEVER - 1) -> list[Pair]:
    """Compare two annotators from sample ``start`` to ``stop``.

    Tested beats in the reference's ventricular flutter that are of no beat are left out.
    """
    true, detected = reference.beats.tolist(), test.beats.tolist()
    missed = np.where(inside(test.shutdown, reference.beats), "X", "O").tolist()
    extra = np.where(inside(reference.shutdown, test.beats), "X", "O").tolist()
    ignored = inside(reference.flutter, test.beats).tolist()
    found = []
    for i, j in match(true, detected, start, stop):
        if i is not None:
            called = missed[i] if j is None else test.classes[j]
            found.append(Pair(reference.classes[i], called, true[i]))
        elif j is not None and not ignored[j]:
            found.append(Pair(extra[j], test.classes[j], detected[j]))
    return found


def _none() -> NDArray[np.int64]:
    return np.zeros((len(LABELS), len(LABELS)), dtype=np.int64)


@dataclass(frozen=True, eq=False, slots=True)
class Counts:
    """Counts of pairs, of one record or of several.

    Parameters
    ----------
    matrix : ndarray of int64, shape (7, 7)
        Pairs by the reference's label (row) and the tested one (column), in the order of `LABELS`.
    shutdown_s : float
        How long the tested annotator called the signal unreadable, learning time included.
    """

    matrix: NDArray[np.int64] = field(default_factory=_none)
    shutdown_s: float = 0.0

    @classmethod
    def of(cls, compared: Iterable[Pair], shutdown_s: float = 0.0) -> Self:
        """Count pairs."""
        matrix = _none()
        for reference, test, _ in compared:
            matrix[LABELS.index(reference), LABELS.index(test)] += 1
        return cls(matrix, shutdown_s)

    @classmethod
    def compare(cls, reference: Marks, test: Marks, start: int, stop: int) -> Self:
        """Compare two annotators from sample ``start`` to ``stop`` and count."""
        shutdown = sum(end - begin for begin, end in test.shutdown)
        return cls.of(pairs(reference, test, start, stop), shutdown / RATE)

    def __add__(self, other: Self) -> Self:
        """Return the counts of both."""
        return type(self)(self.matrix + other.matrix, self.shutdown_s + other.shutdown_s)

    def beats(self, label: str = BEATS) -> int:
        """Return the number of reference beats, all or of one class."""
        return int(self._sum(label, LABELS))

    @property
    def qrs(self) -> Confusion:
        """Beats found, missed and extra, whatever they were called."""
        return Confusion(
            tp=self._sum(BEATS, BEATS),
            fp=self._sum(NO_BEAT, BEATS),
            fn=self._sum(BEATS, NO_BEAT),
        )

    def ectopic(self, label: str) -> Confusion:
        """Return how well ventricular (V) or supraventricular (S) ectopic beats are told.

        As bxb counts: missed is each one of the class that is not called so, extra each other
        beat, and what is none, that is; but not a fusion beat called V, nor an unclassifiable one
        called V or S. True negatives are the tested beats of which neither says so. bxb gives the
        false-positive rate for V alone; that for S is formed alike.
        """
        others = LABELS.replace(label, "")
        tp = self._sum(label, label)
        return Confusion(
            tp=tp,
            fp=sum(self._sum(row, label) for row in others if row not in EXCUSED[label]),
            fn=self.beats(label) - tp,
            tn=self._sum(others, BEATS.replace(label, "")),
        )

    def figures(self) -> dict[str, dict[str, float | None]]:
        """Return sensitivity, +P (ppv), and for V and S false-positive rate and F1."""
        shown = {"QRS": {"sensitivity": self.qrs.sensitivity, "ppv": self.qrs.ppv}}
        for label in EXCUSED:
            ratios = self.ectopic(label)
            negatives = ratios.fp + ratios.tn
            shown[label] = {
                "sensitivity": ratios.sensitivity,
                "ppv": ratios.ppv,
                "false_positive_rate": ratios.fp / negatives if negatives else None,
                # Without a beat of the class it would say 0 of a single false alarm.
                "f1": ratios.f1 if self.beats(label) else None,
            }
        return shown

    def everything(self) -> dict[str, Any]:
        """Return all that a result file says of them."""
        named = {
            row: dict(zip(LABELS.lower(), map(int, cells), strict=True))
            for row, cells in zip(LABELS, self.matrix, strict=True)
        }
        beats = {"all": self.beats()} | {label: self.beats(label) for label in BEATS}
        return {"beats": beats} | self.figures() | {"shutdown_s": self.shutdown_s, "matrix": named}

    def _sum(self, rows: str, columns: str) -> int:
        which = np.ix_([LABELS.index(row) for row in rows], [LABELS.index(c) for c in columns])
        return int(self.matrix[which].sum())


def average(records: Mapping[str, Counts]) -> dict[str, dict[str, float | None]]:
    """Return each figure's mean over the records that have it, and how many these are."""
    each = [counts.figures() for counts in records.values()]
    means: dict[str, dict[str, float | None]] = {}
    for label, names in Counts().figures().items():
        means[label] = {}
        for name in names:
            known = [value for one in each if (value := one[label][name]) is not None]
            means[label][name] = float(np.mean(known)) if known else None
            means[label][f"{name}_records"] = len(known)
    return means
