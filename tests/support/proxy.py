"""A network between device and monitor, which fails on command."""

import random
import socket
import threading
import time
from collections import deque
from urllib.parse import urlsplit

CHUNK = 16_384
UNDER_WAY = 256
TURN_S = 0.001


class Proxy:
    """Passes TCP connections on to a monitor, in a thread, until the ``with`` block ends.

    Parameters
    ----------
    target : str
        Endpoint of the monitor, such as ``tcp://127.0.0.1:5555``.
    seed : int
        Of the delays.

    Attributes
    ----------
    endpoint : str
        What to connect to instead.
    delay_s : tuple of (float, float)
        How long bytes are on their way, at least and at most; those of one connection stay in
        order.
    stalled : bool
        Whether nothing is passed on, although connections are open.
    refusing : bool
        Whether new connections are closed at once.
    cuts : int
        Connections cut so far.
    """

    def __init__(self, target, seed=1):
        parts = urlsplit(target)
        self._target = parts.hostname, parts.port
        self._random = random.Random(seed)  # noqa: S311 - chance, not secrecy
        self._lock = threading.Lock()
        self._pairs = []
        self._ended = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.setblocking(False)
        self.endpoint = f"tcp://127.0.0.1:{self._server.getsockname()[1]}"
        self.delay_s = (0.0, 0.0)
        self.stalled = self.refusing = False
        self.cuts = 0

    def __enter__(self):
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()
        self.cut()
        self._server.close()

    @property
    def connections(self):
        """Number of open connections."""
        with self._lock:
            return len(self._pairs)

    def cut(self):
        """Cut all open connections; data on its way is lost."""
        with self._lock:
            for pair in self._pairs:
                pair.close()
            self.cuts += len(self._pairs)
            self._pairs.clear()

    def _run(self):
        while not self._ended.is_set():
            with self._lock:
                self._accept()
                moved = 0 if self.stalled else self._pass_on()
            if not moved:
                time.sleep(TURN_S)

    def _accept(self):
        try:
            client, _ = self._server.accept()
        except BlockingIOError:
            return
        if self.refusing:
            client.close()
            return
        try:
            monitor = socket.create_connection(self._target, timeout=1)
        except OSError:  # the monitor is not there: nor is this
            client.close()
            return
        self._pairs.append(Pair(client, monitor))

    def _pass_on(self):
        moved = 0
        for pair in list(self._pairs):
            try:
                moved += pair.pass_on(time.monotonic(), self._random.uniform(*self.delay_s))
            except OSError:  # an end has gone
                pair.close()
                self._pairs.remove(pair)
        return moved


class Pair:
    """Both ends of a connection, and what is on its way between them."""

    def __init__(self, client, monitor):
        self._ends = (client, monitor)
        for end in self._ends:
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._under_way = (deque(), deque())

    def pass_on(self, now, delay_s):
        """Take what has come and deliver what is due; returns how many bytes moved.

        Raises
        ------
        OSError
            If an end has gone.
        """
        moved = 0
        for source, sink, under_way in zip(
            self._ends, reversed(self._ends), self._under_way, strict=True
        ):
            try:
                # Data that cannot be delivered is not read, so the sender blocks.
                data = source.recv(CHUNK) if len(under_way) < UNDER_WAY else None
            except BlockingIOError:
                data = None
            if data is not None:
                if not data:
                    raise ConnectionResetError
                last = under_way[-1][0] if under_way else 0.0
                under_way.append((max(last, now + delay_s), data))
                moved += len(data)
            while under_way and under_way[0][0] <= now:
                due, data = under_way.popleft()
                try:
                    n = sink.send(data)
                except BlockingIOError:
                    n = 0
                moved += n
                if n < len(data):
                    under_way.appendleft((due, data[n:]))
                    break
        return moved

    def close(self):
        for end in self._ends:
            end.close()
