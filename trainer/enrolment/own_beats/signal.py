"""The signal of an enrolment of beats: what the monitor makes of it, beat by beat."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import WINDOW
from ecgmon.core.labels import UNLABELLED
from ecgmon.records import Record
from ecgmon.records.converted import converted
from ecgmon.signal.quality import SIGNAL
from trainer.data.beats.leads import LeadBeats, heard
from trainer.enrolment.signal import require_length, require_usable


@dataclass(frozen=True, eq=False, slots=True)
class BeatSignal:
    """The wearer's signal for an enrolment of beats.

    Parameters
    ----------
    beats : LeadBeats
        The beats found in usable seconds, with the classes that experts or a clinician gave.
    state : ndarray of int8, shape (seconds,)
        Signal state of each second of the enrolment (`ecgmon.signal.quality`).
    filtered : ndarray of float32, shape (seconds * RATE,)
        The band-passed signal in mV.
    first : int
        Second of the record or stream at which it begins.
    """

    beats: LeadBeats
    state: NDArray[np.int8]
    filtered: NDArray[np.float32]
    first: int = 0

    @property
    def seconds(self) -> int:
        """Seconds of the enrolment."""
        return len(self.state)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which beats have a class, shape (beats,)."""
        known: NDArray[np.bool_] = self.beats.labels != UNLABELLED
        return known


def take(record: Record) -> BeatSignal:
    """Prepare a record for an enrolment of beats; its last second is only look-ahead.

    Raises
    ------
    RecordError
        If the record is too short, at a rate that a monitor does not accept, or mostly unusable.
    """
    record = converted(record)
    require_length(record)
    seconds = len(record.samples) // WINDOW - 1
    windows, feed, beats = heard(record)
    state = windows.state[:seconds].copy()
    which = (beats.samples < seconds * WINDOW) & beats.usable
    which[which] = state[beats.samples[which] // WINDOW] == SIGNAL
    require_usable(record.name, state, int(which.sum()))
    own = beats.select(which)
    return BeatSignal(own, state, np.concatenate(feed.filtered)[: seconds * WINDOW])
