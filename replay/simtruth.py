"""Which alerts a simulated stream must lead to, worked out from its beats and intervals.

The monitor's rules, in stream time:

- ``abnormal``: at least 3 of the last 10 one-second windows hold a beat other than ``N``;
  cleared after 30 windows in a row without one.
- ``asystole``: 4 s without a beat; cleared at the second beat again.
- ``no-signal``: 3 s in a row absent; cleared after 3 s in a row present.
- ``noisy``: 5 of the last 10 s noisy; cleared after 10 s in a row without noise.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ecgmon.grid import RATE, WINDOW
from ecgmon.records import Annotations

AlertKind = Literal["abnormal", "asystole", "no-signal", "noisy"]
Span = tuple[int, int]
"""Sample indices: the first of the span and the first after it."""

EARLY: Final = RATE
"""A second that the condition fills only in part may already count."""
LATE: Final = 3 * RATE
"""A second that it fills only in part may not count yet; filters and the beat detector settle
within about a second after a disturbance, the model looks up to 0.5 s ahead."""
MATCH: Final = round(0.15 * RATE)
"""How far a detected beat may lie from the true one: the match window of ANSI/AAMI EC57."""
MISSES: Final = 2
"""A classifier may miss this many abnormal windows of those that decide on an alert."""


@dataclass(frozen=True, slots=True)
class ExpectedAlert:
    """An alert that the monitor must raise and clear.

    An interval that reaches past the end of the stream binds nobody: the alert may be raised
    (or cleared) inside it, but the stream may also end before.

    Parameters
    ----------
    kind : {'abnormal', 'asystole', 'no-signal', 'noisy'}
        Which alert.
    after, before : int
        It must be raised at a sample index from ``after`` to ``before``, both included.
    cleared : tuple of (int, int) or None
        It must be cleared at a sample index from the first to the second, both included; None if
        it must still stand at the end of the stream.
    """

    kind: AlertKind
    after: int
    before: int
    cleared: Span | None


def expected_alerts(
    beats: Annotations,
    n_samples: int,
    *,
    missing: Iterable[Span],
    lead_off: Iterable[Span],
    noisy: Iterable[Span],
) -> tuple[ExpectedAlert, ...]:
    """Apply the monitor's rules to what truly happens in a stream.

    Parameters
    ----------
    beats : Annotations
        Every beat of the stream.
    n_samples : int
        Length of the stream, at least one window.
    missing, lead_off, noisy : iterable of (start, stop)
        Sample index ranges that are never delivered, not measured, or covered by noise; they may
        reach past the end of the stream.

    Returns
    -------
    tuple of ExpectedAlert
        In the order of ``after``.
    """
    ectopic = beats.samples[[symbol != "N" for symbol in beats.symbols]]
    alerts = [*_abnormal(ectopic, n_samples), *_asystole(beats.samples, n_samples)]
    for start, stop in lead_off:
        alerts += _while("no-signal", (start, stop), n_samples, raise_s=3, clear_s=3)
    for start, stop in missing:
        # Nobody can tell from the stream alone that samples are missing until one comes again.
        alerts += _while("no-signal", (start, stop), n_samples, raise_s=3, clear_s=3, seen=stop)
    for start, stop in noisy:
        alerts += _while("noisy", (start, stop), n_samples, raise_s=5, clear_s=10)
    return tuple(sorted(alerts, key=lambda alert: alert.after))


def _while(
    kind: AlertKind, span: Span, n_samples: int, *, raise_s: int, clear_s: int, seen: int = 0
) -> Iterator[ExpectedAlert]:
    """Expect an alert for a condition that holds throughout a span, not seen before ``seen``."""
    raised = span[0] + raise_s * RATE
    cleared = span[1] + clear_s * RATE
    if raised - EARLY < min(span[1], n_samples):
        yield ExpectedAlert(
            kind,
            raised - EARLY,
            max(raised, seen) + LATE,
            (cleared - EARLY, cleared + LATE) if cleared - EARLY < n_samples else None,
        )


def _asystole(beats: NDArray[np.int64], n_samples: int) -> Iterator[ExpectedAlert]:
    following = np.append(beats, n_samples)[1:]
    for i in np.flatnonzero(following - beats > 4 * RATE - MATCH):
        raised = int(beats[i]) + 4 * RATE
        second = int(beats[i + 2]) if i + 2 < len(beats) else n_samples
        yield ExpectedAlert(
            "asystole",
            raised - MATCH,
            raised + LATE,
            (second - MATCH, second + LATE) if second < n_samples else None,
        )


def _abnormal(ectopic: NDArray[np.int64], n_samples: int) -> Iterator[ExpectedAlert]:
    """Run the rule on the windows that must and on those that may count as abnormal.

    The earliest raise and the latest clearing come from the windows that may, the latest raise
    and the earliest clearing from those that must, less the `MISSES` that a classifier is allowed.
    """
    n_windows = n_samples // WINDOW
    must = _windows(ectopic, n_windows)
    may = must | _windows(ectopic - MATCH, n_windows) | _windows(ectopic + MATCH, n_windows)
    may_raise = _recent(may, 10) >= 3
    must_raise = _recent(must, 10) >= 3 + MISSES
    may_clear = _recent(must, 30) <= MISSES
    must_clear = _recent(may, 30) == 0

    raised = _first(may_raise, 0)
    while raised < n_windows:
        latest_raised = _first(must_raise, raised)
        cleared = _first(may_clear, latest_raised)
        latest_cleared = _first(must_clear, cleared)
        yield ExpectedAlert(
            "abnormal",
            _end(raised),
            _end(latest_raised) + LATE,
            (_end(cleared), _end(latest_cleared) + LATE) if cleared < n_windows else None,
        )
        raised = _first(may_raise, latest_cleared)


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
