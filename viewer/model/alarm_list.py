"""The alarms of one wearer, or of the monitor itself, as a viewer hears of them."""

from dataclasses import dataclass
from typing import Final

from ecgmon.core.alarm_kinds import AlarmState, Priority
from ecgmon.wire import messages

ALARMS: Final = 50
PAUSES: Final = 50
PRIORITIES: Final[tuple[Priority, ...]] = ("high", "medium", "low")
"""The weightiest first."""
STATES: Final[tuple[AlarmState, ...]] = ("raised", "latched", "acknowledged", "cleared")
"""Those that want somebody first."""


@dataclass(frozen=True, slots=True)
class KnownAlarm:
    """An alarm as last heard of.

    Parameters
    ----------
    message : messages.Alarm
        Its latest state.
    since : int or None
        The earliest sample at which it was heard of; None where it has no place in the signal.
    began : float
        The earliest time at which it was heard of, in seconds since the Unix epoch.
    """

    message: messages.Alarm
    since: int | None
    began: float

    @property
    def active(self) -> bool:
        """Whether it is not cleared: its condition holds, or nobody has acknowledged it yet."""
        return self.message.state != "cleared"

    @property
    def waiting(self) -> bool:
        """Whether nobody has acknowledged it yet."""
        return self.message.state in ("raised", "latched")

    @property
    def weight(self) -> tuple[int, int, int]:
        """The lowest is the worst: by priority, by state, then the newest."""
        priority = PRIORITIES.index(self.message.priority)
        return priority, STATES.index(self.message.state), -self.message.alarm


class AlarmList:
    """The alarms and pauses of one wearer, or of the monitor; an alarm's newest message counts.

    Parameters
    ----------
    wearer : str or None
        Whose; None for the monitor's own.
    """

    def __init__(self, wearer: str | None) -> None:
        self.wearer = wearer
        self._alarms: dict[int, KnownAlarm] = {}
        self._pauses: dict[str, float] = {}
        self._repeated: set[object] | None = None

    def alarm(self, message: messages.Alarm) -> None:
        """Take what an alarm has become; cleared ones are forgotten before active ones."""
        if self._repeated is not None:
            self._repeated.add(message.alarm)
        known = self._alarms.pop(message.alarm, None)
        if known is None:
            known = KnownAlarm(message, message.at, message.time)
        self._alarms[message.alarm] = KnownAlarm(message, known.since, known.began)
        if len(self._alarms) > ALARMS:
            cleared = (key for key, alarm in self._alarms.items() if not alarm.active)
            del self._alarms[next(cleared, next(iter(self._alarms)))]

    def pause(self, message: messages.Paused) -> None:
        """Take that a kind is paused, or no longer."""
        if self._repeated is not None:
            self._repeated.add(message.kind)
        self._pauses.pop(message.kind, None)
        if message.until is not None:
            self._pauses[message.kind] = message.until
        if len(self._pauses) > PAUSES:
            del self._pauses[next(iter(self._pauses))]

    def begin_again(self) -> None:
        """Note from now on which alarms and pauses a new snapshot repeats."""
        self._repeated = set()

    def end_again(self) -> None:
        """Forget active alarms and pauses that the snapshot did not repeat: they are over."""
        if self._repeated is not None:
            repeated, self._repeated = self._repeated, None
            self._alarms = {
                number: alarm
                for number, alarm in self._alarms.items()
                if number in repeated or not alarm.active
            }
            self._pauses = {kind: until for kind, until in self._pauses.items() if kind in repeated}

    def paused_s(self, kind: str, time: float) -> float:
        """Return for how many more seconds a kind is paused; 0 where it is not."""
        return max(self._pauses.get(kind, 0.0) - time, 0.0)

    def paused(self, time: float) -> list[str]:
        """Return the kinds that are paused."""
        return [kind for kind in self._pauses if self.paused_s(kind, time) > 0]

    @property
    def alarms(self) -> list[KnownAlarm]:
        """Known alarms, newest first; their numbers only rise."""
        return [self._alarms[number] for number in sorted(self._alarms, reverse=True)]

    @property
    def active(self) -> list[KnownAlarm]:
        """Active alarms, the worst first."""
        active = (alarm for alarm in self._alarms.values() if alarm.active)
        return sorted(active, key=lambda alarm: alarm.weight)

    @property
    def waiting(self) -> list[KnownAlarm]:
        """Active alarms that nobody has acknowledged yet, the worst first."""
        return [alarm for alarm in self.active if alarm.waiting]
