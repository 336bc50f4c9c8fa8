"""The publisher: an XPUB socket that knows what anybody listens to."""

from typing import Final

import zmq

from ecgmon.wire import messages

HIGH_WATER: Final = 10_000
"""Messages kept for a slow subscriber; further ones are dropped for it alone."""
MAX_TOPICS: Final = 10_000


class Publisher:
    """Sends messages under the topic ``type/wearer``.

    Parameters
    ----------
    socket : zmq.Socket
        A bound XPUB socket.
    """

    def __init__(self, socket: "zmq.Socket[bytes]") -> None:
        self.socket = socket
        self.socket.set(zmq.XPUB_VERBOSE, 1)  # every subscriber is announced, not the first alone
        self._topics: set[bytes] = set()

    def take_subscriptions(self) -> bool:
        """Learn of new and ended subscriptions.

        Returns
        -------
        bool
            Whether somebody has begun to listen to streams being opened, and so needs to be told
            of those that are.
        """
        newcomer = False
        while self.socket.poll(0):
            message = self.socket.recv()
            topic = message[1:]
            if message[:1] == b"\1" and len(self._topics) < MAX_TOPICS:
                self._topics.add(topic)
                newcomer |= topic.startswith(b"opened/"[: len(topic)])
            elif message[:1] == b"\0":
                self._topics.discard(topic)
        return newcomer

    def wanted(self, topic: bytes) -> bool:
        """Tell whether anybody listens to a topic, so that traces need not be made for nobody."""
        return any(topic.startswith(prefix) for prefix in self._topics)

    def send(self, message: messages.Published) -> None:
        """Publish a message; it is dropped for subscribers that are too slow."""
        self.socket.send_multipart([messages.topic(message), messages.encode(message)])
