"""The streams of a gateway: which are open, and where JetStream has them up to."""

from typing import Final

from ecgmon.core.errors import RefusedError
from ecgmon.wire import messages
from monitor.fleet.gateway_jetstream import KnownStream
from monitor.fleet.gateway_stream import FULL, KEEP_S, ForwardedStream, PassedOnLead
from monitor.ops.logs import logger
from monitor.wearers.places import RETRY_S
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import TAKEOVER_S
from monitor.wearers.session import require_same
from monitor.wearers.stream import Stream
from monitor.wearers.stream_tail import StreamTail

UNKNOWN: Final = "JetStream does not say how far it has this stream: keep your samples."

_log = logger(__name__)


class ForwardedWearer:
    """A wearer whose device sends to this gateway.

    Parameters
    ----------
    stream : ForwardedStream
        The open stream.
    now : float
        Monotonic time in seconds.

    Attributes
    ----------
    last_received : float
        When new samples came last, monotonic time in seconds.
    second : PassedOnLead or None
        The second lead, where there is one.
    """

    def __init__(self, stream: ForwardedStream, now: float) -> None:
        self.stream = stream
        self.last_received = now
        self.second: PassedOnLead | None = None
        self._received = 0

    @property
    def lead(self) -> str:
        """The lead that is used."""
        return self.stream.lead

    def look(self, now: float) -> None:
        """Note whether new samples have come; call it once a second."""
        if self.stream.received != self._received:
            self._received, self.last_received = self.stream.received, now


class GatewayRegistry:
    """The open streams of a gateway, one for each wearer; an `OpenStreams`.

    Parameters
    ----------
    policy : WearerPolicy
        Which lead is used, how many wearers may send, and when one is forgotten.
    """

    def __init__(self, policy: WearerPolicy) -> None:
        self.policy = policy
        self._wearers: dict[str, ForwardedWearer] = {}
        self._found: dict[str, KnownStream | None] = {}

    @property
    def streams(self) -> list[Stream]:
        """The open streams."""
        return [one.stream for one in self._wearers.values()]

    def forwarded(self, stream: Stream) -> ForwardedStream | None:
        """Return an open stream as what it is here; None if it is open no more."""
        active = self._wearers.get(stream.wearer)
        return active.stream if active and active.stream is stream else None

    def note(self, hello: messages.Hello, known: KnownStream | None) -> None:
        """Take what JetStream has of the stream of a hello, before it is opened."""
        self._found[hello.wearer] = known

    def opened(self, hello: messages.Hello) -> ForwardedStream | None:
        """Return the stream of a hello, if it is open; what was noted of it counts no more."""
        self._found.pop(hello.wearer, None)
        active = self._wearers.get(hello.wearer)
        return active.stream if active and active.stream.hello.stream == hello.stream else None

    def going_on(self, _hello: messages.Hello) -> ForwardedWearer | None:
        """Return None: its device may have been with another gateway meanwhile."""
        return None

    def claim(self, hello: messages.Hello, now: float) -> None:
        """Check whether a stream could be opened.

        Raises
        ------
        UsageError
            If it can never be.
        RefusedError
            If it cannot be now: another device sends this wearer's signal, no place is free, or
            JetStream takes nothing.
        """
        self.policy.lead_of(hello)
        active = self._wearers.get(hello.wearer)
        if active is None:
            self._place(now)
        elif active.stream.hello.stream != hello.stream:
            active.look(now)
            if now - active.last_received < TAKEOVER_S:
                raise RefusedError(
                    f"Another device streams for {hello.wearer}: switch it off, or wait.",
                    TAKEOVER_S,
                )
        elif active.stream.is_full:
            raise RefusedError(FULL, KEEP_S)

    def open(
        self, hello: messages.Hello, _tail: StreamTail | None, now: float
    ) -> tuple[ForwardedWearer, list[messages.Published]]:
        """Begin a stream or go on with one, from where JetStream has it; `note` comes first.

        Raises
        ------
        UsageError
            If the hello does not fit what is known of the stream.
        RefusedError
            If nothing was noted, or no place is free.
        """
        if hello.wearer not in self._found:
            raise RefusedError(UNKNOWN, KEEP_S)
        known, lead = self._found.pop(hello.wearer), self.policy.lead_of(hello)
        if known is not None:
            require_same(hello, round(known.hello.rate * 1000), self.policy.lead_of(known.hello))
        active = self._wearers.get(hello.wearer)
        if active and active.stream.hello.stream == hello.stream:
            require_same(hello, active.stream.rate_mhz, active.lead)
            if known is None or known.reached <= active.stream.next:
                return active, []
        elif active is None and (silent := self._place(now)):
            _log.warning("place-given-up", wearer=silent)
            del self._wearers[silent]
        reached = known.reached if known else 0
        parted = known is not None and known.parted
        stream = ForwardedStream(hello, lead, reached, parted=parted, known=known is not None)
        active = self._wearers[hello.wearer] = ForwardedWearer(stream, now)
        return active, []

    def hear(self, stream: Stream, lead: str) -> Stream | None:
        """Return where frames of another lead of an open stream go; None if it is not used."""
        active = self._wearers.get(stream.wearer)
        if active is None or self.policy.lead(stream.wearer) is not None:
            return None
        others = [one for one in active.stream.hello.leads if one != active.lead]
        if lead not in others[:1]:
            return None
        if active.second is None:
            active.second = PassedOnLead(active.stream)
        return active.second

    def close(self, stream: Stream) -> list[messages.Published]:
        """End a stream; nothing if another took its place."""
        if self.forwarded(stream):
            del self._wearers[stream.wearer]
        return []

    def look_after(self, now: float) -> None:
        """Do what is due once a second: forget who is silent for long."""
        for wearer, active in list(self._wearers.items()):
            active.look(now)
            if now - active.last_received > self.policy.forget_s:
                del self._wearers[wearer]

    def _place(self, now: float) -> str | None:
        """Return who has to give a place to another wearer; None if one is free."""
        if len(self._wearers) < self.policy.capacity:
            return None
        silent = [
            (one.last_received, wearer)
            for wearer, one in self._wearers.items()
            if now - one.last_received > TAKEOVER_S and not one.stream.has_news
        ]
        if not silent:
            raise RefusedError(
                f"This gateway takes {self.policy.capacity} wearers already.", RETRY_S
            )
        return min(silent)[1]
