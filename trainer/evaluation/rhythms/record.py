"""One record: its annotated rhythms, and the alarms that a monitor raised of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ecgmon.core.annotations import Annotations
from ecgmon.core.constants import RATE
from ecgmon.core.rhythm_notes import noise_spans, rhythm_spans
from ecgmon.records import Record
from ecgmon.records.formats.wfdb.annotations import Annotation, symbol
from trainer.evaluation.rhythms.episodes import Span, joined, touched, without

FIBRILLATION: Final = "ventricular-fibrillation"
TACHYCARDIA: Final = "ventricular-tachycardia"
ATRIAL: Final = "atrial-fibrillation"
ASYSTOLE: Final = "asystole"
_FLAT_LINE: Final = "flat-line"
_ATRIAL_FLUTTER: Final = "atrial-flutter"
_KINDS: Final = (FIBRILLATION, TACHYCARDIA, ATRIAL, ASYSTOLE)
LONG: Final = 10 * RATE
"""Episodes from this many samples on are asked for; shorter ones are reported apart."""
_HOLDS: Final = "+"


@dataclass(frozen=True, slots=True)
class RhythmRecord:
    """What experts and a monitor say of a record, in samples at 360 Hz.

    Parameters
    ----------
    name : str
        The record.
    samples : int
        Its length.
    annotated : dict of str to list of (int, int)
        Episodes by rhythm, gaps of 2 s closed.
    announced : dict of str to list of (int, int)
        From where to where each kind of alarm held; *flat-line* counts as *asystole*.
    noise : list of (int, int)
        Where the annotations call the signal noise.
    flutter : list of (int, int)
        Where they call the rhythm atrial flutter, which nobody asks for.
    """

    name: str
    samples: int
    annotated: dict[str, list[Span]]
    announced: dict[str, list[Span]]
    noise: list[Span] = field(default_factory=list)
    flutter: list[Span] = field(default_factory=list)

    @property
    def ventricular(self) -> list[Span]:
        """Annotated episodes of either ventricular rhythm, joined."""
        return joined([*self.annotated[FIBRILLATION], *self.annotated[TACHYCARDIA]])

    @property
    def alarms(self) -> list[Span]:
        """Announced episodes of either ventricular rhythm, joined."""
        return joined([*self.announced[FIBRILLATION], *self.announced[TACHYCARDIA]])

    @property
    def false(self) -> list[Span]:
        """Alarms of either ventricular rhythm while neither was annotated, nor noise."""
        allowed = [*self.ventricular, *self.noise]
        return [one for one in self.alarms if not touched(one, allowed)]

    @property
    def atrial(self) -> list[Span]:
        """Announced atrial fibrillation, but for what lies in annotated atrial flutter."""
        return without(self.announced[ATRIAL], self.flutter)

    def burden(self, spans: Sequence[Span]) -> float:
        """Return the share of the record that some spans fill."""
        return sum(stop - start for start, stop in spans) / self.samples

    @property
    def outside_hours(self) -> float:
        """Hours in which no ventricular rhythm is annotated."""
        inside = sum(stop - start for start, stop in self.ventricular)
        return (self.samples - inside) / RATE / 3600


def rhythm_record(record: Record, published: Sequence[Annotation]) -> RhythmRecord:
    """Compare a record's rhythm annotations with what `replay.scoring.annotations` wrote of it.

    Parameters
    ----------
    record : Record
        At 360 Hz.
    published : sequence of Annotation
        At 360 Hz.
    """
    marks = record.annotations or Annotations(np.zeros(0, dtype=np.int64), ())
    end = len(record.samples)
    spans = rhythm_spans(marks, end)
    announced = {kind: _holding(published, kind, end) for kind in _KINDS}
    announced[ASYSTOLE] = joined([*announced[ASYSTOLE], *_holding(published, _FLAT_LINE, end)])
    return RhythmRecord(
        record.name,
        end,
        {kind: joined(s[:2] for s in spans if s.rhythm == kind) for kind in _KINDS},
        announced,
        noise_spans(marks, end),
        joined(s[:2] for s in spans if s.rhythm == _ATRIAL_FLUTTER),
    )


def _holding(published: Sequence[Annotation], kind: str, end: int) -> list[Span]:
    """Return from where to where a kind of alarm held."""
    found: list[Span] = []
    since: int | None = None
    for one in published:
        if symbol(one) != _HOLDS:
            continue
        holds = kind in one.note.strip("\0(").split(",")
        if holds and since is None:
            since = one.sample
        elif not holds and since is not None:
            found.append((since, one.sample))
            since = None
    return [*found, (since, end)] if since is not None else found
