"""When a gateway publishes what: each wearer's portions one after the other, about one a second."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from monitor.fleet.gateway_stream import ForwardedStream
from monitor.fleet.portions import Portion

GROUPED_S: Final = 1.0
"""Samples wait so long for others, in seconds: each message costs the servers a write to disk..."""
AT_ONCE_S: Final = 2.0
"""...but not where so much signal waits: its device catches up."""
MOST_UNDER_WAY: Final = 256
"""Portions that JetStream has not answered, at most."""

Stored = Callable[[ForwardedStream, int, bool], None]
"""Takes a stream of which JetStream has all before an index, and whether that was a goodbye."""


class PortionDispatch:
    """What waits to be published, and what is under way.

    Parameters
    ----------
    keep : callable
        Takes a portion, and what to call in the gateway's thread once JetStream has it.
    stored : callable
        Is told of each portion that JetStream has.
    """

    def __init__(self, keep: Callable[[Portion, Callable[[], None]], None], stored: Stored) -> None:
        self._keep = keep
        self._stored = stored
        self._waiting: dict[str, deque[ForwardedStream]] = {}
        self._under_way: set[str] = set()

    def __len__(self) -> int:
        """Return how many wearers have something that JetStream has not."""
        return len(self._waiting.keys() | self._under_way)

    @property
    def under_way(self) -> int:
        """Portions that JetStream has not answered."""
        return len(self._under_way)

    def add(self, stream: ForwardedStream) -> None:
        """Take that a stream may have something to publish."""
        if stream.has_news:
            streams = self._waiting.setdefault(stream.wearer, deque())
            if stream not in streams:
                streams.append(stream)

    def send_due(self, now: float, *, all_of_it: bool = False) -> None:
        """Publish what is due at a monotonic time in seconds, or all that waits."""
        for wearer, streams in list(self._waiting.items()):
            if len(self._under_way) >= MOST_UNDER_WAY:
                return
            if wearer not in self._under_way and (
                all_of_it or len(streams) > 1 or _is_due(streams[0], now)
            ):
                self._send(wearer, streams)

    def _send(self, wearer: str, streams: deque[ForwardedStream]) -> None:
        stream = streams.popleft()
        if not streams:
            del self._waiting[wearer]
        portion, index = stream.take(time.time()), stream.next

        def has_it() -> None:
            self._under_way.remove(wearer)
            self._stored(stream, index, portion.end is not None)

        self._under_way.add(wearer)
        self._keep(portion, has_it)


def _is_due(stream: ForwardedStream, now: float) -> bool:
    if stream.since is None or stream.begins or stream.says_goodbye:
        return True  # it begins, or ends
    return now - stream.since >= GROUPED_S or stream.waiting_s >= AT_ONCE_S
