"""Conditions of the monitor itself: each process says which hold, and the front raises alarms."""

from collections.abc import Iterable, Mapping

from ecgmon.core.alarm_kinds import Kind, Priority
from ecgmon.core.errors import UsageError
from ecgmon.wire import messages
from monitor.alarms.alarm_messages import AlarmMessages


class NotedConditions(AlarmMessages):
    """Notes which conditions hold in this process; raises nothing.

    Attributes
    ----------
    holding : dict of Kind to (str or None)
        The conditions that hold, and what is to be said of each.
    seen : set of Kind
        Whose alarms people have acknowledged, as the front says.
    """

    def __init__(self) -> None:
        super().__init__(None)
        self.holding: dict[Kind, str | None] = {}
        self.seen: set[Kind] = set()

    @property
    def acknowledged(self) -> set[Kind]:
        """The kinds whose alarm stands and was acknowledged."""
        return self.seen

    def condition(
        self,
        kind: Kind,
        holds: bool,
        *,
        stream: str | None = None,
        at: int | None = None,
        text: str | None = None,
        priority: Priority | None = None,
    ) -> list[messages.Published]:
        """Note that a condition holds, or does not; stream, sample and priority are none's here."""
        if holds:
            self.holding[kind] = text
        else:
            self.holding.pop(kind, None)
        return []

    def restore(self, past: Iterable[messages.Alarm | messages.Paused], highest: int = 0) -> None:
        """Do nothing: the front knows what was raised before."""

    def tick(self) -> list[messages.Published]:
        """Return nothing: the front ends pauses."""
        return []

    def snapshot(self) -> list[messages.Published]:
        """Return nothing: the front tells what stands."""
        return []


class JoinedAlarms:
    """The alarms of the monitor itself: each is raised while any process says that it holds.

    Attributes
    ----------
    own : AlarmMessages
        The alarms.
    here : NotedConditions
        The conditions of the front.
    """

    def __init__(self) -> None:
        self.own = AlarmMessages(None)
        self.here = NotedConditions()
        self._of_workers: dict[int, Mapping[Kind, str | None]] = {}
        self._known: set[Kind] = set()

    def restore(self, past: Iterable[messages.Alarm | messages.Paused]) -> None:
        """Go on after a restart from all that was told of them."""
        self.own.restore(past)
        self._known = set(self.own.alarms.holding)

    def take(self, worker: int, holding: Mapping[Kind, str | None]) -> None:
        """Take which conditions hold in a worker."""
        self._of_workers[worker] = holding

    def forget(self, worker: int) -> None:
        """Forget a worker that has ended: the one in its place says what holds."""
        self._of_workers.pop(worker, None)

    def look(self) -> list[messages.Published]:
        """Return the alarms that are raised or cleared; call it about once a second."""
        holding: dict[Kind, str | None] = {}
        for of_one in (self.here.holding, *self._of_workers.values()):
            holding = dict(of_one) | holding
        published = self.own.tick()
        for kind in sorted(self._known | set(holding)):
            published += self.own.condition(kind, kind in holding, text=holding.get(kind))
        self._known = set(holding)
        self.here.seen = self.own.acknowledged
        return published

    def carry_out(self, of: messages.Acknowledge | messages.Pause) -> list[messages.Published]:
        """Note that an alarm is seen, or silence alarms; raises `UsageError` where it cannot be."""
        if of.wearer is not None:
            raise UsageError(f"{of.wearer} is not watched.")
        if isinstance(of, messages.Acknowledge):
            return self.own.acknowledge(of.alarm, of.by)
        return self.own.pause(of.kind, of.seconds, of.by)
