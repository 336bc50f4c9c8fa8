"""The publish endpoint of a monitor, without the monitor: the test chooses its messages."""

import queue
import threading
import time

import zmq

from ecgmon.wire import messages

PATIENCE_S = 10
"""For what must come; only a failing test waits so long."""


class Publisher:
    """Sends a snapshot to each new subscriber, publishes, and answers requests.

    ``snapshot`` is sent to new subscribers, ``answer`` is the answer to requests; both may
    be replaced at any time. What was asked for is in ``requests``.
    """

    def __init__(self, endpoint="tcp://127.0.0.1:*", snapshot=()):
        self.snapshot = list(snapshot)
        self.answer = lambda _: messages.Done()
        self.requests = queue.Queue()
        self.topics = {}
        self._outgoing = queue.Queue()
        self._ended = threading.Event()
        self.context = zmq.Context()
        self._socket = self.context.socket(zmq.ROUTER)
        self._socket.linger = 0
        self._socket.sndhwm = 0
        self._socket.bind(endpoint)
        self.endpoint = self._socket.last_endpoint.decode().rstrip("\0")
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Go away, as a monitor does; once more is no harm."""
        self._ended.set()
        self._thread.join()
        self.context.destroy(0)

    def publish(self, *published):
        for message in published:
            self._outgoing.put(message)

    def sent_all(self):
        """Wait until what was published has been handed to ZeroMQ, and has had time to leave."""
        self._outgoing.join()
        time.sleep(0.05)

    def request(self):
        """Return the next request."""
        return self.requests.get(timeout=PATIENCE_S)

    def wait_for_topic(self, topic, wanted=True):
        """Wait until somebody listens to a topic, or nobody does any more."""
        until = time.monotonic() + PATIENCE_S
        while wanted != any(topic in topics for topics in self.topics.values()):
            assert time.monotonic() < until, self.topics
            time.sleep(0.005)

    def _run(self):
        while not self._ended.is_set():
            if self._socket.poll(5):
                peer, data = self._socket.recv_multipart()
                self._take(peer, messages.decode_from_viewer(data))
            while not self._outgoing.empty():
                message = self._outgoing.get()
                for peer, topics in self.topics.items():
                    if isinstance(message, bytes) or is_subscribed(topics, message):
                        self._send(peer, message)
                self._outgoing.task_done()

    def _take(self, peer, message):
        if not isinstance(message, messages.Subscribe):
            self.requests.put(message)
            self._send(peer, self.answer(message))
            return
        topics = frozenset(message.topics)
        repeated = self.topics.get(peer) == topics and not message.again
        if not repeated:
            for published in self.snapshot:
                if is_subscribed(topics, published):
                    self._send(peer, published)
        self.topics = self.topics | {peer: topics}
        self._send(peer, messages.Subscribed(repeated=repeated))

    def _send(self, peer, message):
        data = message if isinstance(message, bytes) else messages.encode(message)
        self._socket.send_multipart([peer, data])


def is_subscribed(topics, message):
    if not isinstance(message, messages.Published):
        return True
    topic = messages.topic(message)
    return topic in topics or topic.partition("/")[0] + "/" in topics
