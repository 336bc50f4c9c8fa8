"""What a model of atrial rhythms sees of a record's first lead, with the annotated rhythm."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.annotations import Annotations
from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.labels import UNLABELLED
from ecgmon.core.rhythm_notes import rhythm_spans
from ecgmon.records.converted import converted
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from ecgmon.records.record import Found
from ecgmon.signal import Geometry, SignalChain
from trainer.data.learned_beats import FIBRILLATION, NORMAL, RHYTHMS, rhythms_beside
from trainer.data.people import Person
from trainer.data.prepared import prepared
from trainer.data.rhythm_seconds import share_of_seconds

OTHER_ATRIAL, ATRIAL_FIBRILLATION = 0, 1
"""Numbers of the classes."""
OTHER_RHYTHM: Final = "O"
"""What cinc2017's table calls another rhythm than the normal one and atrial fibrillation."""
SEEN_S: Final = 25
"""Seconds before an input whose rhythm is its label..."""
SURE: Final = 0.9
"""...if it fills this share of them, or no more than the rest."""
WITH_RHYTHMS: Final = ("mitdb", "qtdb", RHYTHMS)
"""Databases whose recordings teach: those of qtdb have no notes, and are nearly all normal."""
_CODE: Final = (
    "ecgmon/core/constants.py",
    "ecgmon/core/units.py",
    "ecgmon/records",
    "ecgmon/signal",
    "trainer/data/atrial_beats.py",
)


@dataclass(frozen=True, eq=False, slots=True)
class AtrialInputs:
    """The inputs of a record's first lead, in the order of time.

    Parameters
    ----------
    record : str
        Name of the record.
    inputs : ndarray of float16, shape (n, *ATRIAL_SHAPE)
        What a model sees.
    settled : ndarray of bool, shape (n,)
        Whether it may be asked.
    end : ndarray of int64, shape (n,)
        Sample at 360 Hz at which each is known.
    labels : ndarray of int8, shape (n,)
        `OTHER_ATRIAL`, `ATRIAL_FIBRILLATION`, or `UNLABELLED` where rhythms change, and in flutter.
    """

    record: str
    inputs: NDArray[np.float16]
    settled: NDArray[np.bool_]
    end: NDArray[np.int64]
    labels: NDArray[np.int8]


def atrial_inputs(person: Person, folder: Path, data: Path | None = None) -> list[AtrialInputs]:
    """Return the inputs of a person's records, prepared once in a folder.

    Raises
    ------
    RecordError
        If a record cannot be had or read.
    """
    found = [obtain(name, data=data) for name in person.records]
    return [_cached(each, folder, data) for each in found]


def _cached(found: Found, folder: Path, data: Path | None) -> AtrialInputs:
    def make() -> dict[str, NDArray[Any]]:
        record = converted(read(found, lead="1"))
        chain = SignalChain(Geometry(history_s=0, look_ahead_s=0, rate=RATE), 1)
        seen = chain.push(np.zeros(1, dtype=np.intp), record.millivolts()[None]).atrial
        return {
            "inputs": seen.inputs.astype(np.float16),
            "settled": seen.settled,
            "end": seen.end,
        }

    path = folder / f"{found.name.replace('/', '-')}.atrial"
    kept = prepared(path, found, _CODE, b"", make)
    labels = _labels(found, kept["end"], data)
    return AtrialInputs(found.name, kept["inputs"], kept["settled"], kept["end"], labels)


def _labels(found: Found, end: NDArray[np.int64], data: Path | None) -> NDArray[np.int8]:
    """Return the label of each input."""
    if found.name.startswith(f"{RHYTHMS}/"):
        rhythm = rhythms_beside(found.name, data).get(found.name, "")
        of = {NORMAL: OTHER_ATRIAL, OTHER_RHYTHM: OTHER_ATRIAL, FIBRILLATION: ATRIAL_FIBRILLATION}
        return np.full(len(end), of.get(rhythm, UNLABELLED), dtype=np.int8)
    record = converted(read(found, lead="1"))
    marks = record.annotations or Annotations(np.zeros(0, dtype=np.int64), ())
    spans = rhythm_spans(marks, len(record.samples))
    n = len(record.samples) // WINDOW + 1
    fibrillation, flutter = (
        np.cumsum(np.append(0, share_of_seconds([s[:2] for s in spans if s.rhythm == name], n)))
        for name in ("atrial-fibrillation", "atrial-flutter")
    )
    stop = end // WINDOW
    start = np.maximum(stop - SEEN_S, 0)
    share = (fibrillation[stop] - fibrillation[start]) / (stop - start)
    labels = np.full(len(end), UNLABELLED, dtype=np.int8)
    labels[share <= 1 - SURE] = OTHER_ATRIAL
    labels[share >= SURE] = ATRIAL_FIBRILLATION
    labels[flutter[stop] > flutter[start]] = UNLABELLED
    return labels
