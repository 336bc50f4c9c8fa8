"""Ingest: the conversation with devices (docs/wire.md)."""

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from ecgmon.core.errors import EcgmonError, ProtocolError, RefusedError
from ecgmon.wire import Frame, frame, messages
from monitor.network.access import LOCAL, Access
from monitor.network.rate_limits import LONGEST_WAIT_S, RateLimiter
from monitor.network.router import Received
from monitor.ops.logs import logger
from monitor.sources.base import Peer, Source
from monitor.wearers.registry import WearerRegistry
from monitor.wearers.stream import Piece, Stream
from monitor.wearers.stream_tail import StreamTail

MAX_DRAINED: Final = 1000
"""Messages taken in one tick, so that classification is never starved by a flood."""
MAX_SAMPLES: Final = 100_000
"""And samples, some tenth of a second of work: one device that catches up delays nobody else."""
MAY_NOT: Final = "This key may not send this wearer's signal any more."

SEEN_S: Final = 0.5
"""What was judged and is not on disk yet is acknowledged as seen so often."""
SEEN_AT_ONCE_S: Final = 2.0
"""And at once where it is so much signal."""

_log = logger(__name__)


@dataclass(eq=False, slots=True)
class DeviceConnection:
    """A device's end of an open stream; when it was last answered, and what was ``seen`` then."""

    peer: Peer
    user: str
    stream: Stream
    lead: str
    answered: float
    seen: int = 0


@dataclass(eq=False, slots=True)
class IngestResult:
    """What a tick has taken in.

    Parameters
    ----------
    published : list of Published
        What is to be told of it.
    pieces : list of (str, Piece)
        Whose samples, and which.
    acks : dict of Stream to int
        Up to which sample each stream can be acknowledged once these are kept.
    ends : list of Stream
        Those whose devices said goodbye.
    unknown : list of (Hello, callable)
        Streams of which something may be on disk once all of this is, and who wants to know.
    """

    published: list[messages.Published] = field(default_factory=list)
    pieces: list[tuple[str, Piece]] = field(default_factory=list)
    acks: dict[Stream, int] = field(default_factory=dict)
    ends: list[Stream] = field(default_factory=list)
    unknown: list[tuple[messages.Hello, Callable[[StreamTail | None], None]]] = field(
        default_factory=list
    )


class Ingest:
    """Reads what devices send over all sources, and answers.

    Parameters
    ----------
    sources : sequence of Source
        Open.
    registry : WearerRegistry
        Where streams are opened.
    access : Access
        Who may write what.
    limits : RateLimiter
        How much connections with keys may send.
    publish : callable
        Gives the endpoint of the publisher that a user can use.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        registry: WearerRegistry,
        access: Access,
        limits: RateLimiter,
        publish: Callable[[str], str],
    ) -> None:
        self._sources = sources
        self._registry = registry
        self._access = access
        self._limits = limits
        self._publish = publish
        self._connections: dict[tuple[Peer, int], DeviceConnection] = {}
        self._of_stream: dict[Stream, DeviceConnection] = {}
        self._waiting: set[Stream] = set()
        self._asked: dict[str, tuple[Peer, str]] = {}
        self._samples = 0
        self._taken = IngestResult()

    def drain(self, now: float) -> IngestResult:
        """Take what has arrived, at most `MAX_DRAINED` messages or `MAX_SAMPLES` samples."""
        self._samples = 0
        for peer, received in islice(self._arrived(), MAX_DRAINED):
            try:
                self._take(peer, received.user, received.data, now)
            except EcgmonError as error:
                retry_s = error.retry_s if isinstance(error, RefusedError) else None
                peer.refuse(str(error), retry_s, received.user)
            if self._samples >= MAX_SAMPLES:
                break
        for stream in [stream for stream in self._waiting if stream in self._of_stream]:
            self._keep(self._of_stream[stream], stream.expire(now))
        self._waiting = {stream for stream in self._waiting if stream.waits}
        taken, self._taken = self._taken, IngestResult()
        return taken

    def acknowledge(self, acks: dict[Stream, int], ends: Collection[Stream] = ()) -> None:
        """Tell devices up to where their samples are on disk; those that end in any case."""
        for stream, index in acks.items():
            news = index > stream.kept
            stream.kept = max(stream.kept, index)
            if (connection := self._of_stream.get(stream)) and (news or stream in ends):
                self._ack(connection)

    def tell_seen(self, now: float) -> None:
        """Tell devices up to where their samples are judged, so that they need not wait for a disk.

        Parameters
        ----------
        now : float
            Monotonic time in seconds.
        """
        for stream, connection in self._of_stream.items():
            news_s = (stream.next - max(connection.seen, stream.kept)) * 1000 / stream.rate_mhz
            waited = now - connection.answered >= SEEN_S
            if news_s >= SEEN_AT_ONCE_S or (news_s > 0 and waited):
                self._ack(connection)

    def end(self, streams: list[Stream]) -> list[messages.Published]:
        """End the streams whose devices said goodbye."""
        published: list[messages.Published] = []
        for stream in streams:
            self._forget(stream)
            published += self._registry.close(stream)
        return published

    def forget_closed(self) -> None:
        """Forget connections of streams that the ward has ended."""
        for stream in set(self._of_stream) - set(self._registry.streams):
            self._forget(stream)

    def review(self) -> None:
        """Detach the streams whose keys may not write them any more, after keys have changed."""
        for connection in list(self._of_stream.values()):
            if not self._access.may_write(connection.user, connection.stream.wearer):
                self._forget(connection.stream)
                connection.peer.refuse(MAY_NOT, user=connection.user)

    def _arrived(self) -> Iterator[tuple[Peer, Received]]:
        """Give one message of each source in turn, until none has any: none waits for another."""
        waiting = deque(self._sources)
        while waiting:
            source = waiting.popleft()
            if (received := source.receive()) is not None:
                waiting.append(source)
                yield Peer(source, received.peer), received

    def _take(self, peer: Peer, user: str, data: bytes, now: float) -> None:
        of_frame = data.startswith(frame.MAGIC)
        if user != LOCAL:
            samples = max(len(data) - frame.OVERHEAD, 0) // 2 if of_frame else 0
            self._limits.charge(user, now, samples)
        if of_frame:
            self._frame(peer, user, Frame.decode(data), now)
            return
        match messages.decode_from_device(data):
            case messages.Hello() as hello:
                self._hello(peer, user, hello, now)
            case messages.Heartbeat(stream=number):
                connection = self._connection(peer, user, int(number, 16))
                self._ack(connection)
            case messages.Bye(stream=number, end=end):
                connection = self._connection(peer, user, int(number, 16))
                self._charge_missing(connection, end, now)
                self._keep(connection, connection.stream.release())
                connection.stream.lose(end)
                self._taken.ends.append(connection.stream)
                self._taken.acks[connection.stream] = connection.stream.next

    def _frame(self, peer: Peer, user: str, received: Frame, now: float) -> None:
        connection = self._connection(peer, user, received.stream)
        stream = connection.stream
        if received.rate_mhz != stream.rate_mhz:
            raise ProtocolError("The frame's rate is not the one its hello named.")
        if received.lead != connection.lead:
            return  # another lead of the same wearer: not used, and nothing waits for it
        self._charge_missing(connection, received.first, now)
        self._samples += len(received.samples)
        self._keep(connection, stream.accept(received, now))
        self._taken.acks[stream] = stream.next
        if stream.waits:
            self._waiting.add(stream)

    def _charge_missing(self, connection: DeviceConnection, index: int, now: float) -> None:
        if connection.user != LOCAL:
            missing = index - connection.stream.reached
            self._limits.charge_missing(connection.user, now, missing)

    def _keep(self, connection: DeviceConnection, pieces: list[Piece]) -> None:
        stream = connection.stream
        if pieces:
            self._taken.pieces += [(stream.wearer, piece) for piece in pieces]
            self._taken.acks[stream] = stream.next

    def _hello(self, peer: Peer, user: str, hello: messages.Hello, now: float) -> None:
        self._check(peer, user, hello)
        if live := self._registry.going_on(hello):
            self._attach(peer, user, hello, live.stream, live.lead, now)
            return
        self._registry.claim(hello, now)
        if asked := self._asked.get(hello.wearer):
            if asked == (peer, hello.stream):
                return
            raise RefusedError(f"What is on disk of {hello.wearer} is being looked up: wait.", 1.0)
        self._asked[hello.wearer] = peer, hello.stream

        def known(recalled: StreamTail | None) -> None:
            del self._asked[hello.wearer]
            try:
                self._open(peer, user, hello, recalled, now)
            except EcgmonError as error:
                retry_s = error.retry_s if isinstance(error, RefusedError) else None
                peer.refuse(str(error), retry_s)

        self._taken.unknown.append((hello, known))

    def _check(self, peer: Peer, user: str, hello: messages.Hello) -> None:
        """Refuse a hello for a wearer who is not the key's, or with another wearer's stream id.

        A frame names only its stream: on one connection an id belongs to one wearer.
        """
        if not self._access.may_write(user, hello.wearer):
            raise ProtocolError(f"This key is not one of {hello.wearer}'s device.")
        held = self._connections.get((peer, int(hello.stream, 16)))
        if held is None or held.stream.wearer == hello.wearer:
            return
        if held.user == user and self._access.may_write(user, held.stream.wearer):
            raise ProtocolError(
                f"Another wearer's stream {hello.stream} is open on this connection: choose "
                f"another stream id for {hello.wearer}."
            )
        self._forget(held.stream)  # its key is another wearer's now

    def _open(
        self,
        peer: Peer,
        user: str,
        hello: messages.Hello,
        recalled: StreamTail | None,
        now: float,
    ) -> None:
        self._check(peer, user, hello)  # meanwhile the key or the stream id may be another wearer's
        live = self._registry.going_on(hello)
        if live is None:
            self._registry.claim(hello, now)  # another one may have come first
            live, published = self._registry.open(hello, recalled, now)
            self._taken.published += published
            self.forget_closed()  # it may have taken the place of a silent device
        self._attach(peer, user, hello, live.stream, live.lead, now)

    def _attach(
        self, peer: Peer, user: str, hello: messages.Hello, stream: Stream, lead: str, now: float
    ) -> None:
        """Let a stream belong to the connection that said hello last."""
        for other in [s for s in self._of_stream if s.wearer == stream.wearer]:
            self._forget(other)
        if user != LOCAL and not self._limits.open(user, (stream.wearer, stream.number), now):
            raise RefusedError("This key has too many streams open.", LONGEST_WAIT_S)
        connection = DeviceConnection(peer, user, stream, lead, now)
        self._connections[peer, stream.number] = self._of_stream[stream] = connection
        who = self._access.name_of(user)
        _log.bind(wearer=hello.wearer, stream=hello.stream).info("hello", who=who)
        self._taken.published.append(
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
                stream=hello.stream, next=stream.kept, lead=lead, publish=self._publish(user)
            )
        )
        if stream.next > stream.kept:  # not on disk, but not to be sent again
            self._ack(connection)

    def _connection(self, peer: Peer, user: str, number: int) -> DeviceConnection:
        connection = self._connections.get((peer, number))
        if connection is None or connection.user != user:
            raise ProtocolError("This stream is not open here: say hello first.")
        if not self._access.may_write(user, connection.stream.wearer):
            self._forget(connection.stream)
            raise ProtocolError(MAY_NOT)
        return connection

    def _forget(self, stream: Stream) -> None:
        if connection := self._of_stream.pop(stream, None):
            del self._connections[connection.peer, stream.number]
            self._limits.close(connection.user, (stream.wearer, stream.number))

    def _ack(self, connection: DeviceConnection) -> None:
        stream = connection.stream
        connection.seen, connection.answered = stream.next, time.monotonic()
        ack = messages.Ack(
            stream=messages.stream_id(stream.number), next=stream.kept, seen=stream.next
        )
        connection.peer.answer(ack)
