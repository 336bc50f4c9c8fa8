"""Conditions: what holds of a wearer, from the seconds of the stream.

Their time is the sample index, so the same signal gives the same conditions at any replay speed,
and for each kind the same however the stream was cut into pushes.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from ecgmon.core.alarm_kinds import Kind
from ecgmon.core.state import NESTED, Layout, Stateful
from ecgmon.signal import Second
from monitor.alarms.conditions.asystole import Asystole, Change
from monitor.alarms.conditions.heart_rate import HeartRateConditions
from monitor.alarms.conditions.k_of_n import KOfN
from monitor.alarms.rules import Rules

SOON: Final = 2
"""A still line is lost after more than so many seconds."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition begins to hold, or ends, at sample ``at``."""

    kind: Kind
    holds: bool
    at: int


class WearerConditions(Stateful):
    """The conditions of one stream.

    After each push of samples: `second` for every second that it completed, then `elapsed`. The
    verdict on a second may follow any time later, in order.

    Where several change at once, those that begin come first: what is bad never seems over while
    it turns into something worse, or into something that hides it.

    Parameters
    ----------
    rules : Rules
        What begins and ends them.
    holding : collection of Kind
        What held before: alarms belong to the wearer and outlive a stream. It ends by the same
        rules as if it had begun here.
    """

    layout = Layout(
        "wearer conditions",
        1,
        ("_soon",),
        _asystole=NESTED,
        _rates=NESTED,
        _abnormal=NESTED,
        _no_signal=NESTED,
        _noisy=NESTED,
        _holds=dict[Kind, bool],
    )

    def __init__(self, rules: Rules, holding: Collection[Kind] = ()) -> None:
        self._asystole = Asystole(holding)
        self._rates = HeartRateConditions(rules, holding)
        self._abnormal = KOfN(rules.abnormal, "abnormal" in holding)
        self._no_signal = KOfN(rules.no_signal, "no-signal" in holding)
        self._noisy = KOfN(rules.noisy, "noisy" in holding)
        self._soon = rules.no_signal.k <= SOON
        self._holds = dict.fromkeys(holding, True)

    def second(self, second: Second) -> list[Condition]:
        """Take the next whole second of the stream and return what changes by it."""
        end, signal = second.end, second.state == "signal"
        # First what was due while it lasted: whether it had signal was not known then.
        changes = self._of_asystole(self._asystole.advance(end, second.strong))
        changes += self._lost(second.lost)
        holds: dict[Kind, bool] = {
            "no-signal": self._no_signal.add(second.state == "absent"),
            "noisy": self._noisy.add(second.state == "noisy"),
        }
        holds |= self._rates.second(end, second.strong) if signal else self._rates.lose(end)
        changes += self._change(holds, end)
        if signal or second.lost is not None:
            self._asystole.usable(end, second.still)
            return changes
        return changes + self._of_asystole(self._asystole.lose(end))

    def elapsed(self, now: int, beats: Sequence[int], lost: int | None = None) -> list[Condition]:
        """Note how far the running second is: what must be told soon does not wait for its end.

        Parameters
        ----------
        now : int
            Stream index of the next sample.
        beats : sequence of int
            All beats confirmed since the last whole second that are not weak, in order. The second
            brings them again.
        lost : int or None
            Stream index from which on the line is lost; the second brings it again.
        """
        return [*self._of_asystole(self._asystole.advance(now, beats)), *self._lost(lost)]

    def judged(self, end: int, abnormal: bool | None) -> list[Condition]:
        """Take the model's verdict on the second that ended at index ``end``; None: not judged."""
        return self._change({"abnormal": self._abnormal.add(abnormal is True)}, end)

    def gap(self, first: int) -> None:
        """Note that samples before index ``first`` are missing; `first` is the next one.

        RR intervals and the silence of asystole start anew there. Nothing changes by it: the
        seconds that are missing are brought by `second`, before or after.
        """
        self._rates.restart(first)
        self._asystole.gap(first)

    def _of_asystole(self, changes: list[Change]) -> list[Condition]:
        return [Condition(kind, holds, at) for kind, holds, at in changes]

    def _lost(self, at: int | None) -> list[Condition]:
        """Begin *no-signal*: a line that is lost has been still for longer than two seconds."""
        if at is None or not self._soon:
            return []
        self._no_signal.begin()
        return self._change({"no-signal": True}, at)

    def _change(self, holds: dict[Kind, bool], at: int) -> list[Condition]:
        changes = [
            Condition(kind, now, at)
            for kind, now in holds.items()
            if now != self._holds.get(kind, False)
        ]
        self._holds |= holds
        return sorted(changes, key=lambda change: not change.holds)
