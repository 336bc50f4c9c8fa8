"""The bits that the signal path gives for three fixed records.

Some minutes of these records stand for all: a change of the filter, the beat detector, the
scale or the way examples are cut shows in them. It is a sample all the same: a change that alters
only other records or minutes is not seen, and needs a procedure number raised by hand
(`trainer.evaluation.results.digest`).
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import RecordError
from ecgmon.records import Record
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from ecgmon.signal import detect_beats
from trainer.data import noise
from trainer.data.beats import ptb
from trainer.data.beats.causal_beats import inputs_at, live_beats
from trainer.data.beats.kachuee import annotated_beats, detected_beats
from trainer.data.dataset import record_set
from trainer.data.examples import Examples
from trainer.data.labelled_windows import labelled_windows
from trainer.networks.window_networks import NETWORKS, CardiacNet

RECORDS: Final[Mapping[str, int]] = {"105": 1080, "208": 0, "222": 560}
"""Of mitdb, with the second from which on: noise and artefacts between normal beats; ventricular
and fusion beats, at a record's beginning; atrial flutter and junctional beats. Changes of the beat
detector have shown at the first and at the last of these places."""
PTB_RECORDS: Final = (
    "ptbdb/patient001/s0010_re",
    "ptbdb/patient003/s0017lre",
    "ptbdb/patient236/s0462_re",
)
"""Two of infarction, a long and a short one, and one of a healthy patient."""
DATABASE: Final = "mitdb"
SECONDS: Final = 120
"""Of each record of mitdb and of noise: the detector's warm-up and more than a hundred beats."""
Arrays = Iterable[NDArray[Any]]


def _arrays(examples: Examples) -> Arrays:
    return examples.inputs, examples.labels, examples.samples


def _windows(record: Record) -> Arrays:
    complete = record_set(record, CardiacNet.geometry, CardiacNet.steps_per_second)
    return _arrays(labelled_windows(complete))


def _detected(record: Record) -> Arrays:
    found = detect_beats(record.millivolts())
    return found, inputs_at(record, found)


def _set_of(network: str) -> Callable[[Record], Arrays]:
    def arrays(record: Record) -> Arrays:
        of = NETWORKS[network]
        made = record_set(record, of.geometry, of.steps_per_second)
        return made.inputs, made.stream, made.scale, made.labels, made.beats, made.unsettled

    return arrays


_CUT: Final[Mapping[str, Callable[[Record], Arrays]]] = {
    "published": lambda record: _arrays(annotated_beats(record)),
    "live": lambda record: _arrays(live_beats(record)),
    "detected": _detected,
    "windows": _windows,
    "ptb": lambda record: _arrays(detected_beats(record, 0, ptb.CLASSES)),
    **{name: _set_of(name) for name in NETWORKS},
}
"""What is made of a record: examples of a recipe, beats that the monitor finds, or all that a
network of windows is trained and judged on."""


@lru_cache
def signal_bits(kind: str, data: Path | None = None, lead: str | None = None) -> str:
    """Return a digest of what a path makes of its three records.

    Parameters
    ----------
    kind : str
        *published*, *live* or *detected* beats, *windows*, beats of *ptb*, or the name of a
        network of windows.
    data : Path, optional
        Folder of databases to look in first.
    lead : str, optional
        As `ecgmon.records.read` takes it.

    Raises
    ------
    RecordError
        If a record cannot be had.
    """
    found = hashlib.sha256()
    for record in _ptb_records(data) if kind == "ptb" else fixed_records(data, lead):
        for array in _CUT[kind](record):
            _add(found, array)
    return found.hexdigest()[:16]


@lru_cache
def noise_bits(network: str, data: Path | None = None) -> str:
    """Return a digest of the recordings of noise as a network of windows is trained with them."""
    found = hashlib.sha256()
    geometry = NETWORKS[network].geometry
    for name in noise.RECORDS:
        record = _cut_out(read(obtain(name, data=data)))
        _add(found, noise.heard(record, geometry))
    return found.hexdigest()[:16]


def fixed_records(data: Path | None = None, lead: str | None = None) -> Iterable[Record]:
    """Return the minutes of `RECORDS`, as records; raises `RecordError` where one is not there."""
    for name, start in RECORDS.items():
        yield _cut_out(read(obtain(f"{DATABASE}/{name}", data=data), lead=lead), start)


def _cut_out(record: Record, start_s: int = 0) -> Record:
    """Return `SECONDS` of a record as a record."""
    start, stop = (round(second * record.rate) for second in (start_s, start_s + SECONDS))
    marks = record.annotations
    if marks is not None:
        marks = marks.between(start, stop)
        marks = marks.moved(marks.samples - start)
    return replace(record, samples=record.samples[start:stop], annotations=marks)


def _ptb_records(data: Path | None) -> Iterable[Record]:
    """Return the fixed records of PTB; raises `RecordError` where one is not there."""
    known = {each.found.name: each.found for each in ptb.records(data)}
    for name in PTB_RECORDS:
        if name not in known:
            raise RecordError(
                f"{name} is not there, which tells whether results on PTB are still valid: copy "
                "its folder into --data or one of $ECGMON_DATA."
            )
        yield read(known[name], lead=ptb.LEAD)


def _add(found: "hashlib._Hash", array: NDArray[Any]) -> None:
    """Add an array to a digest: its type, its shape and its bytes, the lowest first."""
    plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    found.update(f"{plain.dtype.str}{plain.shape}".encode())
    found.update(plain.tobytes())
