"""Rate limits of a connection: messages, samples and open streams."""

import math
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

from ecgmon.core.errors import RefusedError

IDLE_S: Final = 60.0
"""Silence after which a connection is forgotten; with a full bucket, so nothing is gained by it."""
LONGEST_WAIT_S: Final = 60
"""Nobody is told to wait longer."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What one connection may send.

    Parameters
    ----------
    messages, samples : float
        How many a second in the long run.
    message_burst, sample_burst : float
        How many at once after a silence; what holds more is never taken.
    streams : int
        How many streams it may have open at once.
    connections : int
        How many connections are known at once; beyond, the longest silent one is forgotten.
    """

    messages: float = 200.0
    message_burst: float = 1_000.0
    samples: float = 36_000.0
    sample_burst: float = 360_000.0
    streams: int = 8
    connections: int = 10_000


class TokenBucket:
    """A token bucket: ``rate`` tokens a second run in until it holds ``burst``.

    Parameters
    ----------
    rate, burst : float
        Tokens a second, and most tokens.
    now : float
        The time, s, of a clock that never goes back; it is full then.
    """

    __slots__ = ("_burst", "_level", "_rate", "_time")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst = rate, burst
        self._level, self._time = burst, now

    def wait_s(self, tokens: float, now: float) -> float:
        """Return for how long there will not be so many tokens; infinite if never."""
        self._level = min(self._burst, self._level + self._rate * max(0.0, now - self._time))
        self._time = max(now, self._time)
        if tokens > self._burst:
            return float("inf")
        return max(0.0, tokens - self._level) / self._rate

    def take(self, tokens: float) -> None:
        """Take tokens out, of which `wait_s` has just said that they are there."""
        self._level -= tokens


@dataclass(slots=True)
class _Connection:
    messages: TokenBucket
    samples: TokenBucket
    last_message: float
    streams: set[Hashable] = field(default_factory=set)


class RateLimiter:
    """What each connection has left; what is refused costs it nothing.

    Parameters
    ----------
    rates : RateLimit
        What each may send.
    """

    def __init__(self, rates: RateLimit) -> None:
        self._rates = rates
        # After so long both buckets are full, whatever the rates are.
        self._idle_s = max(
            IDLE_S,
            rates.message_burst / rates.messages,
            rates.sample_burst / rates.samples,
        )
        self._known: OrderedDict[Hashable, _Connection] = OrderedDict()

    def __len__(self) -> int:
        """Return how many connections are known."""
        return len(self._known)

    def take(self, connection: Hashable, now: float, samples: int = 0) -> float:
        """Count a message, if it may be taken.

        Plain connections of this machine are not asked about: replays may run at any speed.

        Parameters
        ----------
        connection : hashable
            Who sends it: a connection, or better a user, who may have several.
        now : float
            The time, s, of a clock that never goes back.
        samples : int
            How many it holds.

        Returns
        -------
        float
            0 where it is taken; else the seconds after which it would be, infinite for a message
            with more samples than may ever come at once.
        """
        known = self._of(connection, now)
        wait = max(known.messages.wait_s(1, now), known.samples.wait_s(samples, now))
        if wait < 1e-6:  # who waited as told is not refused by a rounding error
            known.messages.take(1)
            known.samples.take(samples)
            return 0.0
        return wait

    def charge(self, connection: Hashable, now: float, samples: int = 0) -> None:
        """Count a message as `take` does; raises `RefusedError` if it may not be taken."""
        if wait_s := self.take(connection, now, samples):
            wait_s = math.ceil(min(wait_s, LONGEST_WAIT_S))
            raise RefusedError("This connection sends more than it may.", wait_s)

    def charge_missing(self, connection: Hashable, now: float, samples: int) -> None:
        """Count samples left out, which are reported second by second; a message with any is two.

        However many they are, they cost half of what may come at once: a long outage is no abuse.
        """
        if samples > 0:
            self.charge(connection, now, min(samples, int(self._rates.sample_burst / 2)))

    def open(self, connection: Hashable, stream: Hashable, now: float) -> bool:
        """Count a stream as open; False where it would be one too many."""
        streams = self._of(connection, now).streams
        if stream not in streams and len(streams) >= self._rates.streams:
            return False
        streams.add(stream)
        return True

    def close(self, connection: Hashable, stream: Hashable) -> None:
        """Count a stream as open no more."""
        if known := self._known.get(connection):
            known.streams.discard(stream)

    def _of(self, connection: Hashable, now: float) -> _Connection:
        """Return what is known of a connection, and forget those long silent."""
        rates = self._rates
        known = self._known.get(connection)
        if known is None:
            known = self._known[connection] = _Connection(
                TokenBucket(rates.messages, rates.message_burst, now),
                TokenBucket(rates.samples, rates.sample_burst, now),
                now,
            )
        known.last_message = now
        self._known.move_to_end(connection)
        while len(self._known) > 1:
            first = next(iter(self._known.values()))
            if len(self._known) <= rates.connections and now - first.last_message <= self._idle_s:
                break
            self._known.popitem(last=False)
        return known
