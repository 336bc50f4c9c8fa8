"""The scoreboard: what the monitor published against what the annotations say."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core import labels
from ecgmon.core.constants import RATE, WINDOW
from ecgmon.holter.feed import TotalsFeed
from ecgmon.holter.figures import Figures, figures, of_stream
from ecgmon.metrics.two_classes import Confusion
from ecgmon.models.card import Card
from ecgmon.records import Record
from ecgmon.wire import messages
from replay.scoring.truth import has_beat_classes, in_ventricular_rhythm, truth_of_windows
from replay.simulator.truth import MATCH

ABNORMAL_S: Final = 10
"""An alarm of abnormal beats is false if none is annotated in these seconds before it."""
ASYSTOLE_S: Final = 4
"""An asystole alarm is false if a beat is annotated in these seconds before it, later than `MATCH`
after they begin: they begin with a beat, which may be found before its annotation."""
LATENCIES: Final = 20_000
"""How many of the latest latencies are kept."""


@dataclass(frozen=True, slots=True)
class Played:
    """What part of which record is played.

    Parameters
    ----------
    record : Record
        The record.
    first : int
        Its sample at which the stream begins, a multiple of the window.
    score_from : int
        Windows of the record before this one play but are not scored.
    """

    record: Record
    first: int
    score_from: int


class Scoreboard:
    """Counts, from published messages alone.

    Parameters
    ----------
    played : Played
        What is played.
    card : Card or None
        Card of the wearer's model, None where the monitor is another process with its own.
    available_at : callable
        When the device could have sent a stream sample, for the latency.
    """

    def __init__(
        self, played: Played, card: Card | None, available_at: Callable[[int], float | None]
    ) -> None:
        self._played = played
        self._card = card
        self._available_at = available_at
        record = played.record
        self._labels = truth_of_windows(record)
        self._lock = threading.Lock()
        self._confusion = Confusion()
        self._latencies: deque[float] = deque(maxlen=LATENCIES)
        self._next_window = 0
        self._seen = 0
        self._unsettled = 0
        self._states = dict.fromkeys(("signal", "noisy", "absent"), 0)
        self.alarms: list[messages.Alarm] = []
        self._false_alarms = 0
        self._classified = 0
        self._gaps = 0
        self._received = 0
        self._opened: messages.Opened | None = None
        self._beats = TotalsFeed()
        self.end: int | None = None

    def take(self, message: messages.Published, arrival: float) -> None:
        """Count a message that arrived at monotonic time ``arrival``."""
        with self._lock:
            self._beats.take(message)
            match message:
                case messages.Opened():
                    self._opened, self.end = message, None
                case messages.Closed(end=end):
                    self.end = end
                case messages.Gap(judged=False):
                    self._gaps += 1
                case messages.Link(received=received):
                    self._received = received
                case messages.Window():
                    self._window(message, arrival)
                case messages.Alarm():
                    self._alarm(message)
                case messages.Trace():
                    pass

    def beat_totals(self) -> Figures | None:
        """Return the figures of the beats, None where nobody judged any."""
        with self._lock:
            totals = self._beats.totals()
        return figures(totals, of_stream) if totals.classes else None

    def line(self) -> str | None:
        """Return the score so far in one line, None for a record without annotations."""
        with self._lock:
            if self._labels is None:
                return None
            if self._played.score_from and not self._confusion.total:
                minutes, seconds = divmod(self._played.score_from, 60)
                return f"enrolment minutes are not scored: scores from {minutes:02}:{seconds:02} on"
            return score_line(self._confusion)

    def result(self, sent: int) -> dict[str, Any]:
        """Return all figures, by the names that ``--json`` documents."""
        with self._lock:
            score, record, opened = self._confusion, self._played.record, self._opened
            windows = sum(self._states.values())
            hours = score.total * WINDOW / RATE / 3600
            latency = np.array(self._latencies) * 1000
            annotated = self._labels is not None
            return {
                "record": record.name,
                "patient": record.wearer,
                "annotated": annotated,
                "beat_classes": annotated and has_beat_classes(record),
                "model": opened.model if opened else None,
                "threshold": opened.threshold if opened else None,
                "look_ahead_s": opened.look_ahead_s if opened else None,
                "windows": windows,
                "classified": self._classified,
                "skipped": windows - self._classified,
                "noisy": self._states["noisy"],
                "absent": self._states["absent"],
                "unsettled": self._unsettled,
                "scored": score.total,
                "tp": score.tp,
                "fp": score.fp,
                "tn": score.tn,
                "fn": score.fn,
                "sensitivity": score.sensitivity,
                "ppv": score.ppv,
                "balanced_accuracy": score.balanced_accuracy,
                "f1": score.f1,
                "false_alarms": self._false_alarms if annotated else None,
                "false_alarms_per_hour": self._false_alarms / hours if hours else None,
                "latency_ms_p50": _percentile(latency, 50),
                "latency_ms_p99": _percentile(latency, 99),
                "samples_sent": sent,
                "samples_received": self._received,
                "gaps": self._gaps,
                "trained_on_share": self._seen / score.total
                if score.total and self._card
                else None,
                "alarms": [
                    {
                        "alarm": a.alarm,
                        "kind": a.kind,
                        "priority": a.priority,
                        "state": a.state,
                        "at_s": None if a.at is None else a.at / RATE,
                    }
                    for a in self.alarms
                ],
            }

    def _window(self, window: messages.Window, arrival: float) -> None:
        if window.first < self._next_window:
            return  # a monitor that was restarted says again what it had not acknowledged
        self._next_window = window.first + WINDOW
        self._states[window.state] += 1
        self._unsettled += window.abnormal is None and window.state == "signal"
        self._classified += window.abnormal is not None
        if window.abnormal is None or self._opened is None:
            return
        needed = window.first + WINDOW + round(self._opened.look_ahead_s * RATE)
        available = self._available_at(needed - 1)
        if available is not None:
            self._latencies.append(arrival - available)
        at = (self._played.first + window.first) // WINDOW
        truth = self._truth(at)
        if truth is not None:
            self._confusion = self._confusion.plus(truth=truth, called=window.abnormal)
            self._seen += bool(self._card and self._card.has_seen(self._played.record.name, at))

    def _truth(self, at: int) -> bool | None:
        """Tell whether a window is abnormal, None where it is not scored."""
        if self._labels is None or not self._played.score_from <= at < len(self._labels):
            return None
        label = self._labels[at]
        return None if label == labels.UNLABELLED else bool(label == labels.ABNORMAL)

    def _alarm(self, alarm: messages.Alarm) -> None:
        # What stands is said again to everyone whenever somebody begins to listen.
        if alarm in self.alarms:
            return
        self.alarms.append(alarm)
        record = self._played.record
        if alarm.state != "raised" or alarm.at is None or record.annotations is None:
            return
        if alarm.count > 1:  # a burst is one alarm, judged by its first beginning
            return
        at = self._played.first + alarm.at
        if at <= self._played.score_from * WINDOW:
            return
        beat = labels.is_beat(record.annotations)
        abnormal = labels.is_abnormal(record.annotations)
        # What disproves an alarm: no abnormal beat, or a beat, in the seconds it speaks of.
        if alarm.kind == "abnormal":
            self._false_alarms += has_beat_classes(record) and not (
                self._any(abnormal, at - ABNORMAL_S * RATE, at)
                or in_ventricular_rhythm(record, at - ABNORMAL_S * RATE, at)
            )
        elif alarm.kind == "asystole":
            self._false_alarms += self._any(beat, at - ASYSTOLE_S * RATE + MATCH + 1, at)

    def _any(self, which: NDArray[np.bool_], start: int, stop: int) -> bool:
        annotations = self._played.record.annotations
        if annotations is None:
            return False
        inside = (annotations.samples >= start) & (annotations.samples < stop)
        return bool(np.any(which & inside))


def score_line(score: Confusion) -> str:
    """Return a confusion and its figures in one line."""
    balanced, f1 = (
        "-" if value is None else f"{value:.3f}" for value in (score.balanced_accuracy, score.f1)
    )
    return (
        f"balanced accuracy {balanced}  F1 {f1}  "
        f"TP {score.tp}  FP {score.fp}  TN {score.tn}  FN {score.fn}"
    )


def _percentile(values: NDArray[np.float64], q: float) -> float | None:
    return float(np.percentile(values, q)) if len(values) else None
