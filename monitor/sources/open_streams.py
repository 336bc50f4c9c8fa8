"""What the conversation with devices needs of whoever has their streams."""

from typing import Protocol

from ecgmon.wire import messages
from monitor.wearers.stream import Stream
from monitor.wearers.stream_tail import StreamTail


class OpenStream(Protocol):
    """A stream that is open, and the lead that is used of it."""

    @property
    def stream(self) -> Stream:
        """The stream."""

    @property
    def lead(self) -> str:
        """The lead."""


class OpenStreams(Protocol):
    """The streams of all wearers: of a monitor they are judged, of a gateway passed on.

    The members are those of `monitor.wearers.registry.WearerRegistry`, and described there.
    """

    @property
    def streams(self) -> list[Stream]:
        """The open streams."""

    def going_on(self, hello: messages.Hello, /) -> OpenStream | None:
        """Return the open stream of a device that comes back."""

    def claim(self, hello: messages.Hello, now: float) -> None:
        """Check whether a stream could be opened."""

    def open(
        self, hello: messages.Hello, tail: StreamTail | None, now: float, /
    ) -> tuple[OpenStream, list[messages.Published]]:
        """Begin a wearer's stream, or go on with one."""

    def hear(self, stream: Stream, lead: str) -> Stream | None:
        """Return where frames of another lead go."""

    def close(self, stream: Stream) -> list[messages.Published]:
        """End a stream."""
