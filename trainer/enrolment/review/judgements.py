"""Judgements of beats, kept beside the signal as WFDB annotations that any viewer opens.

The judgements of record ``203`` are in ``203.review``, or where beats are judged by class in
``203.classes``, each at its beat's sample.

    judgement         symbol                  note
    normal            N                       normal (1)
    abnormal          Q  beat not classified  abnormal (2)
    ventricular       V                       ventricular (2)
    supraventricular  S                       supraventricular (2)
    unusable          ~  signal unreadable    unusable (3)
    unsure            "  comment              unsure (4)

The number in the note says as which one the answer was given. A label that was spread from the
answers once they were accepted is a bare symbol: what nobody was asked has no note.
"""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core import labels
from ecgmon.core.atomic import atomic_write
from ecgmon.core.errors import RecordError
from ecgmon.records.formats.wfdb.annotations import Annotation, decode, encode
from trainer.enrolment.review.vocabulary import Answer, Judgement, Vocabulary

MAX_BYTES: Final = 16_777_216
"""Largest file read: some days of beats."""


_NOTE: Final = re.compile(rf"({'|'.join(Judgement)}) \(([1-9]\d{{0,8}})\)")


class Judgements:
    """The answers for one recorded signal, each on disk before it counts as given.

    Parameters
    ----------
    record : Path
        The record's files without their suffixes; only the folder must be there.
    beats : ndarray of int64, shape (n,), or None
        Sample index of each of its beats, strictly ascending; if not given, those of the file.
    vocabulary : Vocabulary
        What may be answered.

    Attributes
    ----------
    path : Path
        The file; there is none before the first answer.
    beats : ndarray of int64, shape (n,)
        Sample index of each beat.

    Raises
    ------
    RecordError
        If there is a file that holds anything but answers about these beats. It stays as it is.
    """

    def __init__(
        self, record: Path, beats: NDArray[np.int64] | None, vocabulary: Vocabulary
    ) -> None:
        self.path = record.with_name(f"{record.name}.{vocabulary.annotator}")
        self.vocabulary = vocabulary
        self._answers: dict[int, Judgement] = {}
        self._on_disk = self._bytes()
        found = self._decoded() if self._on_disk else []
        at = sorted({one.sample for one in found})
        self.beats = np.array(at, dtype=np.int64) if beats is None else beats
        self._spread = self._nothing_spread()
        self._take(found)

    @property
    def answers(self) -> Mapping[int, Judgement]:
        """The answers by the index of their beat, in the order in which they were first given."""
        return MappingProxyType(self._answers)

    @property
    def spread(self) -> NDArray[np.int8]:
        """The labels accepted for beats without an answer; ``UNLABELLED`` elsewhere, shape (n,)."""
        return self._spread.copy()

    def give(self, beat: int, judgement: Judgement) -> None:
        """Give the answer for a beat, or another one; what was spread from others is dropped.

        Raises
        ------
        RecordError
            If it cannot be saved; the answers before it are.
        """
        self._save({**self._answers, beat: judgement}, self._nothing_spread())

    def accept(self, spread: NDArray[np.int8]) -> None:
        """Save what follows from the answers, shape (n,); raises `RecordError` if it cannot be."""
        asked = np.isin(np.arange(len(self.beats)), list(self._answers))
        self._save(self._answers, np.where(asked, labels.UNLABELLED, spread).astype(np.int8))

    def labels_with(self, spread: NDArray[np.int8]) -> NDArray[np.int8]:
        """Return what is spread with the answers in it, shape (n,)."""
        marked = spread.copy()
        for beat, judgement in self._answers.items():
            label = self.vocabulary.of[judgement].spreads
            marked[beat] = labels.UNLABELLED if label is None else label
        return marked

    def require_writable(self) -> None:
        """Raise `RecordError` where an answer could not be saved: better now than then."""
        try:
            with tempfile.TemporaryFile(dir=self.path.parent):
                pass
        except OSError as error:
            raise self._unwritable(error) from error

    def _nothing_spread(self) -> NDArray[np.int8]:
        return np.full(len(self.beats), labels.UNLABELLED, np.int8)

    def _save(self, answers: dict[int, Judgement], spread: NDArray[np.int8]) -> None:
        if self._bytes() != self._on_disk:
            raise RecordError(
                f"{self.path} was changed by another program during the review: close that one "
                "and start again, which goes on from what is in the file."
            )
        known = self.vocabulary.labels
        answer_of = {
            beat: _spread(int(self.beats[beat]), known[int(spread[beat])])
            for beat in np.flatnonzero(np.isin(spread, list(known))).tolist()
        }
        for number, (beat, judgement) in enumerate(answers.items(), start=1):
            given = self.vocabulary.of[judgement]
            answer_of[beat] = _answer(int(self.beats[beat]), given, number)
        data = encode(answer_of[beat] for beat in sorted(answer_of)) if answer_of else b""
        try:
            if data:
                atomic_write(self.path, data)
            else:
                self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error
        self._on_disk, self._answers, self._spread = data, answers, spread

    def _unwritable(self, error: OSError) -> RecordError:
        return RecordError(
            f"Answers cannot be saved in {self.path.parent} ({error.strerror}): make room or give "
            "write permission there, or copy the record elsewhere."
        )

    def _bytes(self) -> bytes:
        """Return what is in the file, nothing where there is none."""
        try:
            with self.path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise RecordError(
                f"{self.path} cannot be read ({error.strerror}): give read permission or move it "
                "away."
            ) from error
        if len(data) > MAX_BYTES:
            raise self._foreign("it is too large")
        return data

    def _decoded(self) -> list[Annotation]:
        try:
            found = decode(self._on_disk)
        except ValueError as error:
            raise self._foreign("it is damaged") from error
        if not found:
            raise self._foreign("it is empty")
        return found

    def _take(self, found: list[Annotation]) -> None:
        """Take over what a file says."""
        beats = {int(sample): beat for beat, sample in enumerate(self.beats)}
        given: dict[int, tuple[int, Judgement]] = {}
        seen: set[int] = set()
        for one in found:
            if one.sample not in beats:
                raise self._foreign(f"there is no beat at sample {one.sample}")
            if one.sample in seen:
                raise self._foreign(f"it speaks twice of sample {one.sample}")
            seen.add(one.sample)
            beat, note = beats[one.sample], _NOTE.fullmatch(one.note)
            answer = self.vocabulary.of.get(Judgement(note[1])) if note else None
            if note and answer and one == _answer(one.sample, answer, int(note[2])):
                if int(note[2]) in given:
                    raise self._foreign(f"it has two answers of number {note[2]}")
                given[int(note[2])] = beat, answer.judgement
            elif one in (
                spread := {
                    _spread(one.sample, of): label for label, of in self.vocabulary.labels.items()
                }
            ):
                self._spread[beat] = spread[one]
            else:
                raise self._foreign(f"it says something else of sample {one.sample}")
        self._answers = dict(given[number] for number in sorted(given))

    def _foreign(self, why: str) -> RecordError:
        return RecordError(
            f"{self.path} does not hold what a review has saved ({why}): move it away to review "
            "anew, or put back the file that the review wrote."
        )


def _answer(sample: int, answer: Answer, number: int) -> Annotation:
    return Annotation(sample, answer.code, answer.subtype, f"{answer.judgement} ({number})")


def _spread(sample: int, answer: Answer) -> Annotation:
    return Annotation(sample, answer.code)
