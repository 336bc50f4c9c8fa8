"""How things stand in the fleet, from what its monitors have said: the snapshot for new viewers."""

from collections import deque
from typing import Final

import msgspec

from ecgmon.wire import messages
from monitor.fleet import told
from monitor.ops.logs import logger

MOST_WEARERS: Final = 20_000
"""Wearers known at once; of more than these a new viewer is told only as they are told of."""
REMEMBERED: Final = 100_000
"""Messages of which it is known that they were told: a minute or more of a thousand wearers."""
_ONCE: Final = (
    messages.Alarm,
    messages.Window,
    messages.Beat,
    messages.BeatWithdrawn,
    messages.Gap,
    messages.Swap,
)
"""What is told once; to tell others again is no harm, or is news."""

_log = logger(__name__)


class ToldMemory:
    """Knows what was told: JetStream may have a result twice after a connection was lost."""

    def __init__(self) -> None:
        self._known: set[int] = set()
        self._in_order: deque[int] = deque()

    def new(self, message: messages.Published) -> bool:
        """Tell whether a message is to be told, and note that it is."""
        if not isinstance(message, _ONCE):
            return True
        what = hash(told.identity(message))
        if what in self._known:
            return False
        self._known.add(what)
        self._in_order.append(what)
        if len(self._in_order) > REMEMBERED:
            self._known.remove(self._in_order.popleft())
        return True


class WearerStanding:
    """How a wearer is."""

    __slots__ = ("alarms", "ended", "link", "opened", "pauses", "window")

    def __init__(self) -> None:
        self.alarms: dict[str, messages.Alarm] = {}
        self.pauses: dict[str, messages.Paused] = {}
        self.opened: messages.Opened | None = None
        self.window: messages.Window | None = None
        self.link: messages.Link | None = None
        self.ended: str | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not any((self.alarms, self.pauses, self.opened, self.window, self.link))

    def apply(self, message: messages.Published) -> None:
        """Take a message about the wearer, the next one in its order."""
        match message:
            case messages.Alarm():
                self.alarms.pop(message.kind, None)
                if message.state != "cleared":
                    self.alarms[message.kind] = message
            case messages.Paused():
                self.pauses.pop(message.kind, None)
                if message.until is not None:
                    self.pauses[message.kind] = message
            case messages.Opened():
                self.opened, self.window, self.link, self.ended = message, None, None, None
            case messages.Closed() if self._current(message.stream):
                self.opened = self.window = self.link = None
                self.ended = message.stream
            case messages.Window() if self._current(message.stream):
                self.window = message
            case messages.Link() if self._current(message.stream):
                self.link = message
            case messages.Swap() if self.opened and self._current(message.stream):
                self.opened = msgspec.structs.replace(
                    self.opened, model=message.model, threshold=message.threshold
                )

    def told(self) -> list[messages.Published]:
        """Return what is told to a viewer."""
        stream = (self.opened, self.window, self.link)
        alarms = sorted(self.alarms.values(), key=lambda alarm: alarm.alarm)
        return [*(one for one in stream if one is not None), *alarms, *self.pauses.values()]

    def _current(self, stream: str) -> bool:
        return stream == self.opened.stream if self.opened else stream != self.ended


class FleetStanding:
    """How all wearers are."""

    def __init__(self) -> None:
        self._wearers: dict[str, WearerStanding] = {}
        self._full = False

    def apply(self, message: messages.Published) -> None:
        """Take a published message, the next one of its wearer."""
        wearer = message.wearer
        if wearer is None or isinstance(message, messages.Event | messages.Trace):
            return
        known = self._wearers.get(wearer)
        if known is None:
            if len(self._wearers) >= MOST_WEARERS and not self._make_room():
                return
            known = self._wearers[wearer] = WearerStanding()
        known.apply(message)

    def alarm(self, wearer: str | None, number: int) -> messages.Alarm | None:
        """Return an alarm that stands."""
        known = self._wearers.get(wearer or "")
        alarms = known.alarms.values() if known else ()
        return next((alarm for alarm in alarms if alarm.alarm == number), None)

    def snapshot(self) -> list[messages.Published]:
        """Return what a new viewer is told."""
        return [message for one in self._wearers.values() for message in one.told()]

    def _make_room(self) -> bool:
        """Forget wearers of whom there is nothing to tell; says whether there were any."""
        for wearer in [wearer for wearer, one in self._wearers.items() if one.empty]:
            del self._wearers[wearer]
        full = len(self._wearers) >= MOST_WEARERS
        if full and not self._full:
            _log.warning("too-many-wearers", most=MOST_WEARERS)
        self._full = full
        return not full
