"""The table of monitored wearers: their sessions, and the alarm numbers of forgotten ones."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from ecgmon.core.errors import UsageError
from ecgmon.wire import messages
from monitor.ops.turns import PARTS, part_of
from monitor.wearers.active_stream import ActiveStream
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.session import WearerSession, conditions

MAX_REMEMBERED: Final = 10_000
"""Most forgotten wearers of whom the highest alarm number is remembered."""


class WearerTable:
    """The sessions of all wearers, in the order in which they came.

    Parameters
    ----------
    policy : WearerPolicy
        Gives their alarm limits.
    """

    def __init__(self, policy: WearerPolicy) -> None:
        self._policy = policy
        self._sessions: dict[str, WearerSession] = {}
        self._parts: list[dict[str, WearerSession]] = [{} for _ in range(PARTS)]
        self._numbers: dict[str, int] = {}

    def __iter__(self) -> Iterator[WearerSession]:
        """Yield the sessions; wearers may be forgotten meanwhile."""
        return iter(list(self._sessions.values()))

    def __contains__(self, wearer: str) -> bool:
        return wearer in self._sessions

    def __getitem__(self, wearer: str) -> WearerSession:
        """Return a wearer's session; raises `UsageError` if there is none."""
        if wearer not in self._sessions:
            raise UsageError(f"{wearer} is not watched.")
        return self._sessions[wearer]

    def part(self, number: int | None) -> list[WearerSession]:
        """Return the sessions of one part of the wearers (`monitor.ops.turns`), or of all."""
        return list((self._sessions if number is None else self._parts[number]).values())

    @property
    def streams(self) -> list[ActiveStream]:
        """The current streams."""
        return [session.active for session in self._sessions.values() if session.active]

    def stream(self, wearer: str) -> ActiveStream | None:
        """Return a wearer's current stream, None if there is none."""
        return self._sessions[wearer].active if wearer in self._sessions else None

    def add(self, session: WearerSession) -> None:
        """Add the session of a wearer who has none."""
        self._sessions[session.wearer] = session
        self._parts[part_of(session.wearer)][session.wearer] = session

    def get_or_add(self, wearer: str) -> WearerSession:
        """Return a wearer's session, a new one if there is none."""
        if wearer not in self._sessions:
            self.add(WearerSession(wearer, self._policy.limits(wearer)))
            self._sessions[wearer].alarm_messages.restore([], self._numbers.pop(wearer, 0))
        return self._sessions[wearer]

    def remove(self, wearer: str) -> WearerSession:
        """Remove a wearer, and return the session."""
        del self._parts[part_of(wearer)][wearer]
        return self._sessions.pop(wearer)

    def forget(self, session: WearerSession) -> None:
        """Remove a wearer, but not the highest alarm number: numbers are not used again."""
        self.remove(session.wearer)
        if session.alarm_messages.alarms.highest:
            self._numbers[session.wearer] = session.alarm_messages.alarms.highest
        if len(self._numbers) > MAX_REMEMBERED:
            del self._numbers[next(iter(self._numbers))]

    def restore(
        self,
        past: Iterable[messages.Alarm | messages.Paused],
        unfinished: Iterable[messages.Closed],
        now: float,
    ) -> None:
        """Go on after a restart. Alarms of no wearer are left out.

        Parameters
        ----------
        past : iterable of Alarm or Paused
            All that was published about alarms, oldest first.
        unfinished : iterable of Closed
            Messages that would end the streams that had not ended.
        now : float
            Monotonic time in seconds.
        """
        alarms: dict[str, list[messages.Alarm | messages.Paused]] = defaultdict(list)
        for message in past:
            if message.wearer:
                alarms[message.wearer].append(message)
        closed = {message.wearer: message for message in unfinished}
        for wearer in {*closed, *alarms}:
            session = self.get_or_add(wearer)
            session.alarm_messages.restore(alarms[wearer])
            session.unfinished, session.unfinished_since = closed.get(wearer), now

    def adopt(self, policy: WearerPolicy) -> None:
        """Use the alarm limits of another policy from now on, and look for its models."""
        self._policy = policy
        for session in self:
            limits = policy.limits(session.wearer)
            changed, session.limits = limits != session.limits, limits
            if session.active:
                session.active.stamp = None
            if (active := session.active) and changed:
                active.conditions = conditions(session, int(active.chain.next[active.judged.row]))
