"""Alarm events that the annotations ask for, and a test of whether they disprove an alarm."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np
import wfdb
from numpy.typing import NDArray

from ecgmon.core.labels import AAMI_CLASSES
from ecgmon.records.fetch import obtain
from trainer.data.splits import RECORDS

MIXED: Final = ("118", "119")
NOISES: Final = ("em", "ma")
SNR_DB: Final = (18, 12, 6, 0)

Spans = list[tuple[float, float]]
"""Begin and end of events in seconds of the record."""

LIMITS: Final = {
    "extreme-low-rate": (35.0, 3),
    "low-rate": (50.0, 3),
    "high-rate": (120.0, 8),
    "extreme-high-rate": (150.0, 8),
}
"""Default limit in 1/min, and over how many RR intervals the rate is meant (docs/alarms.md)."""
CLEAR: Final = 2.0
"""In 1/min: a rate so far beyond its limit is an event; one so near to it disproves no alarm."""
PAUSE_S: Final = 4.5
"""An asystole is due after 4 s, and a beat is known 0.3 s after it happened."""
JOIN_S: Final = 10.0
"""Events closer than this are one."""
LATE_S: Final = 10.0
"""An alarm so soon after an event's end is still its alarm (IEC 60601-2-27 allows 10 s)."""
MATCH_S: Final = 0.15
"""A beat found may lie so far from its annotation (ANSI/AAMI EC57)."""
SHORTEST_S: Final = 6.0
"""Shorter fibrillations, flutters, tachycardias and asystoles of vfdb and cudb are no events."""

FIBRILLATION: Final = ("(VF", "(VFIB", "(VFL")
UNJUDGED: Final = ("(NOISE",)


def records() -> Iterator[str]:
    """Yield what every run plays: records, and mixtures ``mix/RECORD-NOISE-DB``."""
    yield from (f"mitdb/{name}" for name in RECORDS)
    yield from (f"mix/{one}-{noise}-{db}" for one in MIXED for noise in NOISES for db in SNR_DB)
    for database in ("vfdb", "cudb"):
        lines = obtain(f"{database}/{'418' if database == 'vfdb' else 'cu01'}").path.parent
        yield from (f"{database}/{name}" for name in (lines / "RECORDS").read_text().split())


def events(name: str) -> dict[str, Any]:
    """Return the episodes that a record's annotations mark.

    Returns
    -------
    dict
        ``events``: `Spans` by kind; ``wild``: `Spans` of fibrillation and flutter; ``still``: of
        annotated asystole; ``unjudged``: in which nothing is judged.
    """
    source, times, marks, end_s = annotated(name)
    has_beats = not source.startswith("vfdb")
    beats, other = beats_of(name)
    rhythms = _rhythms(times, marks, end_s)
    wild = _join([*_brackets(times, marks.symbol, end_s), *_of(rhythms, FIBRILLATION)])
    unjudged = _of(rhythms, UNJUDGED)
    found: dict[str, Spans] = {
        "fibrillation": _long(wild),
        "tachycardia": _long(_join(_of(rhythms, ("(VT",))))
        if not source.startswith("mitdb")
        else [],
        "asystole": _pauses(beats) if has_beats else _long(_of(rhythms, ("(ASYS",))),
    }
    if has_beats:
        found |= {kind: _beyond(beats, kind) for kind in LIMITS}
        found = {
            kind: [one for one in spans if kind == "fibrillation" or not _touches(one, wild)]
            for kind, spans in found.items()
        }
    if source.startswith("mitdb"):
        found["abnormal"] = _abnormal_spans(other)
    return {
        "events": {kind: _rounded(spans) for kind, spans in found.items() if spans},
        "wild": _rounded(wild),
        "still": _rounded(_of(rhythms, ("(ASYS",))),
        "unjudged": _rounded(unjudged),
    }


def annotated(name: str) -> tuple[str, NDArray[np.float64], Any, float]:
    """Return the record played under a name, its marks' times and marks, and its length in s."""
    source = f"mitdb/{name[4:7]}" if name.startswith("mix/") else name
    path = str(obtain(source).path)
    header, marks = wfdb.rdheader(path), wfdb.rdann(path, "atr")
    return source, marks.sample / header.fs, marks, header.sig_len / header.fs


def beats_of(name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the seconds of all beats, none where only rhythms are annotated, and of those not N.

    cudb calls every beat N, whatever it is: of those none is known to be another.
    """
    source, times, marks, _ = annotated(name)
    symbols = np.array(marks.symbol)
    is_beat = np.isin(symbols, [*AAMI_CLASSES]) & (not source.startswith("vfdb"))
    return times[is_beat], times[is_beat & (symbols != "N") & source.startswith("mitdb")]


def _rhythms(
    times: NDArray[np.float64],
    marks: Any,  # noqa: ANN401 - wfdb publishes no types
    end_s: float,
) -> list[tuple[str, float, float]]:
    """Return each stretch of a named rhythm; noise does not end the rhythm under it."""
    named = [(t, note.strip("\0 ")) for t, note in zip(times, marks.aux_note, strict=True)]
    named = [(float(t), note) for t, note in named if note.startswith("(")]
    stretches = []
    for i, (start, note) in enumerate(named):
        stop = named[i + 1][0] if i + 1 < len(named) else end_s
        stretches.append((note, start, stop))
    return stretches


def _brackets(times: NDArray[np.float64], symbols: list[str], end_s: float) -> Spans:
    """Return what lies between ``[`` and ``]``, to the end where the latter is missing."""
    spans, start = [], None
    for t, symbol in zip(times, symbols, strict=True):
        if symbol == "[" and start is None:
            start = float(t)
        elif symbol == "]" and start is not None:
            spans.append((start, float(t)))
            start = None
    return [*spans, (start, end_s)] if start is not None else spans


def _of(rhythms: list[tuple[str, float, float]], names: Iterable[str]) -> Spans:
    return [(start, stop) for name, start, stop in rhythms if name in names]


def _join(spans: Spans) -> Spans:
    joined: Spans = []
    for start, stop in sorted(spans):
        if joined and start - joined[-1][1] < JOIN_S:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined


def _long(spans: Spans) -> Spans:
    return [(start, stop) for start, stop in spans if stop - start >= SHORTEST_S]


def _pauses(beats: NDArray[np.float64]) -> Spans:
    return [(float(a) + 4, float(b)) for a, b in pairwise(beats) if b - a > PAUSE_S]


def _beyond(beats: NDArray[np.float64], kind: str) -> Spans:
    """Return when the rate over the last intervals was clearly beyond its limit."""
    limit, n = LIMITS[kind]
    if len(beats) <= n:
        return []
    rate = 60 * n / (beats[n:] - beats[:-n])
    far = rate < limit - CLEAR if "low" in kind else rate > limit + CLEAR
    return _join(
        [(float(a), float(b)) for a, b in zip(beats[:-n][far], beats[n:][far], strict=True)]
    )


def _abnormal_spans(other: NDArray[np.float64]) -> Spans:
    """Return when 3 of 10 seconds held a beat other than N."""
    seconds = np.unique(np.floor(other))
    third = seconds[2:] - seconds[:-2] < 10
    return _join(
        [
            (float(a), float(b) + 1)
            for a, b in zip(seconds[:-2][third], seconds[2:][third], strict=True)
        ]
    )


def _touches(span: tuple[float, float], others: Iterable[Iterable[float]]) -> bool:
    return any(span[0] < stop + LATE_S and start - LATE_S < span[1] for start, stop in others)


def _rounded(spans: Spans) -> list[list[float]]:
    return [[round(start, 2), round(stop, 2)] for start, stop in spans]


def false(
    kind: str,
    at: float,
    truth: dict[str, Any],
    beats: NDArray[np.float64],
    other: NDArray[np.float64],
) -> bool | None:
    """Tell whether the annotations disprove an alarm; None where they cannot."""
    if _touches((at, at), truth["wild"]) or _touches((at, at), truth["unjudged"]):
        return None
    if kind in ("asystole", "flat-line") and not len(beats):
        return not _touches((at - 4, at), truth["still"])
    if not len(beats):
        return None
    if kind in ("asystole", "flat-line"):
        return bool(np.any((beats >= at - 4 + MATCH_S) & (beats < at - MATCH_S)))
    if kind == "abnormal":
        return not np.any((other >= at - 10) & (other < at)) if len(other) else None
    if kind not in LIMITS:
        return None
    limit, n = LIMITS[kind]
    ends = np.append(beats[beats < at], at)
    lengths = (n, n + 1) if "low" in kind else (n,)
    for m in lengths:
        rates = 60 * m / (ends[m:] - ends[:-m])
        lately = rates[ends[m:] > at - LATE_S]
        if np.any(lately < limit + CLEAR if "low" in kind else lately > limit - CLEAR):
            return False
    return True
