"""A viewer's snapshot of all wearers and of the monitor itself."""

from typing import Final

from ecgmon.wire import messages
from viewer.model.alarm_list import PRIORITIES, AlarmList
from viewer.model.wearer import ViewState

LIVE_S: Final = 5.0
"""A monitor answers a subscription every 2 s: after a longer silence nothing here is live."""
WEARERS: Final = 200
"""Most wearers known; those without alarms that were not heard of for longest are forgotten."""
FORGET_S: Final = 600.0
"""A wearer whose stream has ended and of whom no alarm stands is shown for so long."""
EVENT_S: Final = 10.0
"""Seconds for which the newest event is shown."""


class MonitorSnapshot:
    """The state of all wearers, from the messages that the monitor publishes.

    Attributes
    ----------
    wearers : dict of str to ViewState
        By id.
    own : AlarmList
        The monitor's own alarms.
    dropped : int
        Messages for this viewer that have not come.
    """

    def __init__(self) -> None:
        self.wearers: dict[str, ViewState] = {}
        self.own = AlarmList(None)
        self.dropped = 0
        self._event: tuple[float, messages.Event] | None = None

    def apply(self, message: messages.ToViewer, now: float) -> None:
        """Take a message that arrived at monotonic time ``now``."""
        match message:
            case messages.Subscribed():
                if not message.repeated:
                    for alarm_list in self.alarm_lists:
                        alarm_list.end_again()
            case messages.Dropped():
                self.dropped += message.count
            case messages.Done() | messages.Refused() | messages.Past():
                pass
            case _:
                if isinstance(message, messages.Event):
                    self._event = now, message
                self._published(message, now)

    def begin_again(self) -> None:
        """Expect to be told anew how things stand; what is not told again by then is over."""
        for alarm_list in self.alarm_lists:
            alarm_list.begin_again()

    def event(self, now: float) -> messages.Event | None:
        """Return the newest event, while it is news."""
        at, event = self._event or (0.0, None)
        return event if now - at < EVENT_S else None

    @property
    def alarm_lists(self) -> list[AlarmList]:
        """The alarms of all, first the monitor's own."""
        return [self.own, *(state.alarm_list for state in self.wearers.values())]

    def alarm_list(self, wearer: str | None) -> AlarmList | None:
        """Return the alarms of one wearer, or with None the monitor's own."""
        if wearer is None:
            return self.own
        return self.wearers[wearer].alarm_list if wearer in self.wearers else None

    def active(self) -> dict[tuple[str | None, int], messages.Alarm]:
        """Return all alarms that stand, for the bell."""
        return {
            (alarm_list.wearer, alarm.message.alarm): alarm.message
            for alarm_list in self.alarm_lists
            for alarm in alarm_list.active
        }

    def paused(self, time: float) -> set[tuple[str | None, str]]:
        """Return who is paused for what."""
        return {
            (alarm_list.wearer, kind)
            for alarm_list in self.alarm_lists
            for kind in alarm_list.paused(time)
        }

    def order(self) -> list[ViewState]:
        """Return the wearers, those with the worst alarm first, then by id."""
        return sorted(
            self.wearers.values(), key=lambda state: (_worst(state.alarm_list), state.wearer)
        )

    def _published(self, message: messages.Published, now: float) -> None:
        if message.wearer is None:
            if isinstance(message, messages.Alarm):
                self.own.alarm(message)
            elif isinstance(message, messages.Paused):
                self.own.pause(message)
            return
        if message.wearer not in self.wearers:
            if isinstance(message, messages.Event):
                return  # somebody who was refused is not under watch
            self._forget(now)
            self.wearers[message.wearer] = ViewState(message.wearer, now)
        self.wearers[message.wearer].apply(message, now)

    def _forget(self, now: float) -> None:
        """Make room for one more wearer."""
        idle = sorted(
            (state for state in self.wearers.values() if not state.alarm_list.active),
            key=lambda state: state.heard_at,
        ) or list(self.wearers.values())
        excess = len(self.wearers) - WEARERS + 1
        for number, state in enumerate(idle):
            if number < excess or (state.closed and now - state.heard_at > FORGET_S):
                del self.wearers[state.wearer]


def _worst(alarm_list: AlarmList) -> tuple[int, int]:
    active = alarm_list.active
    return active[0].weight[:2] if active else (len(PRIORITIES), 0)
