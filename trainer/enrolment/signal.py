"""The signal of an enrolment: usable seconds and beats; this module loads no torch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import NO_VALUE, WINDOW
from ecgmon.core.errors import RecordError, UsageError
from ecgmon.models.card import AnyCard
from ecgmon.records import Record
from ecgmon.records.converted import converted
from ecgmon.signal.offline import band_passed, detect_beats, measured_windows, process_record
from ecgmon.signal.quality import ABSENT, NAMES, SIGNAL, USABLE
from trainer.data.dataset import RecordSet, record_set
from trainer.data.splits import ENROLMENT_S

if TYPE_CHECKING:
    from trainer.networks.window_networks import WindowNetwork

SHORTEST: Final = 180
"""Enrolment needs at least this many seconds."""


@dataclass(frozen=True, eq=False, slots=True)
class EnrolmentSignal:
    """The wearer's signal for an enrolment: the record, usable seconds and beats.

    Parameters
    ----------
    record : RecordSet
        The complete record, labelled as far as it is annotated.
    state : ndarray of int8, shape (seconds,)
        Signal state of each second of the enrolment (`ecgmon.signal.quality`).
    beats : ndarray of int64, shape (n,)
        Sample index of each beat found in usable seconds.
    filtered : ndarray of float32, shape (seconds * RATE,)
        The band-passed signal of the enrolment, in mV.
    """

    record: RecordSet
    state: NDArray[np.int8]
    beats: NDArray[np.int64]
    filtered: NDArray[np.float32]

    @property
    def seconds(self) -> int:
        """Windows of the enrolment."""
        return len(self.state)

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Whether each second can be used, shape (seconds,)."""
        usable: NDArray[np.bool_] = self.state == SIGNAL
        return usable


def require_length(record: Record) -> None:
    """Raise `RecordError` if a record at 360 Hz is too short for enrolment."""
    seconds = len(record.samples) // WINDOW
    if seconds <= SHORTEST:  # the last second is only look-ahead
        raise RecordError(
            f"{record.name} is too short: it has {seconds} whole seconds, and enrolment takes at "
            f"least {SHORTEST + 1}."
        )


def require_eligible(
    generic: AnyCard, record: str, windows: int, seconds: int = ENROLMENT_S
) -> None:
    """Raise `UsageError` if a record is too short, or the generic model was trained on it."""
    if record in {span.record for span in generic.trained_on}:
        raise UsageError(f"{generic.name} was trained on {record}: that would not be enrolment.")
    if windows < seconds:
        raise UsageError(
            f"{record} is too short: enrolment takes a record's first {seconds // 60} minutes."
        )


def take(record: Record, network: "type[WindowNetwork]", seconds: int) -> EnrolmentSignal:
    """Prepare the first seconds of a record for enrolment.

    Raises
    ------
    RecordError
        If the record is too short, at a rate that a monitor does not accept, or mostly unusable.
    """
    record = converted(record)
    require_length(record)
    prepared = record_set(record, network.geometry, network.steps_per_second)
    millivolts = record.millivolts()[: (seconds + 1) * WINDOW]
    state = process_record(millivolts, network.geometry).state[:seconds]
    # The monitor judges no second around which samples are missing.
    complete = measured_windows(record.samples != NO_VALUE, network.geometry)[: len(state)]
    state[(state == SIGNAL) & ~complete] = ABSENT
    held = _held(millivolts)
    beats = detect_beats(held)
    beats = beats[beats < seconds * WINDOW]
    beats = beats[state[beats // WINDOW] == SIGNAL]
    require_usable(record.name, state, len(beats))
    filtered = band_passed(held[: seconds * WINDOW])
    return EnrolmentSignal(prepared, state, beats, filtered.astype(np.float32))


def require_usable(record: str, state: NDArray[np.int8], beats: int) -> None:
    """Raise `RecordError` if too few seconds of a signal can be used, or hold no beats."""
    counts = {name: int(np.sum(state == i)) for i, name in enumerate(NAMES)}
    if counts["signal"] < USABLE * len(state):
        raise RecordError(
            f"Of {len(state)} seconds of {record} only {counts['signal']} can be used "
            f"({counts['noisy']} noisy or clipped, {counts['absent']} with missing signal): check "
            "the electrodes and record again."
        )
    if not beats:
        raise RecordError(f"No heart beats were found in {record}: check lead and electrodes.")


def _held(millivolts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Repeat the last measured value for samples without one, as the chain does."""
    measured = np.where(np.isfinite(millivolts), np.arange(len(millivolts)), 0)
    held: NDArray[np.float64] = np.nan_to_num(millivolts[np.maximum.accumulate(measured)])
    return held
