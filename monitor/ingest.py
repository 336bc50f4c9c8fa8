"""Ingest: the conversation with devices and viewers (docs/wire.md)."""

import logging
import time
from typing import Final

import zmq

from ecgmon.errors import EcgmonError, ProtocolError
from ecgmon.wire import Frame, frame, messages
from monitor.capture import Capture
from monitor.streams import Stream
from monitor.ward import Ward

MAX_DRAINED: Final = 1000
"""Messages taken in one tick, so that classification is never starved by a flood."""
MAX_SAMPLES: Final = 100_000
"""And samples, some tenth of a second of work: one device that catches up delays nobody else."""

_log = logging.getLogger(__name__)


class Ingest:
    """Reads the ROUTER socket and answers.

    Parameters
    ----------
    socket : zmq.Socket
        A bound ROUTER socket.
    ward : Ward
        Where streams are opened and acknowledgements go.
    publish : str
        Endpoint of the publisher, told to devices.
    capture : Capture, optional
        Keeps the samples that are taken.
    """

    def __init__(
        self,
        socket: "zmq.Socket[bytes]",
        ward: Ward,
        publish: str,
        capture: Capture | None = None,
    ) -> None:
        self.socket = socket
        self._ward = ward
        self._publish = publish
        self._capture = capture
        self._streams: dict[tuple[bytes, int], Stream] = {}
        self._unacknowledged: dict[Stream, bytes] = {}
        self._ending: list[tuple[Stream, bytes]] = []
        self._samples = 0

    def drain(self) -> list[messages.Published]:
        """Take what has arrived, at most `MAX_DRAINED` messages or `MAX_SAMPLES` samples.

        Returns
        -------
        list of Published
            What is to be told of streams that opened and alerts that were acknowledged.
        """
        published: list[messages.Published] = []
        self._samples = 0
        for _ in range(MAX_DRAINED):
            if self._samples >= MAX_SAMPLES:
                break
            try:
                peer, *parts = self.socket.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                break
            try:
                if len(parts) != 1:
                    raise ProtocolError(f"A message has one part, not {len(parts)}.")
                published += self._take(peer, parts[0])
            except EcgmonError as error:
                _log.warning("peer=%s refused=%r", peer.hex(), str(error))
                self._answer(peer, messages.Refused(reason=str(error)[:500]))
        return published

    def acknowledge(self) -> list[messages.Published]:
        """Acknowledge what has been processed; end the streams whose devices said goodbye."""
        for stream, peer in self._unacknowledged.items():
            self._ack(stream, peer)
        self._unacknowledged.clear()
        published: list[messages.Published] = []
        for stream, peer in self._ending:
            self._ack(stream, peer)
            self._streams = {k: s for k, s in self._streams.items() if s is not stream}
            published += self._ward.close(stream)
        self._ending.clear()
        return published

    def _take(self, peer: bytes, data: bytes) -> list[messages.Published]:
        if data.startswith(frame.MAGIC):
            received = Frame.decode(data)
            stream = self._stream(peer, received.stream)
            if received.rate_mhz != stream.rate_mhz:
                raise ProtocolError("The frame's rate is not the one its hello named.")
            known = stream.accept(received, time.monotonic())
            if self._capture is not None:
                self._capture.append(stream.wearer, received, known)
            self._samples += len(received.samples)
            self._unacknowledged[stream] = peer
            return []
        message = messages.decode_to_monitor(data)
        match message:
            case messages.Hello():
                return self._hello(peer, message)
            case messages.Heartbeat():
                stream = self._stream(peer, int(message.stream, 16))
                self._unacknowledged[stream] = peer
                return []
            case messages.Bye():
                self._ending.append((self._stream(peer, int(message.stream, 16)), peer))
                return []
            case messages.Acknowledge():
                return self._ward.acknowledge(message)

    def _hello(self, peer: bytes, hello: messages.Hello) -> list[messages.Published]:
        stream, published = self._ward.open(hello)
        _log.info("wearer=%s stream=%s hello", hello.wearer, hello.stream)
        # One device speaks for a wearer: a new connection takes over from a lost one.
        self._streams = {k: s for k, s in self._streams.items() if s.wearer != hello.wearer}
        self._streams[peer, stream.number] = stream
        self._answer(
            peer, messages.Welcome(stream=hello.stream, next=stream.next, publish=self._publish)
        )
        return published

    def _stream(self, peer: bytes, number: int) -> Stream:
        try:
            return self._streams[peer, number]
        except KeyError:
            raise ProtocolError("This stream is not open here: say hello first.") from None

    def _ack(self, stream: Stream, peer: bytes) -> None:
        number = messages.stream_id(stream.number)
        self._answer(peer, messages.Ack(stream=number, next=stream.next))

    def _answer(self, peer: bytes, message: messages.ToDevice) -> None:
        try:
            self.socket.send_multipart([peer, messages.encode(message)], zmq.DONTWAIT)
        except zmq.Again:
            _log.warning("peer=%s answer dropped: it does not read", peer.hex())
