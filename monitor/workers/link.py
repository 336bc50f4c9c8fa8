"""One end of the pair of sockets between the front and a worker: words in order, never waiting."""

import socket
import struct
from typing import Final, Generic, TypeVar

import msgspec

from monitor.workers.words import FromFront, ToFront

T = TypeVar("T")

CHUNK: Final = 262_144
"""Bytes read from the socket at once."""
READ: Final = 4_000_000
"""Bytes read in one turn, so that a flood does not hold up the loop."""
_LENGTH: Final = struct.Struct("<I")

_ENCODER: Final = msgspec.msgpack.Encoder()


class WordLink(Generic[T]):
    """Sends words and receives those of the other end.

    Parameters
    ----------
    end : socket.socket
        One end of a pair.
    decoder : msgspec.msgpack.Decoder
        Of the words that come.

    Attributes
    ----------
    ended : bool
        Whether the other end has gone.
    waiting : int
        Bytes that the other end has not taken yet.
    """

    def __init__(self, end: socket.socket, decoder: msgspec.msgpack.Decoder[T]) -> None:
        self._socket = end
        self._socket.setblocking(False)
        for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            self._socket.setsockopt(socket.SOL_SOCKET, buffer, CHUNK)
        self._decoder = decoder
        self._out = bytearray()
        self._in = bytearray()
        self.ended = False

    @property
    def waiting(self) -> int:
        """Bytes that the other end has not taken yet."""
        return len(self._out)

    def fileno(self) -> int:
        """Return what a poller waits for."""
        return self._socket.fileno()

    def say(self, word: FromFront | ToFront) -> None:
        """Let a word be sent with the next `flush`."""
        data = _ENCODER.encode(word)
        self._out += _LENGTH.pack(len(data))
        self._out += data

    def flush(self) -> None:
        """Send what the other end takes now."""
        try:
            while self._out and not self.ended:
                del self._out[: self._socket.send(self._out)]
        except BlockingIOError:
            pass
        except OSError:
            self.ended = True

    def hear(self) -> list[T]:
        """Return the words that have come."""
        read = 0
        while read < READ and not self.ended:
            try:
                data = self._socket.recv(CHUNK)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            self.ended = not data
            self._in += data
            read += len(data)
            if len(data) < CHUNK:
                break
        words, at = [], 0
        while len(self._in) - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._in, at)
            start = at + _LENGTH.size
            if len(self._in) < start + length:
                break
            words.append(self._decoder.decode(memoryview(self._in)[start : start + length]))
            at = start + length
        del self._in[:at]
        return words

    def close(self, timeout_s: float = 0.0) -> None:
        """Send the rest, if the other end takes it within a time, and close this end."""
        if self._out and timeout_s and not self.ended:
            self._socket.settimeout(timeout_s)
            try:
                self._socket.sendall(self._out)
            except OSError:
                self.ended = True
        self._socket.close()
