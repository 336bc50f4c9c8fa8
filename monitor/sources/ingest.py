"""Ingest: the conversation with devices (docs/wire.md)."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from ecgmon.core.errors import EcgmonError, ProtocolError, RefusedError
from ecgmon.wire import Frame, frame, messages
from monitor.network.access import LOCAL, Access
from monitor.network.rate_limits import RateLimiter
from monitor.network.router import Received
from monitor.ops.logs import logger
from monitor.sources.base import Peer, Source
from monitor.sources.device_connections import DeviceConnection, DeviceConnections
from monitor.sources.open_streams import OpenStreams
from monitor.wearers.pieces import Piece
from monitor.wearers.stream import Stream
from monitor.wearers.stream_tail import StreamTail

MAX_DRAINED: Final = 1000
"""Most messages read in one tick, so that a flood of them does not delay classification."""
MAX_SAMPLES: Final = 100_000
"""Samples after which a tick reads no more, about a tenth of a second of work: a device that
catches up delays nobody else."""
MAX_DRAIN_S: Final = 0.2
"""Time in seconds after which a tick reads no more, however little has come."""

_log = logger(__name__)


@dataclass(eq=False, slots=True)
class IngestResult:
    """The frames, sessions and look-ups that one tick has read from devices.

    Parameters
    ----------
    published : list of Published
        What is published about it.
    pieces : list of (str, Piece)
        Wearer and samples of each piece that was accepted.
    acks : dict of Stream to int
        Up to which sample each stream can be acknowledged once the pieces are on disk.
    due : list of Stream
        Streams of which samples may be acknowledged as seen once they are judged.
    ends : list of Stream
        Streams whose devices said goodbye.
    lookups : list of (Hello, callable)
        Streams that are new here, but may be on disk once the pieces are; and what to call with
        what was found of them, or None.
    """

    published: list[messages.Published] = field(default_factory=list)
    pieces: list[tuple[str, Piece]] = field(default_factory=list)
    acks: dict[Stream, int] = field(default_factory=dict)
    due: list[Stream] = field(default_factory=list)
    ends: list[Stream] = field(default_factory=list)
    lookups: list[tuple[messages.Hello, Callable[[StreamTail | None], None]]] = field(
        default_factory=list
    )


class Ingest:
    """The conversation with all devices: reads their messages from every source, and answers.

    Parameters
    ----------
    sources : sequence of Source
        Open.
    registry : OpenStreams
        Where streams are opened: a `monitor.wearers.registry.WearerRegistry` in a monitor.
    access : Access
        Which key may write which wearer.
    limits : RateLimiter
        How much connections with keys may send.
    publish : callable
        Gives the endpoint of the publisher that a user can use.

    Attributes
    ----------
    connections : DeviceConnections
        The devices that send now.
    left_over : bool
        Whether the last tick may not have read all that has come.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        registry: OpenStreams,
        access: Access,
        limits: RateLimiter,
        publish: Callable[[str], str],
    ) -> None:
        self.connections = DeviceConnections(access, limits)
        self._sources = sources
        self._registry = registry
        self._access = access
        self._limits = limits
        self._publish = publish
        self._waiting: set[Stream] = set()
        self._looked_up: dict[str, tuple[Peer, str]] = {}
        self._samples = 0
        self._result = IngestResult()
        self.left_over = False

    def drain(self, now: float) -> IngestResult:
        """Read what has come: `MAX_DRAINED` messages, `MAX_SAMPLES` or `MAX_DRAIN_S` at most."""
        self._samples, room, until = 0, MAX_DRAINED, time.monotonic() + MAX_DRAIN_S
        for peer, received in islice(self._arrived(), room):
            room -= 1
            try:
                self._handle(peer, received.user, received.data, now)
            except EcgmonError as error:
                peer.refuse(str(error), _retry_s(error), received.user)
            if self._samples >= MAX_SAMPLES or time.monotonic() > until:
                room = 0
                break
        self.left_over = not room
        for stream in self._waiting:
            if connection := self.connections.of(stream):
                self._accept(connection, stream.expire(now), now)
        of = self.connections.of  # one that was let go waits for nothing
        self._waiting = {stream for stream in self._waiting if stream.waits and of(stream)}
        result, self._result = self._result, IngestResult()
        return result

    def end(self, streams: list[Stream]) -> list[messages.Published]:
        """End the streams whose devices said goodbye."""
        published: list[messages.Published] = []
        for stream in streams:
            self.connections.detach(stream)
            published += self._registry.close(stream)
        return published

    def look_after(self, now: float) -> None:
        """Do what is due once a second: forget what has ended, acknowledge what is left."""
        self.forget_closed()
        self.connections.acknowledge_judged(now)

    def forget_closed(self) -> None:
        """Forget connections of streams that the registry has ended."""
        self.connections.detach_all_but(self._registry.streams)

    def _arrived(self) -> Iterator[tuple[Peer, Received]]:
        """Yield one message of each source in turn, until none has any: no source waits long."""
        waiting = deque(self._sources)
        while waiting:
            source = waiting.popleft()
            if (received := source.receive()) is not None:
                waiting.append(source)
                yield Peer(source, received.peer), received

    def _handle(self, peer: Peer, user: str, data: bytes, now: float) -> None:
        """Carry out one message; raises `EcgmonError` if it is refused."""
        is_frame = data.startswith(frame.MAGIC)
        if user != LOCAL:
            samples = max(len(data) - frame.OVERHEAD, 0) // 2 if is_frame else 0
            self._limits.charge(user, now, samples)
        if is_frame:
            self._frame(peer, user, Frame.decode(data), now)
            return
        match messages.decode_from_device(data):
            case messages.Hello() as hello:
                self._hello(peer, user, hello, now)
            case messages.Heartbeat(stream=number):
                self.connections.find(peer, user, int(number, 16)).acknowledge()
            case messages.Bye(stream=number, end=end):
                connection = self.connections.find(peer, user, int(number, 16))
                stream = connection.stream
                self._charge_missing(connection, stream, end, now)
                self._accept(connection, stream.release(), now)
                stream.lose(end)
                self._result.ends.append(stream)
                self._note(connection, now)

    def _frame(self, peer: Peer, user: str, received: Frame, now: float) -> None:
        connection = self.connections.find(peer, user, received.stream)
        stream = connection.stream
        if received.rate_mhz != stream.rate_mhz:
            raise ProtocolError("The frame's rate is not the one its hello named.")
        self._samples += len(received.samples)
        if received.lead != connection.lead:
            self._other_lead(connection, received, now)
            return
        if piece := stream.accept_next(received, now):
            self._result.pieces.append((stream.wearer, piece))
        else:
            self._charge_missing(connection, stream, received.first, now)
            self._accept(connection, stream.accept(received, now), now)
            if stream.waits:
                self._waiting.add(stream)
        self._note(connection, now)

    def _other_lead(self, connection: DeviceConnection, received: Frame, now: float) -> None:
        """Use a frame of the second lead: it is not kept, and nothing is said of its arrival."""
        second = self._registry.hear(connection.stream, received.lead)
        if second is not None:
            self._charge_missing(connection, second, received.first, now)
            second.accept(received, now)
            second.expire(now)

    def _charge_missing(
        self, connection: DeviceConnection, stream: Stream, index: int, now: float
    ) -> None:
        if connection.user != LOCAL:
            missing = index - stream.reached
            self._limits.charge_missing(connection.user, now, missing)

    def _accept(self, connection: DeviceConnection, pieces: list[Piece], now: float) -> None:
        """Add the pieces of a stream to the result."""
        if pieces:
            wearer = connection.stream.wearer
            self._result.pieces += [(wearer, piece) for piece in pieces]
            self._note(connection, now)

    def _note(self, connection: DeviceConnection, now: float) -> None:
        """Note in the result how far a stream has come."""
        stream = connection.stream
        self._result.acks[stream] = stream.next
        if now >= connection.due or stream.next >= connection.enough:
            self._result.due.append(stream)

    def _hello(self, peer: Peer, user: str, hello: messages.Hello, now: float) -> None:
        """Go on with an open stream, or ask for what is on disk of another one."""
        self.connections.check(peer, user, hello)
        if active := self._registry.going_on(hello):
            self._welcome(peer, user, hello, active.stream, active.lead, now)
            return
        self._registry.claim(hello, now)
        if lookup := self._looked_up.get(hello.wearer):
            if lookup == (peer, hello.stream):
                return
            raise RefusedError(f"What is on disk of {hello.wearer} is being looked up: wait.", 1.0)
        self._looked_up[hello.wearer] = peer, hello.stream

        def go_on(tail: StreamTail | None) -> None:
            del self._looked_up[hello.wearer]
            try:
                self._open(peer, user, hello, tail, now)
            except EcgmonError as error:
                peer.refuse(str(error), _retry_s(error))

        self._result.lookups.append((hello, go_on))

    def _open(
        self, peer: Peer, user: str, hello: messages.Hello, tail: StreamTail | None, now: float
    ) -> None:
        """Open a stream, once it was looked up; keys and streams may have changed meanwhile."""
        self.connections.check(peer, user, hello)
        active = self._registry.going_on(hello)
        if active is None:
            self._registry.claim(hello, now)  # another device may have come first
            active, published = self._registry.open(hello, tail, now)
            self._result.published += published
            self.forget_closed()  # it may have taken the place of a silent device
        self._welcome(peer, user, hello, active.stream, active.lead, now)

    def _welcome(
        self, peer: Peer, user: str, hello: messages.Hello, stream: Stream, lead: str, now: float
    ) -> None:
        """Attach a stream to the connection of its latest hello, and answer it."""
        connection = self.connections.attach(peer, user, stream, lead, now)
        who = self._access.name_of(user)
        _log.bind(wearer=hello.wearer, stream=hello.stream).info("hello", who=who)
        self._result.published.append(
            messages.Event(
                wearer=hello.wearer,
                stream=hello.stream,
                event="hello",
                text=f"a device has connected, lead {lead}",
                time=time.time(),
                who=who,
            )
        )
        peer.answer(
            messages.Welcome(
                stream=hello.stream,
                next=stream.acknowledged,
                lead=lead,
                publish=self._publish(user),
            )
        )
        if stream.next > stream.acknowledged:  # not on disk, but not to be sent again
            connection.acknowledge()


def _retry_s(error: EcgmonError) -> float | None:
    """Return after how many seconds what was refused may succeed, None if that is not known."""
    return error.retry_s if isinstance(error, RefusedError) else None
