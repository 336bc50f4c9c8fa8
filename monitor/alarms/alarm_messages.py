"""Alarm messages made from the state machine's transitions."""

import time
from collections.abc import Iterable, Sequence

from ecgmon.core.alarm_kinds import Kind, Priority
from ecgmon.core.errors import UsageError
from ecgmon.wire import messages
from monitor.alarms.kinds import KINDS
from monitor.alarms.state_machine import AlarmStateMachine
from monitor.alarms.transitions import AlarmPause, Change, Transition


class AlarmMessages:
    """The alarms of a wearer, or of the monitor itself, as messages to publish and journal.

    Parameters
    ----------
    wearer : str or None
        Whose; None for the monitor itself.
    """

    def __init__(self, wearer: str | None) -> None:
        self.wearer = wearer
        self.alarms = AlarmStateMachine()

    def restore(self, past: Iterable[messages.Alarm | messages.Paused], highest: int = 0) -> None:
        """Go on from what was told before, in its order, and from the highest number given."""
        known = [t for message in past if (t := _transition(message)) is not None]
        self.alarms = AlarmStateMachine.from_transitions(known, highest)

    @property
    def acknowledged(self) -> set[Kind]:
        """The kinds whose alarm stands and was acknowledged."""
        return {alarm.kind for alarm in self.alarms.active if alarm.state == "acknowledged"}

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
        """Note that a condition holds, or does not; see `AlarmStateMachine.condition`."""
        if not self.alarms.may_change(kind, holds):
            return []
        now = time.time()
        return self._encoded(
            self.alarms.condition(
                kind, holds, now, stream=stream, at=at, text=text, priority=priority
            )
        )

    def acknowledge(self, number: int, by: str) -> list[messages.Published]:
        """Note that a person has seen an alarm; raises `UsageError` if it stands no more."""
        return self._encoded(self.alarms.acknowledge(number, by, time.time()))

    def pause(self, kind: str, seconds: int, by: str) -> list[messages.Published]:
        """Silence a kind; raises `UsageError` if there is no such kind."""
        if kind not in KINDS:
            raise UsageError(f"There are no alarms called {kind}: {', '.join(KINDS)}.")
        return self._encoded(self.alarms.pause(kind, seconds, by, time.time()))

    def tick(self) -> list[messages.Published]:
        """End pauses that are over; call it about once a second."""
        return self._encoded(self.alarms.tick(time.time()))

    def snapshot(self) -> list[messages.Published]:
        """Tell again what stands and what is paused."""
        return self._encoded([*self.alarms.active, *self.alarms.pauses.values()])

    def _encoded(self, transitions: Sequence[Transition]) -> list[messages.Published]:
        return [_message(self.wearer, one) for one in transitions] if transitions else []


def _message(wearer: str | None, transition: Transition) -> messages.Published:
    if isinstance(transition, AlarmPause):
        return messages.Paused(
            wearer=wearer,
            kind=transition.kind,
            until=transition.until,
            time=transition.time,
            by=transition.by,
        )
    return messages.Alarm(
        wearer=wearer,
        stream=transition.stream,
        alarm=transition.number,
        kind=transition.kind,
        priority=transition.priority,
        category=transition.category,
        state=transition.state,
        at=transition.at,
        time=transition.time,
        text=transition.text,
        by=transition.by,
        count=transition.count,
    )


def _transition(message: messages.Alarm | messages.Paused) -> Transition | None:
    """Return what a message told; None for a kind that this version does not know."""
    kind = message.kind
    if kind not in KINDS:
        return None
    if isinstance(message, messages.Paused):
        return AlarmPause(kind, message.until, message.by, message.time)
    return Change(
        number=message.alarm,
        kind=kind,
        priority=message.priority,
        state=message.state,
        stream=message.stream,
        at=message.at,
        time=message.time,
        text=message.text,
        by=message.by,
        count=message.count,
    )
