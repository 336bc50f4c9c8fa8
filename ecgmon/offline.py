"""Records read and judged in one call each, for notebooks and scripts.

The signal takes the path that a monitor's takes: `ecgmon.signal.SignalChain`, then the model.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.core.signal_states import SignalState
from ecgmon.models.bundle import Model
from ecgmon.models.resolve import resolve
from ecgmon.records.converted import converted
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from ecgmon.records.record import Record
from ecgmon.signal.offline import process_record
from ecgmon.signal.quality import NAMES, SIGNAL


@dataclass(frozen=True, eq=False, slots=True)
class RecordVerdicts:
    """The verdicts on the 1-second windows of a record, n of them in the order of time.

    Parameters
    ----------
    start_s : ndarray of float64, shape (n,)
        Begin of each window in seconds of the record.
    state : tuple of SignalState, length n
        Signal state of each window.
    probability : ndarray of float32, shape (n,)
        Probability of *abnormal*, NaN where the window is not judged: its signal, or the history
        that the model sees, is not usable.
    abnormal : ndarray of bool, shape (n,)
        Whether the probability reaches the model's threshold; False where it is not known.
    heart_rate : ndarray of float64, shape (n,)
        Beats per minute, NaN where it is not known.
    """

    start_s: NDArray[np.float64]
    state: tuple[SignalState, ...]
    probability: NDArray[np.float32]
    abnormal: NDArray[np.bool_]
    heart_rate: NDArray[np.float64]


def read_record(name: str, *, lead: str | None = None, annotator: str | None = None) -> Record:
    """Read one lead of a record at 360 Hz, with its annotations.

    Parameters
    ----------
    name : str
        A path without suffix, ``database/name`` or a bare name of MIT-BIH, as ``ecgmon replay``
        takes it. Records that are not found under ``$ECGMON_DATA`` are fetched from PhysioNet.
    lead : str, optional
        Name of the lead, or its number counted from 1; lead II when not given.
    annotator : str, optional
        Suffix of the annotation file; the reference's when not given.

    Raises
    ------
    RecordError
        If there is no such record, or it cannot be read.
    """
    return converted(read(obtain(name), lead=lead, annotator=annotator))


def load_model(name: str = "generic") -> Model:
    """Load a window model.

    Parameters
    ----------
    name : str
        A bundle's path, a built-in model, a wearer's id, or id and version such as ``ann/2``.

    Raises
    ------
    BundleError or StoreError
        If there is no such model, or it cannot serve.
    """
    return Model.load(resolve(name, None))


def judge_record(record: Record, model: Model) -> RecordVerdicts:
    """Judge the windows of a record as a monitor that is sent it from its first sample.

    Parameters
    ----------
    record : Record
        At 360 Hz, as `read_record` returns it.
    model : Model
        The window model.
    """
    windows = process_record(record.millivolts(), model.card.geometry)
    probability = np.full(len(windows), np.nan, dtype=np.float32)
    usable = (windows.state == SIGNAL) & windows.settled
    if usable.any():
        probability[usable] = model.probability(windows.inputs[usable])
    return RecordVerdicts(
        start_s=windows.first / RATE,
        state=tuple(NAMES[state] for state in windows.state),
        probability=probability,
        abnormal=probability >= model.card.threshold,
        heart_rate=windows.heart_rate,
    )
