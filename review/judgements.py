"""Judgements of beats, kept beside the signal as WFDB annotations that any viewer opens.

The annotator is ``review``: the judgements of record ``203`` are in ``203.review``, each at its
beat's sample.

    judgement   symbol                  note
    normal      N                       normal (1)
    abnormal    Q  beat not classified  abnormal (2)
    unusable    ~  signal unreadable    unusable (3)
    unsure      "  comment              unsure (4)

The number in the note says as which one the answer was given. A label that was spread from the
answers once they were accepted is a bare N or Q: what nobody was asked has no note.
"""

import re
import tempfile
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import wfdb
from numpy.typing import NDArray

from ecgmon import labels
from ecgmon.errors import RecordError
from ecgmon.files import place
from ecgmon.grid import RATE

ANNOTATOR: Final = "review"
"""Suffix of the files."""
MAX_BYTES: Final = 16_777_216
"""Largest file read: some days of beats."""


class Judgement(StrEnum):
    """What a clinician says of a beat."""

    NORMAL = "normal"
    ABNORMAL = "abnormal"
    UNUSABLE = "unusable"
    UNSURE = "unsure"


_SYMBOLS: Final = {
    Judgement.NORMAL: "N",
    Judgement.ABNORMAL: "Q",
    Judgement.UNUSABLE: "~",
    Judgement.UNSURE: '"',
}
_SPREAD: Final = {"N": labels.NORMAL, "Q": labels.ABNORMAL}
_UNREADABLE: Final = -1
"""Subtype of ``~``; with 0 it would say that the signal is clean again."""
_NOTE: Final = re.compile(rf"({'|'.join(Judgement)}) \(([1-9]\d{{0,8}})\)")
_LABELS: Final = {Judgement.NORMAL: labels.NORMAL, Judgement.ABNORMAL: labels.ABNORMAL}
_END: Final = b"\0\0"


class Judgements:
    """The answers for one recorded signal, each on disk before it counts as given.

    Parameters
    ----------
    record : Path
        The record's files without their suffixes; only the folder must be there.
    beats : ndarray of int64, shape (n,)
        Sample index of each of its beats, strictly ascending.

    Attributes
    ----------
    path : Path
        The file; there is none before the first answer.

    Raises
    ------
    RecordError
        If there is a file that holds anything but answers about these beats. It stays as it is.
    """

    def __init__(self, record: Path, beats: NDArray[np.int64]) -> None:
        self.path = record.with_name(f"{record.name}.{ANNOTATOR}")
        self._beats = beats
        self._answers: dict[int, Judgement] = {}
        self._spread = self._nothing_spread()
        self._on_disk = self._bytes()
        if self._on_disk:
            self._read()

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
        asked = np.isin(np.arange(len(self._beats)), list(self._answers))
        self._save(self._answers, np.where(asked, labels.UNLABELLED, spread).astype(np.int8))

    def labels_with(self, spread: NDArray[np.int8]) -> NDArray[np.int8]:
        """Return what is spread with the answers in it, shape (n,)."""
        whole = spread.copy()
        for beat, judgement in self._answers.items():
            whole[beat] = _LABELS.get(judgement, labels.UNLABELLED)
        return whole

    def require_writable(self) -> None:
        """Raise `RecordError` where an answer could not be saved: better now than then."""
        try:
            with tempfile.TemporaryFile(dir=self.path.parent):
                pass
        except OSError as error:
            raise self._unwritable(error) from error

    def _nothing_spread(self) -> NDArray[np.int8]:
        return np.full(len(self._beats), labels.UNLABELLED, np.int8)

    def _save(self, answers: dict[int, Judgement], spread: NDArray[np.int8]) -> None:
        if self._bytes() != self._on_disk:
            raise RecordError(
                f"{self.path} was changed by another program during the review: close that one "
                "and start again, which goes on from what is in the file."
            )
        try:
            data = _encode(self._beats, answers, spread)
            if data:
                place(self.path, data)
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
        if len(data) > MAX_BYTES or not data.endswith(_END):
            raise self._foreign("it is damaged")
        return data

    def _read(self) -> None:
        try:
            read = wfdb.rdann(str(self.path.with_suffix("")), ANNOTATOR)
            notes = [note or "" for note in read.aux_note]
        except Exception as error:  # wfdb raises whatever its parser hits
            raise self._foreign("it is damaged") from error
        samples = np.asarray(read.sample, np.int64)
        if not len(samples) or not np.isin(samples, self._beats).all():
            raise self._foreign("it is about other beats than those found in the signal")
        places = np.searchsorted(self._beats, samples)
        if len(np.unique(places)) < len(places):
            raise self._foreign("it speaks of a beat twice")
        given: dict[int, tuple[int, Judgement]] = {}
        for i, beat in enumerate(places.tolist()):
            if not notes[i] and read.symbol[i] in _SPREAD:
                self._spread[beat] = _SPREAD[read.symbol[i]]
            elif (note := _NOTE.fullmatch(notes[i])) is None:
                raise self._foreign(f"sample {samples[i]} has a note of another kind")
            elif read.symbol[i] != _SYMBOLS[judgement := Judgement(note[1])]:
                raise self._foreign(f"sample {samples[i]} says {judgement} with another symbol")
            else:
                given[int(note[2])] = beat, judgement
        if len(given) + np.count_nonzero(self._spread != labels.UNLABELLED) < len(places):
            raise self._foreign("it has two answers of one number")
        self._answers = dict(given[number] for number in sorted(given))

    def _foreign(self, why: str) -> RecordError:
        return RecordError(
            f"{self.path} does not hold what a review has saved ({why}): move it away to review "
            "anew, or put back the file that the review wrote."
        )


def _encode(
    beats: NDArray[np.int64], answers: Mapping[int, Judgement], spread: NDArray[np.int8]
) -> bytes:
    """Return a WFDB annotation file; nothing where there is nothing to annotate."""
    symbols = {label: symbol for symbol, label in _SPREAD.items()}
    rows: dict[int, tuple[str, str]] = {
        beat: (symbols[label], "") for beat, label in enumerate(spread.tolist()) if label in symbols
    }
    for number, (beat, judgement) in enumerate(answers.items(), start=1):
        rows[beat] = _SYMBOLS[judgement], f"{judgement} ({number})"
    if not rows:  # which wfdb does not write
        return b""
    ordered: Any = [(beats[beat], *rows[beat]) for beat in sorted(rows)]
    samples, written, notes = zip(*ordered, strict=True)
    with tempfile.TemporaryDirectory(prefix="ecgmon-") as folder:
        wfdb.wrann(
            ANNOTATOR,
            ANNOTATOR,
            np.array(samples),
            symbol=list(written),
            subtype=np.array([_UNREADABLE * (symbol == "~") for symbol in written]),
            aux_note=list(notes),
            fs=RATE,
            write_dir=folder,
        )
        return (Path(folder) / f"{ANNOTATOR}.{ANNOTATOR}").read_bytes()
