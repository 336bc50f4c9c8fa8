"""What a monitor published of a wearer, as a WFDB annotation file beside the record.

The annotator is ``ecgmon``::

    N S V F Q   a beat of this class that was published and not withdrawn
    ~           from here on no signal (noisy or absent: subtype -1), or signal again (subtype 0)
    +           which alarms hold from here on: (couplet, (abnormal,ventricular-run, or (unnamed
    =           heart rate of the second that ends here, in 1/min

Programs that compare annotations as ANSI/AAMI EC57 asks read ``~`` as a shutdown, and ``=`` as a
measurement of subtype 0.
"""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ecgmon.core.atomic import atomic_write
from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.labels import BeatClass
from ecgmon.records.formats.wfdb.annotations import Annotation, encode
from ecgmon.wire import messages

ANNOTATOR: Final = "ecgmon"
UNNAMED: Final = "(unnamed"
"""Note of the moment from which no alarm about the wearer holds."""
_CODES: Final = MappingProxyType[BeatClass, int]({"N": 1, "S": 9, "V": 5, "F": 6, "Q": 13})
"""WFDB's code of each class of beat."""
_QUALITY, _MEASURED, _RHYTHM = 14, 23, 28
"""WFDB's codes."""
_UNREADABLE, _READABLE = -1, 0
"""Subtypes of a change of quality."""


class PublishedAnnotations:
    """Collects what is published of one wearer's stream. It grows with the record's length.

    What a monitor says again after a restart counts once.
    """

    def __init__(self) -> None:
        self._beats: dict[int, BeatClass] = {}
        self._windows: dict[int, messages.Window] = {}
        self._alarms: dict[tuple[int, str, int], messages.Alarm] = {}

    def take(self, message: messages.Published) -> None:
        """Take the next message about the wearer; kinds that are not annotated are passed over."""
        match message:
            case messages.Beat(at=at, label=label):
                self._beats[at] = label
            case messages.BeatWithdrawn(at=at):
                self._beats.pop(at, None)
            case messages.Window(first=first):
                self._windows[first] = message
            case messages.Alarm(category="physiological", alarm=number, state=state, at=int(at)):
                self._alarms[number, state, at] = message

    def write(self, path: Path, rate: float, first: int = 0) -> None:
        """Write the annotation file.

        Parameters
        ----------
        path : Path
            The file, such as ``100.ecgmon``; it is there whole or not at all.
        rate : float
            The record's samples per second.
        first : int
            The record's sample at which the stream began.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        factor = rate / RATE
        atomic_write(
            path,
            encode(
                one._replace(sample=first + round(one.sample * factor)) for one in self._in_order()
            ),
        )

    def _in_order(self) -> Iterator[Annotation]:
        """Yield the annotations in the order of time.

        Anything inside of a shutdown cuts it in two that touch: bxb takes a shutdown that something
        else interrupts for a single mark in its middle.
        """
        marks = [*self._measured(), *self._called(), *self._holding()]
        inside = False
        for one in sorted([*marks, *self._quality()], key=lambda mark: mark.sample):
            if one.code == _QUALITY:
                inside = one.subtype == _UNREADABLE
                yield one
            elif inside:
                yield Annotation(one.sample, _QUALITY, _READABLE)
                yield one
                yield Annotation(one.sample, _QUALITY, _UNREADABLE)
            else:
                yield one

    def _called(self) -> Iterator[Annotation]:
        for at, label in self._beats.items():
            yield Annotation(at, _CODES[label])

    def _measured(self) -> Iterator[Annotation]:
        for first, window in self._windows.items():
            if window.heart_rate is not None:
                yield Annotation(first + WINDOW, _MEASURED, note=f"{window.heart_rate:.2f}")

    def _quality(self) -> Iterator[Annotation]:
        """Yield where signal ends and begins; a second of which nothing was published is none."""
        end, signal = 0, True
        for first, window in sorted(self._windows.items()):
            if signal and (first > end or window.state != "signal"):
                yield Annotation(end, _QUALITY, _UNREADABLE, "no signal")
                signal = False
            if not signal and window.state == "signal":
                yield Annotation(first, _QUALITY, _READABLE, "signal")
                signal = True
            end = first + WINDOW

    def _holding(self) -> Iterator[Annotation]:
        """Yield where the kinds of alarm that hold become others."""
        holding: dict[int, str] = {}
        said = UNNAMED
        for (number, state, at), alarm in sorted(self._alarms.items(), key=lambda one: one[0][2]):
            if state == "raised":
                holding[number] = alarm.kind
            elif state in ("latched", "cleared"):  # the condition has gone
                holding.pop(number, None)
            note = f"({','.join(sorted(set(holding.values())))}" if holding else UNNAMED
            if note != said:
                yield Annotation(at, _RHYTHM, note=note)
            said = note
