"""The devices that send now: which connection sends which stream, and what it is acknowledged."""

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from ecgmon.core.errors import ProtocolError, RefusedError
from ecgmon.wire import messages
from monitor.network.access import LOCAL, Access
from monitor.network.rate_limits import LONGEST_WAIT_S, RateLimiter
from monitor.sources.base import Peer
from monitor.wearers.stream import Stream

SEEN_S: Final = 1.0
"""Samples that are judged but not on disk are acknowledged as seen at most this often..."""
SEEN_AT_ONCE_S: Final = 2
"""...or at once, where they are this many seconds of signal."""
NOT_ALLOWED: Final = "This key may not send this wearer's signal any more."


@dataclass(eq=False, slots=True)
class DeviceConnection:
    """A connection that sends a stream.

    Parameters
    ----------
    peer : Peer
        Where answers go.
    user : str
        Whose key it has, or `LOCAL`.
    stream : Stream
        The wearer's stream.
    lead : str
        The lead that is used of it.
    due : float
        Monotonic time from which on any new sample is acknowledged as seen, in seconds.
    seen : int
        Up to which of the device's samples the latest acknowledgement said *seen*.
    enough : int
        From which of the device's samples on they are acknowledged as seen at once.
    """

    peer: Peer
    user: str
    stream: Stream
    lead: str
    due: float
    seen: int = 0
    enough: int = 0

    def acknowledge(self) -> None:
        """Send the device what of its stream is on disk, and what is judged."""
        stream = self.stream
        self.seen, self.due = stream.next, time.monotonic() + SEEN_S
        self.enough = self.seen + stream.rate_mhz * SEEN_AT_ONCE_S // 1000
        ack = messages.Ack(
            stream=messages.stream_id(stream.number), next=stream.acknowledged, seen=stream.next
        )
        self.peer.answer(ack)


class DeviceConnections:
    """The connections that send open streams, one for each stream.

    A frame names only its stream's number. So on one connection a number belongs to one wearer,
    and a connection is found by peer and number.

    Parameters
    ----------
    access : Access
        Which key may write which wearer.
    limits : RateLimiter
        Counts the open streams of connections with keys.
    """

    def __init__(self, access: Access, limits: RateLimiter) -> None:
        self._access = access
        self._limits = limits
        self._by_peer: dict[tuple[Peer, int], DeviceConnection] = {}
        self._by_stream: dict[Stream, DeviceConnection] = {}

    def __len__(self) -> int:
        return len(self._by_stream)

    def of(self, stream: Stream) -> DeviceConnection | None:
        """Return the connection that sends a stream, None if there is none."""
        return self._by_stream.get(stream)

    def find(self, peer: Peer, user: str, number: int) -> DeviceConnection:
        """Return the connection of a message.

        Raises
        ------
        ProtocolError
            If this connection has no such stream, or its key may not write it any more.
        """
        connection = self._by_peer.get((peer, number))
        if connection is None or connection.user != user:
            raise ProtocolError("This stream is not open here: say hello first.")
        if user != LOCAL and not self._access.may_write(user, connection.stream.wearer):
            self.detach(connection.stream)
            raise ProtocolError(NOT_ALLOWED)
        return connection

    def check(self, peer: Peer, user: str, hello: messages.Hello) -> None:
        """Check whether a hello may open its stream on this connection.

        Raises
        ------
        ProtocolError
            If the wearer is not the key's, or the number is that of another wearer's stream.
        """
        if not self._access.may_write(user, hello.wearer):
            raise ProtocolError(f"This key is not one of {hello.wearer}'s device.")
        other = self._by_peer.get((peer, int(hello.stream, 16)))
        if other is None or other.stream.wearer == hello.wearer:
            return
        if other.user == user and self._access.may_write(user, other.stream.wearer):
            raise ProtocolError(
                f"Another wearer's stream {hello.stream} is open on this connection: choose "
                f"another stream id for {hello.wearer}."
            )
        self.detach(other.stream)  # the key of this connection is another wearer's now

    def attach(
        self, peer: Peer, user: str, stream: Stream, lead: str, now: float
    ) -> DeviceConnection:
        """Let a stream belong to this connection, and to no other.

        Raises
        ------
        RefusedError
            If the key has too many streams open.
        """
        for other in [s for s in self._by_stream if s.wearer == stream.wearer]:
            self.detach(other)
        if user != LOCAL and not self._limits.open(user, (stream.wearer, stream.number), now):
            raise RefusedError("This key has too many streams open.", LONGEST_WAIT_S)
        connection = DeviceConnection(peer, user, stream, lead, now + SEEN_S)
        self._by_peer[peer, stream.number] = self._by_stream[stream] = connection
        return connection

    def detach(self, stream: Stream) -> None:
        """Forget the connection of a stream, if it has one."""
        if connection := self._by_stream.pop(stream, None):
            del self._by_peer[connection.peer, stream.number]
            self._limits.close(connection.user, (stream.wearer, stream.number))

    def detach_all_but(self, streams: Collection[Stream]) -> None:
        """Forget the connections of all other streams."""
        for stream in set(self._by_stream) - set(streams):
            self.detach(stream)

    def detach_revoked(self) -> None:
        """Refuse and forget connections whose keys may not write any more; keys have changed."""
        for connection in list(self._by_stream.values()):
            if not self._access.may_write(connection.user, connection.stream.wearer):
                self.detach(connection.stream)
                connection.peer.refuse(NOT_ALLOWED, user=connection.user)

    def refuse(self, streams: Iterable[Stream], reason: str, retry_s: float) -> None:
        """Tell the devices of streams that they are not monitored any more, and forget them."""
        for stream in streams:
            if connection := self.of(stream):
                self.detach(stream)
                connection.peer.refuse(reason, retry_s, connection.user)

    def acknowledge(self, acks: dict[Stream, int], ends: Collection[Stream] = ()) -> None:
        """Acknowledge samples that are on disk.

        Parameters
        ----------
        acks : dict of Stream to int
            Index of the first of the device's samples that is not on disk.
        ends : collection of Stream
            Streams that end: their devices are answered even if the index is not new.
        """
        for stream, index in acks.items():
            is_new = index > stream.acknowledged
            stream.acknowledged = max(stream.acknowledged, index)
            if (connection := self.of(stream)) and (is_new or stream in ends):
                connection.acknowledge()

    def acknowledge_judged(self, now: float, streams: Iterable[Stream] | None = None) -> None:
        """Acknowledge samples that are judged as *seen*: devices need not wait for the disk.

        Parameters
        ----------
        now : float
            Monotonic time in seconds.
        streams : iterable of Stream, optional
            Those of which it may be due; else all.
        """
        for stream in self._by_stream if streams is None else streams:
            if (connection := self.of(stream)) is None:
                continue
            newest = max(connection.seen, stream.acknowledged)
            new_s = (stream.next - newest) * 1000 / stream.rate_mhz
            if new_s >= SEEN_AT_ONCE_S or (new_s > 0 and now >= connection.due):
                connection.acknowledge()
