"""Alerts of one wearer: a pure state machine over the seconds of the stream.

Its time is stream time, so the same signal gives the same alerts at any replay speed.

A condition is *raised* when it holds in k of the last n seconds, and *cleared* after a longer
stretch of seconds without it. A raised alert can be *acknowledged* by a person in between.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Literal

from ecgmon.grid import RATE, WINDOW
from ecgmon.wire.messages import AlertState, Priority, SignalState

Kind = Literal["abnormal", "asystole", "no-signal", "noisy"]

ASYSTOLE: Final = 4 * RATE
"""Samples without a beat, while there is signal, that mean asystole."""
PRIORITY: Final[dict[Kind, Priority]] = {
    "asystole": "high",
    "abnormal": "medium",
    "no-signal": "medium",
    "noisy": "low",
}


@dataclass(frozen=True, slots=True)
class Hysteresis:
    """Raise at ``k`` of the last ``n`` seconds; clear after ``clear`` seconds in a row without."""

    k: int
    n: int
    clear: int


@dataclass(frozen=True, slots=True)
class AlertRules:
    """What raises and clears the alerts."""

    abnormal: Hysteresis = Hysteresis(3, 10, 30)
    no_signal: Hysteresis = Hysteresis(3, 3, 3)
    noisy: Hysteresis = Hysteresis(5, 10, 10)


@dataclass(frozen=True, slots=True)
class Second:
    """What is known of the second that ends at stream index ``end``.

    ``beats`` counts the stream's beats so far, across gaps too.
    """

    end: int
    state: SignalState
    abnormal: bool | None
    last_beat: int
    beats: int


@dataclass(frozen=True, slots=True)
class Transition:
    """An alert changed its state."""

    alert: int
    kind: Kind
    priority: Priority
    state: AlertState
    at: int
    text: str
    by: str | None = None


@dataclass(slots=True)
class _Burden:
    """Whether a condition holds, by its hysteresis."""

    rule: Hysteresis
    recent: deque[bool] = field(default_factory=deque)
    without: int = 0

    def holds(self, now: bool, standing: bool) -> bool:
        self.recent.append(now)
        if len(self.recent) > self.rule.n:
            self.recent.popleft()
        self.without = 0 if now else self.without + 1
        if not standing:
            return sum(self.recent) >= self.rule.k
        if self.without < self.rule.clear:
            return True
        self.recent.clear()  # what raised it before cannot raise it again
        return False


class Alerts:
    """The alerts of one wearer.

    Parameters
    ----------
    rules : AlertRules
        What raises and clears them.
    """

    def __init__(self, rules: AlertRules) -> None:
        self._rules = rules
        self._burdens: dict[Kind, _Burden] = {
            "abnormal": _Burden(rules.abnormal),
            "no-signal": _Burden(rules.no_signal),
            "noisy": _Burden(rules.noisy),
        }
        self._standing: dict[Kind, Transition] = {}
        self._count = 0
        self._signal_since: int | None = None
        self._beats_at_asystole = 0

    @property
    def standing(self) -> list[Transition]:
        """The alerts not cleared, each as it was last raised or acknowledged."""
        return list(self._standing.values())

    def observe(self, second: Second) -> list[Transition]:
        """Take the next second of the stream and return what changes by it."""
        if second.state != "signal":
            self._signal_since = None
        elif self._signal_since is None:
            self._signal_since = second.end - WINDOW
        now: dict[Kind, bool] = {
            "abnormal": second.abnormal is True,
            "no-signal": second.state == "absent",
            "noisy": second.state == "noisy",
        }
        holds = {
            kind: burden.holds(now[kind], kind in self._standing)
            for kind, burden in self._burdens.items()
        }
        holds["asystole"] = self._asystole(second)
        return [
            change
            for kind, wanted in holds.items()
            if (change := self._change(kind, wanted, second.end)) is not None
        ]

    def acknowledge(self, alert: int, by: str, at: int) -> Transition | None:
        """Note that a person has seen an alert; None if it does not stand or is known already."""
        for kind, standing in self._standing.items():
            if standing.alert == alert and standing.state == "raised":
                return self._enter(kind, alert, "acknowledged", at, by)
        return None

    def _asystole(self, second: Second) -> bool:
        if "asystole" in self._standing:
            # One beat may be an artefact: the second one ends it. So does losing the signal,
            # which is another alert's business.
            return self._signal_since is not None and second.beats < self._beats_at_asystole + 2
        self._beats_at_asystole = second.beats
        if self._signal_since is None:
            return False
        return second.end - max(second.last_beat, self._signal_since) >= ASYSTOLE

    def _change(self, kind: Kind, wanted: bool, at: int) -> Transition | None:
        if wanted == (kind in self._standing):
            return None
        if wanted:
            self._count += 1
            return self._enter(kind, self._count, "raised", at)
        alert = self._standing[kind].alert
        change = self._enter(kind, alert, "cleared", at)
        del self._standing[kind]
        return change

    def _enter(
        self, kind: Kind, alert: int, state: AlertState, at: int, by: str | None = None
    ) -> Transition:
        change = Transition(alert, kind, PRIORITY[kind], state, at, self._text(kind), by)
        self._standing[kind] = change
        return change

    def _text(self, kind: Kind) -> str:
        rules = self._rules
        texts: dict[Kind, str] = {
            "abnormal": f"abnormal beats in {rules.abnormal.k} of {rules.abnormal.n} seconds",
            "asystole": f"no beat for {ASYSTOLE // RATE} seconds",
            "no-signal": f"no signal for {rules.no_signal.k} seconds: check the electrodes",
            "noisy": f"noise in {rules.noisy.k} of {rules.noisy.n} seconds hides the ECG",
        }
        return texts[kind]
