"""Published messages of a wearer, brought in order and folded into totals."""

from bisect import insort
from collections.abc import Callable
from copy import deepcopy
from typing import Final, NamedTuple

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.holter.fold import BeatFold
from ecgmon.holter.totals import BeatTotals
from ecgmon.wire import messages

HORIZON: Final = 30 * RATE
"""Samples after which nothing more is published of what lies before; beats may be withdrawn for
1.5 s."""
MOST_WAITING: Final = 20_000
"""Most of what waits for its turn: 30 s have some 250, an hour 12,000."""
HOUR_S: Final = 3600

Clock = Callable[[str, int], float]
"""Gives the seconds since an origin of time, by stream and stream index."""


class _Place(NamedTuple):
    """Where something belongs; at one sample interruptions come first, then alarms."""

    at: int
    rank: int


_INTERRUPTION, _ALARM, _BEAT, _WINDOW, _GAP, _WITHDRAWN = range(6)
_Counted = messages.OfStream | messages.Alarm
FIBRILLATION: Final = "atrial-fibrillation"
"""The alarm that holds as long as an episode of atrial fibrillation does."""


class TotalsFeed:
    """Takes what is published of one wearer, as it comes, and keeps the totals.

    A beat that is withdrawn counts for nothing and interrupts, as do noisy and absent seconds and
    gaps. An episode of atrial fibrillation lasts from its alarm's beginning to its end. What comes
    twice within the horizon, as after a restart of the monitor, counts once.
    Streams follow each other, and nothing reaches from one to the next.

    Parameters
    ----------
    clock : callable, optional
        Gives the time by which hours are counted; by default that of the stream.
    horizon : int, optional
        Samples by which a message may be late; a later one is passed over.
    """

    def __init__(self, clock: Clock = lambda _, at: at / RATE, horizon: int = HORIZON) -> None:
        self._clock = clock
        self._horizon = horizon
        self._fold = BeatFold()
        self._fibrillates = self._episode_counted = False
        self._begin(None)

    def _begin(self, stream: str | None) -> None:
        self._stream = stream
        self._waiting: dict[_Place, _Counted | None] = {}
        self._order: list[_Place] = []
        self._done = self._newest = -1

    def take(self, message: messages.Published) -> None:
        """Take a message; what says nothing of beats and seconds is passed over."""
        if isinstance(message, messages.Alarm):
            self._alarm(message)
            return
        if not isinstance(
            message, messages.Beat | messages.BeatWithdrawn | messages.Window | messages.Gap
        ):
            return
        if message.stream != self._stream:
            self._finish()
            self._begin(message.stream)
        match message:
            case messages.Beat(at=at):
                if _Place(at, _WITHDRAWN) not in self._waiting:
                    self._wait(at, _BEAT, message)
            case messages.BeatWithdrawn(at=at):
                self._wait(at, _WITHDRAWN, message)
                self._wait(at, _INTERRUPTION)
                if self._waiting.pop(_Place(at, _BEAT), None):
                    self._order.remove(_Place(at, _BEAT))
            case messages.Window(first=first, state=state):
                self._wait(first, _WINDOW, message)
                if state != "signal":
                    self._wait(first, _INTERRUPTION)
                    self._wait(first + WINDOW, _INTERRUPTION)
            case messages.Gap(first=first, judged=False):
                self._wait(first, _GAP, message)
                self._wait(first, _INTERRUPTION)
        self._release(self._newest - self._horizon)

    def totals(self) -> BeatTotals:
        """Return the totals as if all were over; more may come afterwards."""
        ended = deepcopy(self)
        ended._finish()
        return ended._fold.totals

    def _alarm(self, alarm: messages.Alarm) -> None:
        if alarm.kind != FIBRILLATION:
            return
        at = alarm.at
        if at is None or alarm.stream != self._stream:  # it begins or ends between two streams
            at = max(self._newest, self._order[-1].at if self._order else -1) + 1
        self._wait(at, _ALARM, alarm)

    def _wait(self, at: int, rank: int, message: _Counted | None = None) -> None:
        place = _Place(at, rank)
        if at <= self._done or place in self._waiting:
            return
        self._waiting[place] = message
        insort(self._order, place)
        if rank in (_BEAT, _WINDOW):  # a long gap is told before the second in which it begins
            self._newest = max(self._newest, at)
        if len(self._order) > MOST_WAITING:
            self._release(self._order[0].at)

    def _release(self, until: int) -> None:
        """Fold what lies up to a stream index."""
        while self._order and self._order[0].at <= until:
            place = self._order.pop(0)
            self._count(self._waiting.pop(place))
            self._done = place.at

    def _count(self, message: _Counted | None) -> None:
        totals = self._fold.totals
        match message:
            case None:
                self._fold.interrupt()
            case messages.Beat(at=at, label=label, rr=rr):
                hour = int(self._clock(message.stream, at) // HOUR_S)
                self._fold.beat(at, label, rr, hour)
            case messages.BeatWithdrawn():
                totals.withdrawn += 1
            case messages.Window(state=state):
                totals.seconds[state] += 1
                if self._fibrillates and state == "signal":
                    totals.fibrillation.samples += WINDOW
                    totals.fibrillation.episodes += not self._episode_counted
                    self._episode_counted = True
            case messages.Alarm(state=change):
                # One that latches has ended. Of one that goes on, a journal may have but this.
                self._fibrillates = change in ("raised", "acknowledged")
                self._episode_counted &= self._fibrillates
            case messages.Gap(count=count):
                totals.missing += count

    def _finish(self) -> None:
        if self._order:
            self._release(self._order[-1].at)
        self._fold.interrupt()
