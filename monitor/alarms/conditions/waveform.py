"""Ventricular rhythms by the shape of the signal: where beats are not to be told apart."""

from collections import deque
from math import log
from statistics import fmean
from typing import Final

from ecgmon.core.alarm_kinds import Kind
from ecgmon.core.state import Layout, Stateful

AVERAGED: Final = 5
"""Seconds whose logarithmic odds of a ventricular rhythm are averaged."""
BEGINS: Final = 2.5
"""Mean from which on such a rhythm has begun: odds of 12 to 1. With `AVERAGED`, chosen on people of
vfdb and cudb whom the network was not fitted to (docs/results/rhythms.md)."""
SUSTAINED: Final = 20
SUSTAINED_BEGINS: Final = 1.5
"""So has one whose mean over so many seconds is from here on: odds of 4 to 1, for longer. An even
tachycardia that is not fast, such as that of vfdb 611, is less unlike other rhythms."""
ENDS: Final = 0.0
"""Mean below which it is over."""
NAMED_BY: Final = 6
"""Seconds by which it is called fibrillation or tachycardia."""
FAVOURED: Final = 0.5
"""Added to the mean logarithm of how much more fibrillation is likely than tachycardia: what kills
first is named where they are alike."""
TURNS: Final = 0.5
"""How far beyond zero that mean must be before the rhythm is called by the other name."""
_LEAST: Final = 0.018
"""Probabilities are taken as no closer to 0 and 1 than this: a second counts for four at most."""

FIBRILLATION: Final = "ventricular-fibrillation"
TACHYCARDIA: Final = "ventricular-tachycardia"


class VentricularWaveform(Stateful):
    """Which ventricular rhythm a stream's last seconds show, from a verdict on each."""

    layout = Layout(
        "ventricular waveform", 2, _odds=list[float], _names=list[float], _rhythm=Kind | None
    )

    def __init__(self) -> None:
        self._odds: deque[float] = deque(maxlen=SUSTAINED)
        self._names: deque[float] = deque(maxlen=NAMED_BY)
        self._rhythm: Kind | None = None

    def add(self, tachycardia: float, fibrillation: float) -> Kind | None:
        """Take the probabilities of the next second; return which rhythm there is by now."""
        self._odds.append(_logit(tachycardia + fibrillation))
        self._names.append(log(max(fibrillation, _LEAST) / max(tachycardia, _LEAST)))
        if len(self._odds) < AVERAGED:
            return None
        if not (self._begins() if self._rhythm is None else self._mean() >= ENDS):
            self._rhythm = None
            return None
        name = fmean(self._names) + FAVOURED
        if self._rhythm is None or abs(name) > TURNS:
            self._rhythm = FIBRILLATION if name >= 0 else TACHYCARDIA
        return self._rhythm

    def _mean(self) -> float:
        return fmean(list(self._odds)[-AVERAGED:])

    def _begins(self) -> bool:
        latest = self._mean()
        if latest >= BEGINS:
            return True
        # The latest seconds, too: else what has just ended would begin again.
        sustained = latest >= SUSTAINED_BEGINS and len(self._odds) == SUSTAINED
        return sustained and fmean(self._odds) >= SUSTAINED_BEGINS

    def interrupt(self) -> None:
        """Take that a second was not judged: nothing reaches across it."""
        self._odds.clear()
        self._names.clear()
        self._rhythm = None


def _logit(probability: float) -> float:
    bounded = min(max(probability, _LEAST), 1 - _LEAST)
    return log(bounded / (1 - bounded))
