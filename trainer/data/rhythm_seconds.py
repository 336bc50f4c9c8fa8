"""Seconds of every lead of a record as a rhythm model sees them, with the annotated rhythm."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.annotations import Annotations
from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.labels import UNLABELLED, WITHOUT_CLASSES
from ecgmon.core.rhythm_notes import noise_spans, rhythm_spans
from ecgmon.models.rhythm_bundle import RHYTHMS
from ecgmon.records import Record
from ecgmon.records.converted import converted
from ecgmon.records.fetch import obtain
from ecgmon.records.formats.wfdb.header import read_header
from ecgmon.records.read import read
from ecgmon.records.record import Found
from ecgmon.signal import Geometry, SignalChain
from trainer.data.people import Person
from trainer.data.prepared import prepared

OTHER, TACHYCARDIA, FIBRILLATION = range(len(RHYTHMS))
"""Numbers of the classes, in the order of `RHYTHMS`."""
NO_FIBRILLATION: Final = len(RHYTHMS)
"""Label of a second that is no fibrillation but may be a tachycardia: cudb marks only the first."""
WHOLE: Final = 0.95
"""Share of a second from which on a rhythm is that of the second."""
NONE: Final = 0.02
"""Share of a second up to which there is nothing of it."""
RUN: Final = 3
"""Ventricular beats in three seconds that may be a tachycardia nobody has noted."""
WIDE: Final = frozenset("VEF")
"""Symbols of ventricular beats and fusions."""
LEADS: Final = 2
"""Leads of a record that are used."""
_ARRAYS: Final = ("inputs", "settled", "labels")
_CODE: Final = (
    "ecgmon/core/annotations.py",
    "ecgmon/core/constants.py",
    "ecgmon/core/rhythm_notes.py",
    "ecgmon/core/units.py",
    "ecgmon/records",
    "ecgmon/signal",
    "trainer/data/rhythm_seconds.py",
)
"""Files and folders whose code decides the seconds of a record."""


@dataclass(frozen=True, eq=False, slots=True)
class LeadSeconds:
    """The seconds of one lead of a record, in the order of time.

    Parameters
    ----------
    record : str
        Name of the record, for example ``vfdb/418``.
    inputs : ndarray of float16, shape (n, `RHYTHM.inputs`)
        What a model sees at the end of each.
    settled : ndarray of bool, shape (n,)
        Whether a model may be asked.
    labels : ndarray of int8, shape (n,)
        `OTHER`, `TACHYCARDIA`, `FIBRILLATION`, `NO_FIBRILLATION`, or `UNLABELLED` where rhythms
        change, where noise is annotated, and where no annotation says what it is.
    """

    record: str
    inputs: NDArray[np.float16]
    settled: NDArray[np.bool_]
    labels: NDArray[np.int8]


def seconds_of(person: Person, folder: Path, data: Path | None = None) -> list[LeadSeconds]:
    """Return the seconds of the leads of a person's records.

    Parameters
    ----------
    person : Person
        Whose.
    folder : Path
        Where prepared seconds are kept; made if it is not there.
    data : Path, optional
        Folder of databases to look in first.

    Raises
    ------
    RecordError
        If a record cannot be had or read.
    """
    found = [obtain(name, data=data) for name in person.records]
    return [lead for each in found for lead in _cached(each, folder)]


def lead_seconds(found: Found) -> list[LeadSeconds]:
    """Return the seconds of the first leads of a WFDB record.

    Raises
    ------
    RecordError
        If it cannot be read, or a monitor does not take its rate.
    """
    leads = range(1, min(len(read_header(found).signals), LEADS) + 1)
    records = [converted(read(found, lead=str(lead))) for lead in leads]
    rows = np.arange(len(records), dtype=np.intp)
    chain = SignalChain(Geometry(history_s=0, look_ahead_s=0, rate=RATE), len(rows))
    rhythms = chain.push(rows, np.stack([record.millivolts() for record in records])).rhythms
    made = []
    for row in rows.tolist():
        mine = rhythms.rows == row
        inputs, settled = rhythms.inputs[mine].astype(np.float16), rhythms.settled[mine]
        made.append(LeadSeconds(found.name, inputs, settled, _labels(records[row], len(inputs))))
    return made


def _cached(found: Found, folder: Path) -> list[LeadSeconds]:
    def make() -> dict[str, NDArray[Any]]:
        made = lead_seconds(found)
        return {
            f"{i}-{name}": getattr(lead, name) for i, lead in enumerate(made) for name in _ARRAYS
        }

    path = folder / f"{found.name.replace('/', '-')}.rhythms"
    kept = prepared(path, found, _CODE, b"", make)
    leads = sorted({int(name.partition("-")[0]) for name in kept})
    return [LeadSeconds(found.name, *(kept[f"{i}-{name}"] for name in _ARRAYS)) for i in leads]


def _labels(record: Record, n: int) -> NDArray[np.int8]:
    """Return the label of each of the first ``n`` seconds of a record."""
    marks = record.annotations or Annotations(np.zeros(0, dtype=np.int64), ())
    end = len(record.samples)
    spans = rhythm_spans(marks, end)
    fibrillation, tachycardia = (
        share_of_seconds([s[:2] for s in spans if s.rhythm == RHYTHMS[number]], n)
        for number in (FIBRILLATION, TACHYCARDIA)
    )
    labels = np.full(n, UNLABELLED, dtype=np.int8)
    labels[fibrillation + tachycardia <= NONE] = OTHER
    labels[tachycardia >= WHOLE] = TACHYCARDIA
    labels[fibrillation >= WHOLE] = FIBRILLATION
    if record.name.partition("/")[0] in WITHOUT_CLASSES:
        labels[labels == OTHER] = NO_FIBRILLATION
    wide = [at for at, symbol in zip(marks.samples, marks.symbols, strict=True) if symbol in WIDE]
    beats = np.bincount(np.array(wide, dtype=np.int64) // WINDOW, minlength=n)[:n]
    recent = np.convolve(beats, np.ones(RUN, dtype=np.int64))[:n]
    labels[(labels == OTHER) & (recent >= RUN)] = UNLABELLED
    labels[share_of_seconds(noise_spans(marks, end), n) > 0] = UNLABELLED
    return labels


def share_of_seconds(spans: list[tuple[int, int]], n: int) -> NDArray[np.float64]:
    """Return which share of each of the first ``n`` seconds lies within spans of samples."""
    share = np.zeros(n)
    for start, stop in spans:
        for second in range(start // WINDOW, min(-(-stop // WINDOW), n)):
            first = second * WINDOW
            share[second] += (min(stop, first + WINDOW) - max(start, first)) / WINDOW
    return share
