"""Alarms that a simulated stream must lead to, computed from its beats and intervals.

The monitor's rules, in stream time:

- ``abnormal``: at least 3 of the last 10 one-second windows hold a beat other than ``N``;
  over after 30 windows in a row without one.
- ``asystole``: 4 s without a beat; over at the second beat again.
- ``no-signal``: two seconds in a row absent, each for more than its half; over after three in a
  row that are not.
- ``noisy``: 5 of the last 10 s noisy; over after 10 s in a row without noise.
- ``ventricular-tachycardia`` and ``ventricular-fibrillation``: a model judges their shape, so that
  nothing decides which runs of ventricular beats raise them; without a run neither is raised.
- the four of the heart rate: `replay.simulator.rate_truth`. While an extreme rate is alarmed, the
  plain one is not.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.annotations import Annotations
from ecgmon.core.constants import RATE, WINDOW
from replay.simulator.rate_truth import RateKind, Span, rate_flags

VentricularKind = Literal["ventricular-fibrillation", "ventricular-tachycardia"]
AlarmKind = Literal["abnormal", "asystole", "no-signal", "noisy"] | RateKind | VentricularKind
LATCHING: Final = frozenset(
    {"asystole", "extreme-low-rate", "extreme-high-rate", *get_args(VentricularKind)}
)
"""Kinds whose alarm stays when it is over, until somebody acknowledges it."""

EARLY: Final = RATE
"""A second that the condition fills only in part may already count."""
LATE: Final = 3 * RATE
"""A second that it fills only in part may not count yet; filters and the beat detector settle
within about a second after a disturbance, the model looks up to 0.5 s ahead."""
MATCH: Final = round(0.15 * RATE)
"""How far a detected beat may lie from the true one: the match window of ANSI/AAMI EC57."""
MISSES: Final = 2
"""A classifier may miss this many abnormal windows of those that decide on an alarm."""
EARLY_RR: Final = round(0.55 * RATE)
"""A beat after a shorter RR interval may be taken for a premature one."""
RUN_BEATS: Final = 3
"""Ventricular beats in a row that may have the shape of a tachycardia..."""
RUN_SEEN: Final = 25 * RATE
"""...in which its alarm is raised or over up to so long after the last of them."""
_WORSE: Final[dict[AlarmKind, AlarmKind]] = {
    "low-rate": "extreme-low-rate",
    "high-rate": "extreme-high-rate",
}


@dataclass(frozen=True, slots=True)
class ExpectedAlarm:
    """An alarm that the monitor must raise, and that must be over again.

    An alarm that is over is *cleared*, or *latched* if its kind is one of `LATCHING`. An interval
    that reaches past the end of the stream binds nobody: the alarm may be raised (or over) inside
    it, but the stream may also end before.

    Parameters
    ----------
    kind : str
        Which alarm.
    after, before : int
        It must be raised at a sample index from ``after`` to ``before``, both included.
    ended : tuple of (int, int) or None
        It must be over at a sample index from the first to the second, both included; None if
        it must still go on at the end of the stream.
    sure : bool
        If not, nothing decides whether it is raised within these bounds, nor how often.
    """

    kind: AlarmKind
    after: int
    before: int
    ended: Span | None
    sure: bool = True


def expected_alarms(
    beats: Annotations,
    n_samples: int,
    *,
    missing: Collection[Span],
    lead_off: Collection[Span],
    noisy: Collection[Span],
) -> tuple[ExpectedAlarm, ...]:
    """Apply the monitor's rules to what truly happens in a stream.

    Parameters
    ----------
    beats : Annotations
        Every beat of the stream.
    n_samples : int
        Length of the stream, at least one window.
    missing, lead_off, noisy : collection of (start, stop)
        Sample index ranges that are never delivered, not measured, or covered by noise; they may
        reach past the end of the stream.

    Returns
    -------
    tuple of ExpectedAlarm
        In the order of ``after``.
    """
    lost = [*missing, *lead_off, *noisy]
    alarms = [
        *_abnormal(beats, n_samples),
        *_asystole(beats.samples, n_samples),
        *_no_signal([*missing, *lead_off], n_samples),
        *_rate(beats.samples, n_samples, lost),
        *_ventricular(beats),
    ]
    for span in noisy:
        alarms += _noisy(span, n_samples)
    return tuple(sorted(alarms, key=lambda alarm: alarm.after))


def _noisy(span: Span, n_samples: int) -> Iterator[ExpectedAlarm]:
    raised, ended = span[0] + 5 * RATE, span[1] + 10 * RATE
    if raised - EARLY < min(span[1], n_samples):
        yield ExpectedAlarm(
            "noisy",
            raised - EARLY,
            raised + LATE,
            (ended - EARLY, ended + LATE) if ended - EARLY < n_samples else None,
        )


def _no_signal(absent: Collection[Span], n_samples: int) -> Iterator[ExpectedAlarm]:
    """Run the rule on the seconds; a gap shows when a sample comes again, but counts as it is."""
    samples = np.zeros(n_samples // WINDOW * WINDOW, dtype=bool)
    for start, stop in absent:
        samples[start:stop] = True
    seconds = 2 * samples.reshape(-1, WINDOW).sum(axis=1) > WINDOW
    raises, ends = _recent(seconds, 2) == 2, _recent(seconds, 3) == 0
    return _decided("no-signal", raises, raises, ends, ends)


def _asystole(beats: NDArray[np.int64], n_samples: int) -> Iterator[ExpectedAlarm]:
    following = np.append(beats, n_samples)[1:]
    for i in np.flatnonzero(following - beats > 4 * RATE - MATCH):
        raised = int(beats[i]) + 4 * RATE
        second = int(beats[i + 2]) if i + 2 < len(beats) else n_samples
        yield ExpectedAlarm(
            "asystole",
            raised - MATCH,
            raised + LATE,
            (second - MATCH, second + LATE) if second < n_samples else None,
        )


def _rate(beats: NDArray[np.int64], n_samples: int, lost: Collection[Span]) -> list[ExpectedAlarm]:
    """Expect the alarms of the heart rate.

    Whether a rate that is extreme anyway raised the plain alarm first, for a second, or whether
    that one comes back in between, is left open.
    """
    alarms: list[ExpectedAlarm] = []
    for flags in rate_flags(beats, n_samples // WINDOW, lost):
        alarms += _decided(*flags)
    found: list[ExpectedAlarm] = []
    for alarm in alarms:
        last = alarm.ended[1] if alarm.ended else n_samples
        worse = (other for other in alarms if other.kind == _WORSE.get(alarm.kind))
        hidden = any(alarm.after <= other.after <= last for other in worse)
        found.append(_open(alarm.kind, alarm.after, last) if hidden else alarm)
    return found


def _ventricular(beats: Annotations) -> Iterator[ExpectedAlarm]:
    """Leave open what runs of ventricular beats raise; those soon after each other are one."""
    spans: list[Span] = []
    run: list[int] = []
    for at, symbol in zip([*beats.samples.tolist(), -1], [*beats.symbols, "N"], strict=True):
        if symbol == "V":
            run.append(at)
            continue
        if len(run) >= RUN_BEATS:
            start = spans.pop()[0] if spans and run[0] <= spans[-1][1] else run[0]
            spans.append((start, run[-1] + RUN_SEEN))
        run = []
    for start, last in spans:
        for kind in get_args(VentricularKind):
            yield _open(kind, start, last)


def _open(kind: AlarmKind, after: int, last: int) -> ExpectedAlarm:
    """Leave an alarm between two samples open."""
    return ExpectedAlarm(kind, after, last, (after, last), sure=False)


def _abnormal(beats: Annotations, n_samples: int) -> Iterator[ExpectedAlarm]:
    """Run the rule on the windows that must and on those that may count as abnormal.

    Less the `MISSES` that a classifier is allowed. It may also take a beat for a premature one that
    comes as early in a fast rhythm.
    """
    n_windows = n_samples // WINDOW
    ectopic = np.array([symbol != "N" for symbol in beats.symbols])
    early = np.diff(beats.samples, prepend=-RATE) < EARLY_RR
    must = _windows(beats.samples[ectopic], n_windows)
    doubtful = beats.samples[ectopic | early]
    may = must | _windows(doubtful - MATCH, n_windows) | _windows(doubtful + MATCH, n_windows)
    return _decided(
        "abnormal",
        _recent(may, 10) >= 3,
        _recent(must, 10) >= 3 + MISSES,
        _recent(must, 30) <= MISSES,
        _recent(may, 30) == 0,
    )


def _decided(
    kind: AlarmKind,
    may_raise: NDArray[np.bool_],
    must_raise: NDArray[np.bool_],
    may_end: NDArray[np.bool_],
    must_end: NDArray[np.bool_],
) -> Iterator[ExpectedAlarm]:
    """Expect the alarms of a kind from when it may or must be raised or over, each second.

    The earliest times come from the seconds that may, the latest from those that must.
    """
    n = len(may_raise)
    raised = _first(may_raise, 0)
    while raised < n:
        latest_raised = _first(must_raise, raised)
        over = _first(must_end, raised)
        if over < latest_raised or latest_raised == n:
            yield _open(kind, _end(raised), _end(over) + LATE)
            raised = _first(may_raise, over)
            continue
        ended = _first(may_end, latest_raised)
        latest_ended = _first(must_end, ended)
        yield ExpectedAlarm(
            kind,
            _end(raised),
            _end(latest_raised) + LATE,
            (_end(ended), _end(latest_ended) + LATE) if ended < n else None,
        )
        raised = _first(may_raise, latest_ended)


def _windows(samples: NDArray[np.int64], n_windows: int) -> NDArray[np.bool_]:
    """Tell which windows hold any of the samples."""
    return np.bincount(np.maximum(samples, 0) // WINDOW, minlength=n_windows)[:n_windows] > 0


def _recent(flags: NDArray[np.bool_], n: int) -> NDArray[np.intp]:
    """Count the flags that are set among the last ``n``, at each flag."""
    return np.convolve(flags.astype(np.intp), np.ones(n, dtype=np.intp))[: len(flags)]


def _first(flags: NDArray[np.bool_], start: int) -> int:
    """Return where the first flag from ``start`` on is set, or the length if none is."""
    found = np.flatnonzero(flags[start:])
    return start + int(found[0]) if len(found) else len(flags)


def _end(window: int) -> int:
    return (window + 1) * WINDOW
