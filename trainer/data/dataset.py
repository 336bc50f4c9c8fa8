"""Data sets: a record as the monitor would see it, with what experts say of every window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ecgmon.core import labels
from ecgmon.core.annotations import Annotations
from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.errors import RecordError
from ecgmon.core.rhythm_notes import noise_spans, sinus_spans, ventricular_spans
from ecgmon.metrics.two_classes import Confusion
from ecgmon.records import Record
from ecgmon.records.converted import converted
from ecgmon.records.fetch import obtain
from ecgmon.records.many import each
from ecgmon.signal import Geometry, Windows
from ecgmon.signal.offline import windows_and_beats
from ecgmon.signal.usual_beat import EVERY_S, SAMPLES
from trainer.data.annotated import annotated_as_heard, require_length
from trainer.data.rhythms import ABNORMAL_BEAT, ABNORMAL_RHYTHM, NORMAL_BEAT, NORMAL_RHYTHM

if TYPE_CHECKING:
    from trainer.networks.window_networks import WindowNetwork

BEFORE_S: Final = 30
"""Seconds before the first fibrillation of a record without notes of rhythms, in which the rhythm
may be another one already."""
STACK: Final = 8
"""Records processed together."""


@dataclass(frozen=True, eq=False, slots=True)
class RecordSet:
    """One record, passed through the causal chain and labelled.

    Parameters
    ----------
    record : str
        Name of the record, for example ``mitdb/203``.
    wearer : str
        Id of the wearer.
    geometry : Geometry
        What the model sees of each window.
    stream : ndarray of float32, shape (model rate * (history + windows + look-ahead),)
        The filtered signal at the model's rate, in the unit of the network's geometry: in mV where
        that is the window's own. Zeros stand for the history before the first window.
    scale : ndarray of float32, shape (windows,)
        What was usual, in mV, when each window was complete.
    labels : ndarray of int8, shape (windows,)
        Window labels by study 1's rule (`ecgmon.core.labels`).
    beats : ndarray of int8, shape (windows, steps a second)
        0, or `NORMAL_BEAT` or `ABNORMAL_BEAT` of `trainer.data.rhythms` where a beat is;
        `ABNORMAL_RHYTHM` or `NORMAL_RHYTHM` throughout a second.
    unsettled : ndarray of intp, shape (u,)
        Which windows' ``inputs`` are not all signal (`ecgmon.signal.Windows.settled`): a monitor
        says nothing of them, so they are not judged.
    own_units : ndarray of float32, shape (windows, geometry.inputs), or None
        The windows, where each is in a unit of its own; None where ``stream`` holds them all.
    first : int
        Second of the record at which the set begins.
    usual : ndarray of float32, shape (minutes, SAMPLES)
        The usual beat of each whole minute of the record, NaN where no beat was usual
        (`ecgmon.signal.usual_beat`).
    """

    record: str
    wearer: str
    geometry: Geometry
    stream: NDArray[np.float32]
    scale: NDArray[np.float32]
    labels: NDArray[np.int8]
    beats: NDArray[np.int8]
    unsettled: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    own_units: NDArray[np.float32] | None = None
    first: int = 0
    usual: NDArray[np.float32] = field(
        default_factory=lambda: np.zeros((0, SAMPLES), dtype=np.float32)
    )

    @property
    def inputs(self) -> NDArray[np.float32]:
        """What the model sees of each window, shape (windows, geometry.inputs), as in a monitor."""
        if self.own_units is not None:
            return self.own_units
        # Writeable, for torch warns of what is not; nobody writes into it.
        seen = sliding_window_view(self.stream, self.geometry.inputs, writeable=True)
        return seen[:: self.geometry.rate]

    @property
    def taught(self) -> NDArray[np.int8]:
        """What each window teaches: its label, or what its rhythm is where no beats are named."""
        taught = self.labels.copy()
        taught[(self.beats == ABNORMAL_RHYTHM).all(axis=1)] = labels.ABNORMAL
        taught[(self.beats == NORMAL_RHYTHM).all(axis=1)] = labels.NORMAL
        return taught

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, start: int, stop: int) -> "RecordSet":
        """Return the windows ``start`` to ``stop - 1``."""
        rate, windows = self.geometry.rate, slice(start, stop)
        inside = self.unsettled[(self.unsettled >= start) & (self.unsettled < stop)]
        return replace(
            self,
            stream=self.stream[start * rate : stop * rate + self.geometry.inputs - rate],
            scale=self.scale[windows],
            labels=self.labels[windows],
            beats=self.beats[windows],
            unsettled=inside - start,
            own_units=None if self.own_units is None else self.own_units[windows],
            first=self.first + start,
            usual=self.usual[-(-start // EVERY_S) : stop // EVERY_S],
        )

    def confusion(
        self, probability: NDArray[np.float32], threshold: float, start: int = 0
    ) -> Confusion:
        """Compare labelled windows from ``start`` on with their probabilities of *abnormal*."""
        judged = self.labels[start : start + len(probability)]
        known = judged != labels.UNLABELLED
        return Confusion.of(judged[known] == labels.ABNORMAL, probability[known] >= threshold)


def record_set(record: Record, geometry: Geometry, steps: int) -> RecordSet:
    """Pass a record through the chain and label it; without annotations it has no labels.

    Parameters
    ----------
    record : Record
        One lead of a wearer, at any rate that a monitor takes.
    geometry : Geometry
        What the model sees.
    steps : int
        Outputs along time in a second, for networks supervised by beats.

    Raises
    ------
    RecordError
        If a monitor takes no such rate, or the record is too short.
    """
    (only,) = record_sets([record], geometry, steps)
    return only


def record_sets(records: Sequence[Record], geometry: Geometry, steps: int) -> list[RecordSet]:
    """Do for records of one length at `RATE` what `record_set` does, all at once."""
    records = [converted(record) for record in records]
    for record in records:
        require_length(record)
    cut = windows_and_beats(np.stack([record.millivolts() for record in records]), geometry)
    return [
        replace(_labelled(record, windows, geometry, steps), usual=usual)
        for record, (windows, usual) in zip(records, cut, strict=True)
    ]


def _labelled(record: Record, windows: Windows, geometry: Geometry, steps: int) -> RecordSet:
    n = len(windows)
    annotations = record.annotations or Annotations(np.zeros(0, dtype=np.int64), ())
    known = labels.window_labels(annotations, n * WINDOW, WINDOW)
    classes = labels.has_classes(record.name.rpartition("/")[0].rpartition("/")[2], annotations)
    if not classes:
        known[:] = labels.UNLABELLED
    return RecordSet(
        record.name,
        record.wearer,
        geometry,
        whole_stream(windows, geometry),
        windows.scale,
        known,
        _along_time(annotations, known, steps, classes=classes),
        np.flatnonzero(~windows.settled),
        windows.inputs if geometry.unit == "window" else None,
    )


def whole_stream(windows: Windows, geometry: Geometry) -> NDArray[np.float32]:
    """Return the filtered signal at the model's rate, put together from its windows.

    Returns
    -------
    ndarray of float32, shape (rate * (history + windows + look-ahead),)
        In mV; where each second has a unit of its own, in these units.
    """
    history = round(geometry.history_s * geometry.rate)
    if geometry.unit == "second":
        before, newest = windows.inputs[0, : -geometry.rate], windows.inputs[:, -geometry.rate :]
        return np.concatenate([before, newest.ravel()])
    scaled_back = windows.inputs * windows.scale[:, None]
    window = slice(history, history + geometry.rate)
    parts = [
        scaled_back[0, :history],
        scaled_back[:, window].ravel(),
        scaled_back[-1, window.stop :],
    ]
    return np.concatenate(parts)


def _along_time(
    annotations: Annotations, known: NDArray[np.int8], steps: int, *, classes: bool
) -> NDArray[np.int8]:
    """Mark the steps that hold a beat; an abnormal one where there are both.

    Seconds without a label that lie within a ventricular rhythm are marked as such, and where beats
    have no ``classes`` those of a normal rhythm, too.
    """
    n = len(known)
    along = np.zeros(n * steps, dtype=np.int8)
    abnormal = labels.is_abnormal(annotations)
    for which, mark in (
        (labels.is_beat(annotations) & ~abnormal, NORMAL_BEAT),
        (abnormal, ABNORMAL_BEAT),
    ):
        samples = annotations.samples[which & (annotations.samples < n * WINDOW)]
        along[samples * steps // RATE] = mark
    marked = along.reshape(n, steps)
    calm = [] if classes else _calm_spans(annotations, n * WINDOW)
    for spans, mark in (
        (calm, NORMAL_RHYTHM),
        (ventricular_spans(annotations, n * WINDOW), ABNORMAL_RHYTHM),
    ):
        for start, stop in spans:
            inside = np.arange(-(-start // WINDOW), stop // WINDOW)
            marked[inside[known[inside] == labels.UNLABELLED]] = mark
    for start, stop in noise_spans(annotations, n * WINDOW):
        noisy = marked[start // WINDOW : -(-stop // WINDOW)]
        noisy[noisy >= ABNORMAL_RHYTHM] = 0
    return marked


def _calm_spans(annotations: Annotations, end: int) -> list[tuple[int, int]]:
    """Return where the rhythm is normal: by its notes, else until long before a fibrillation."""
    if annotations.notes and any(note.startswith("(") for note in annotations.notes):
        return sinus_spans(annotations, end)
    first = min((start for start, _ in ventricular_spans(annotations, end)), default=0)
    return [(0, first - BEFORE_S * RATE)] if first > BEFORE_S * RATE else []


def load(
    names: Sequence[str],
    network: "type[WindowNetwork]",
    data: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
    lead: str | None = None,
    annotator: str | None = None,
    skipped: dict[str, RecordError] | None = None,
) -> list[RecordSet]:
    """Find (or fetch), read and process records for a network.

    Parameters
    ----------
    names : sequence of str
        As the command line takes them.
    network : type
        Whose geometry and outputs along time to prepare for.
    data : Path, optional
        Folder to look in first.
    progress : callable, optional
        Called with each name when it is done.
    lead, annotator : str, optional
        As `ecgmon.records.read` takes them.
    skipped : dict of str to RecordError, optional
        As `ecgmon.records.many.each` takes it.

    Raises
    ------
    RecordError
        If a record cannot be had, has no annotations or cannot be learned from; names them all.
    """
    one = partial(annotated_as_heard, lead=lead, annotator=annotator)
    fetch = partial(obtain, data=data, annotator=annotator)
    read = each(names, one, data=data, fetch=fetch, skipped=skipped)
    known, records = [name for name, _ in read], [record for _, record in read]
    sets: dict[int, RecordSet] = {}
    for stack in _stacks(records):
        made = record_sets([records[i] for i in stack], network.geometry, network.steps_per_second)
        for i, prepared in zip(stack, made, strict=True):
            sets[i] = prepared
            progress(known[i])
    return [sets[i] for i in range(len(known))]


def _stacks(records: Sequence[Record]) -> list[list[int]]:
    """Return the indices of records of one length, up to `STACK` together."""
    lengths = np.array([len(record.samples) for record in records])
    return [
        of_length[at : at + STACK].tolist()
        for of_length in (np.flatnonzero(lengths == length) for length in np.unique(lengths))
        for at in range(0, len(of_length), STACK)
    ]
