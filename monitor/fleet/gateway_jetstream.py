"""What a gateway asks of JetStream: to keep portions, and how far it has a wearer's stream."""

import asyncio
from dataclasses import dataclass
from typing import Final

import msgspec

from ecgmon.core.errors import ProtocolError
from ecgmon.wire import Frame, messages
from monitor.fleet import names
from monitor.fleet.link import FleetLink
from monitor.fleet.portions import Portion, decode
from monitor.ops.logs import logger

ANSWER_S: Final = 2.0
"""Longest wait for an answer of JetStream, in seconds; then a portion is looked for and sent again,
so that no device waits longer than it has to after a server's end."""
AGAIN_S: Final = 0.1
"""Wait between two tries, in seconds."""

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class KnownStream:
    """What JetStream has of the latest stream of a wearer.

    Parameters
    ----------
    hello : Hello
        How its device has opened it.
    reached : int
        Index after its last sample, or of its end.
    parted : bool
        Whether its device has said goodbye.
    """

    hello: messages.Hello
    reached: int
    parted: bool


class PortionStore:
    """Publishes portions until JetStream has them on disk; all but `trouble` in the link's thread.

    Parameters
    ----------
    link : FleetLink
        Connected.

    Attributes
    ----------
    trouble : str
        Why JetStream took nothing when it was asked last; empty if it did.
    """

    def __init__(self, link: FleetLink) -> None:
        self._link = link
        self.trouble = ""

    async def keep(self, portion: Portion) -> None:
        """Return once JetStream has all of a portion, however long that takes.

        An answer may be lost with its server, longer ago than JetStream remembers ids: before a
        portion is sent again it is looked for.
        """
        from nats.errors import Error

        left: Portion | None = portion
        sent = False
        while left is not None:
            try:
                if sent and (known := await self._last(portion.hello.wearer)):
                    left = beyond(left, known)
                if left is not None and self._link.connected:
                    sent = True
                    left = await self._publish(left)
                    self.trouble = ""
                    continue
                self.trouble = "" if left is None else "it is not connected"
            except (Error, TimeoutError) as error:
                self.trouble = repr(error)[:300]
            if left is not None:
                await asyncio.sleep(AGAIN_S)

    async def known(self, hello: messages.Hello) -> KnownStream | None:
        """Return what JetStream has of a stream; None if that is nothing.

        Raises
        ------
        nats.errors.Error or TimeoutError
            If it cannot be asked.
        """
        last = await self._last(hello.wearer)
        if last is None or last.hello.stream != hello.stream:
            return None
        return KnownStream(last.hello, reached(last), last.end is not None)

    async def _publish(self, portion: Portion) -> Portion | None:
        """Publish a portion; returns what is left of it where JetStream knows its id.

        Another gateway may have published less under this id, as the last that it did. And where
        what it published was removed since, as on behalf of a wearer, no id stands in the way.
        """
        wearer, data = portion.hello.wearer, portion.encode()
        for headers in ({"Nats-Msg-Id": portion.id}, None):
            answer = await self._link.js.publish(
                names.incoming(wearer),
                data,
                timeout=ANSWER_S,
                stream=names.SAMPLES,
                headers=headers,
            )
            if not answer.duplicate:
                break
            if stored := await self._portion(seq=answer.seq):
                return beyond(portion, stored)
        return None

    async def _last(self, wearer: str) -> Portion | None:
        return await self._portion(subject=names.samples("*", wearer))

    async def _portion(self, seq: int | None = None, subject: str | None = None) -> Portion | None:
        """Return a portion that is stored; None if there is none, or it is none of ours."""
        from nats.js.errors import NotFoundError

        try:
            found = await self._link.js.get_msg(names.SAMPLES, seq, subject)
        except NotFoundError:
            return None
        try:
            return decode(found.data or b"")
        except ProtocolError as error:
            _log.error("portion-unreadable", number=found.seq, reason=error)
            return None


def reached(portion: Portion) -> int:
    """Return the index after the last sample of a portion's first lead, or that of its end.

    Raises
    ------
    ProtocolError
        If its frames are none.
    """
    frames = [Frame.decode(one) for one in portion.frames]
    return max([portion.end or 0, *(one.end for one in frames if one.lead == frames[0].lead)])


def beyond(portion: Portion, stored: Portion) -> Portion | None:
    """Return what is left of a portion where another one is stored; None if that is nothing."""
    index = reached(stored)
    if stored.hello.wearer != portion.hello.wearer or stored.hello.stream != portion.hello.stream:
        return portion
    parted = portion.end is None or stored.end is not None
    if index >= reached(portion) and parted:
        return None
    frames = [Frame.decode(one) for one in portion.frames]
    left: list[Frame] = []
    for one in frames:
        if one.lead != frames[0].lead:
            left += [one] if left else []
        elif one.end > index:
            skipped = max(0, index - one.first)
            left.append(
                msgspec.structs.replace(
                    one, first=one.first + skipped, samples=one.samples[skipped:]
                )
            )
    return msgspec.structs.replace(portion, frames=[one.encode() for one in left])
