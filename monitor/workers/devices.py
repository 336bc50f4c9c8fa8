"""The front's conversation with devices: each message goes to the worker of its wearer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ecgmon.core.errors import EcgmonError
from ecgmon.wire import frame, messages
from monitor.network.access import Access
from monitor.network.router import Inbox, Received
from monitor.workers.placement import WearerPlacement
from monitor.workers.words import Answered, Said

MAX_DRAINED: Final = 5000
"""Most messages read in one turn."""
FORGET_S: Final = 600.0
"""A route on which nothing has come for so long is forgotten: its device has to say hello."""
MAX_ROUTES: Final = 50_000
"""Routes of connections and streams that are known at once."""
RETRY_S: Final = 1.0
"""A device whose wearer's worker is just being started is asked to try again so much later."""
SAY_HELLO: Final = "This stream is not open here: say hello first."
_STREAM: Final = slice(8, 16)
"""Where a frame names its stream (`ecgmon.wire.frame`)."""

RouteKey = tuple[bytes, bytes]
"""A connection, and the number of a stream as frames write it."""


@dataclass(eq=False, slots=True)
class Route:
    """Where the messages of a stream on a connection go.

    Parameters
    ----------
    worker : int
        The worker.
    wearer : str
        Whose stream it is.
    heard : float
        When its latest message came, monotonic time in seconds.
    """

    worker: int
    wearer: str
    heard: float


class DeviceRoutes:
    """Reads what devices say, and sorts it by worker.

    Parameters
    ----------
    inbox : Inbox
        Of the devices.
    access : Access
        Which key may write which wearer.
    placement : WearerPlacement
        Which worker has which wearer.
    capacity : int
        Places of all workers.
    send : callable
        Takes a worker's number and the messages for it.
    """

    def __init__(
        self,
        inbox: Inbox,
        access: Access,
        placement: WearerPlacement,
        capacity: int,
        send: Callable[[int, list[Said]], None],
    ) -> None:
        self._inbox = inbox
        self._access = access
        self._placement = placement
        self._capacity = capacity
        self._send = send
        self._routes: dict[RouteKey, Route] = {}
        self._held: dict[str, Received] = {}
        self._said: dict[int, list[Said]] = {}

    def drain(self, now: float) -> bool:
        """Read what has come and hand it to the workers; tells whether there may be more."""
        more = True
        for _ in range(MAX_DRAINED):
            if (received := self._inbox.receive()) is None:
                more = False
                break
            peer, user, data = received.peer, received.user, received.data
            if not data.startswith(frame.MAGIC):
                self._control(received, now)
            elif route := self._routes.get((peer, data[_STREAM])):
                route.heard = now
                self._said[route.worker].append((peer, user, data))
            else:
                self._inbox.refuse(peer, SAY_HELLO, user=user)
        for worker, said in self._said.items():
            if said:
                self._send(worker, said)
                self._said[worker] = []
        return more

    def answer(self, answers: list[Answered]) -> None:
        """Answer devices; a stream that is welcomed has left its wearer's other connections."""
        for peer, data, welcomed in answers:
            self._inbox.send(peer, data)
            if welcomed and (route := self._routes.get((peer, _number(welcomed)))):
                self._routes = {
                    key: one
                    for key, one in self._routes.items()
                    if one is route or one.wearer != route.wearer
                }

    def join(self, worker: int) -> None:
        """Take a worker that has started."""
        self._said[worker] = []

    def leave(self, worker: int) -> None:
        """Forget the routes to a worker that has ended: devices are asked to say hello."""
        self._said.pop(worker, None)
        self._routes = {key: one for key, one in self._routes.items() if one.worker != worker}

    def settled(self, wearers: list[str], now: float) -> None:
        """Hand over the hellos of wearers whose worker knows by now what was raised before."""
        for wearer in wearers:
            if held := self._held.pop(wearer, None):
                self._control(held, now)

    def forget(self, now: float) -> None:
        """Forget routes on which nothing comes any more."""
        self._routes = {key: one for key, one in self._routes.items() if now - one.heard < FORGET_S}

    def _control(self, received: Received, now: float) -> None:
        peer, user, data = received.peer, received.user, received.data
        try:
            message = messages.decode_from_device(data)
        except EcgmonError as error:
            self._inbox.refuse(peer, str(error), user=user)
            return
        if isinstance(message, messages.Hello):
            self._hello(received, message, now)
        elif route := self._routes.get((peer, _number(message.stream))):
            route.heard = now
            self._said[route.worker].append((peer, user, data))
        else:
            self._inbox.refuse(peer, SAY_HELLO, user=user)

    def _hello(self, received: Received, hello: messages.Hello, now: float) -> None:
        peer, user, data = received.peer, received.user, received.data
        if not self._access.may_write(user, hello.wearer):
            reason = f"This key is not one of {hello.wearer}'s device."
            self._inbox.refuse(peer, reason, user=user)
            return
        full = self._placement.taken >= self._capacity
        worker = self._placement.place(hello.wearer, now, self._longest_silent() if full else None)
        if worker is None or len(self._routes) >= MAX_ROUTES:
            reason = "The process that watches this wearer is being started: wait."
            self._inbox.refuse(peer, reason, RETRY_S, user)
            return
        if self._placement.settles(hello.wearer):
            self._held[hello.wearer] = received
            return
        self._routes[peer, _number(hello.stream)] = Route(worker, hello.wearer, now)
        self._said[worker].append((peer, user, data))

    def _longest_silent(self) -> int | None:
        """Return the worker whose device is silent longest."""
        routes = self._routes.values()
        return min(routes, key=lambda one: one.heard).worker if routes else None


def _number(stream: str) -> bytes:
    """Return a stream's number as frames write it."""
    return int(stream, 16).to_bytes(8, "little")
