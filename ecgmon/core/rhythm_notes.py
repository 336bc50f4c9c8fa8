"""Rhythms that experts have annotated: from where to where each lasts, in one set of names."""

from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from ecgmon.core.annotations import Annotations

Rhythm = Literal[
    "ventricular-fibrillation",
    "ventricular-tachycardia",
    "asystole",
    "atrial-fibrillation",
    "atrial-flutter",
    "other",
]
"""A rhythm's name; all those without one of their own here are *other*."""
RHYTHM_OF_NOTE: Final = MappingProxyType[str, Rhythm](
    {
        "(VF": "ventricular-fibrillation",
        "(VFIB": "ventricular-fibrillation",
        "(VFL": "ventricular-fibrillation",
        "(VT": "ventricular-tachycardia",
        "(ASYS": "asystole",
        "(AFIB": "atrial-fibrillation",
        "(AFL": "atrial-flutter",
    }
)
"""The rhythm of each note of MIT-BIH's databases. Ventricular flutter counts as fibrillation, which
vfdb notes in two ways."""
SINUS_NOTES: Final = ("(N", "(NSR")
"""Notes of normal sinus rhythm."""
NOISE_NOTE: Final = "(NOISE"
"""vfdb's note of noise. It does not end the rhythm before it, which goes on under it."""
_VENTRICULAR: Final = ("ventricular-fibrillation", "ventricular-tachycardia")
_BEGINS, _ENDS, _CHANGE = "[", "]", "+"


class RhythmSpan(NamedTuple):
    """A rhythm from sample ``start`` to before ``stop``."""

    start: int
    stop: int
    rhythm: Rhythm


def rhythm_spans(annotations: Annotations, end: int) -> list[RhythmSpan]:
    """Return the annotated rhythms of a record, in the order of their beginnings.

    Parameters
    ----------
    annotations : Annotations
        Those of the record.
    end : int
        Its number of samples: the last rhythm lasts until there.

    Returns
    -------
    list of RhythmSpan
        None of them empty, but for *other* all that are annotated. What lies between ``[`` and
        ``]`` is ventricular fibrillation, as is what follows a ``[`` that no ``]`` ends. Where a
        record has both these marks and notes, spans of the two may overlap.
    """
    spans: list[RhythmSpan] = []
    rhythm: Rhythm = "other"
    since, flutter = 0, -1
    noted = annotations.notes or ("",) * len(annotations.symbols)
    for at, symbol, note in zip(
        annotations.samples.tolist(), annotations.symbols, noted, strict=True
    ):
        if symbol == _BEGINS and flutter < 0:
            flutter = at
        elif symbol == _ENDS and flutter >= 0:
            spans.append(RhythmSpan(flutter, at, "ventricular-fibrillation"))
            flutter = -1
        elif symbol == _CHANGE and note.startswith("(") and note != NOISE_NOTE:
            now = RHYTHM_OF_NOTE.get(note, "other")
            if now != rhythm:
                spans.append(RhythmSpan(since, at, rhythm))
                since, rhythm = at, now
    spans.append(RhythmSpan(since, end, rhythm))
    if flutter >= 0:
        spans.append(RhythmSpan(flutter, end, "ventricular-fibrillation"))
    return sorted(s for s in spans if s.rhythm != "other" and s.start < s.stop)


def ventricular_spans(annotations: Annotations, end: int) -> list[tuple[int, int]]:
    """Return where fibrillation, flutter or a ventricular tachycardia is annotated.

    Parameters
    ----------
    annotations, end
        As `rhythm_spans` takes them.
    """
    spans = rhythm_spans(annotations, end)
    return [(span.start, span.stop) for span in spans if span.rhythm in _VENTRICULAR]


def sinus_spans(annotations: Annotations, end: int) -> list[tuple[int, int]]:
    """Return where a record's notes call the rhythm normal: each until the next note or ``[``.

    Parameters
    ----------
    annotations, end
        As `rhythm_spans` takes them.
    """
    spans: list[tuple[int, int]] = []
    since = -1
    noted = annotations.notes or ("",) * len(annotations.symbols)
    for at, symbol, note in zip(
        annotations.samples.tolist(), annotations.symbols, noted, strict=True
    ):
        if symbol != _BEGINS and not note.startswith("("):
            continue
        if since >= 0:
            spans.append((since, at))
        since = at if note in SINUS_NOTES else -1
    return [*spans, (since, end)] if since >= 0 else spans


def noise_spans(annotations: Annotations, end: int) -> list[tuple[int, int]]:
    """Return where a record's notes call the signal noise: each until the next note of a rhythm."""
    spans: list[tuple[int, int]] = []
    since = -1
    noted = annotations.notes or ("",) * len(annotations.symbols)
    for at, note in zip(annotations.samples.tolist(), noted, strict=True):
        if not note.startswith("("):
            continue
        if since >= 0:
            spans.append((since, at))
        since = at if note == NOISE_NOTE else -1
    return [*spans, (since, end)] if since >= 0 else spans
