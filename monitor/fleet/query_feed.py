"""What monitors have said, read from the stream of results: how things stand, then what is said."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from ecgmon.core.errors import ProtocolError
from ecgmon.wire import messages
from monitor.fleet import names, told
from monitor.fleet.link import FleetError, FleetLink, Mailbox
from monitor.fleet.ordered import AGAIN_S, LAST_OF_EACH, OrderedReader, after, since
from monitor.ops.logs import logger

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.js.api import RawStreamMsg

RECENT_S: Final = 5.0
"""How far back rows are read for the newest second of each wearer, in seconds."""
WAITING: Final = 500
"""Results that wait to be taken; the next ones are read later."""
LASTING: Final = [*names.alarms(None), names.stream("*", None)]
"""Subjects of which the last message says how something is now."""

Job = Callable[[], None]
Take = Callable[[list[messages.Published], bool], None]
"""Takes messages, and whether they are news; no messages once all is known that was said."""

_log = logger(__name__)


class ResultsFeed:
    """Reads results for the query side.

    Parameters
    ----------
    link : FleetLink
        Connected.
    box : Mailbox
        Where calls of ``take`` are put, for the thread of who takes.
    take : callable
        Takes messages.

    All is called in the thread of the link.
    """

    def __init__(self, link: FleetLink, box: Mailbox[Job], take: Take) -> None:
        self._link = link
        self._box = box
        self._take = take
        self._ahead: dict[str, int] = {}

    async def run(self) -> None:
        """Read for ever: what lasts, the newest rows, and then what is said from then on."""
        last = await self._last()
        number = int(last.seq or 0) if last else 0
        starts = [(LASTING, LAST_OF_EACH)]
        if last and last.time:
            starts.append(([names.rows("*")], since(last.time - timedelta(seconds=RECENT_S))))
        for subjects, start in starts:
            reader = OrderedReader(self._link, names.RESULTS, subjects, start)
            async with contextlib.aclosing(reader.there()) as found:
                async for message in found:
                    if subjects is not LASTING:
                        if message.metadata.sequence.stream > number:
                            break
                    elif message.metadata.sequence.stream > number:
                        self._ahead[message.subject] = message.metadata.sequence.stream
                    await self._pass_on(message, live=False)
        self._box.put(partial(self._take, [], True))
        reader = OrderedReader(self._link, names.RESULTS, [names.results("*")], after(number))
        async with contextlib.aclosing(reader.messages()) as found:
            async for one in found:
                if one is not None and not self._known(one):
                    await self._pass_on(one, live=True)

    async def _last(self) -> "RawStreamMsg | None":
        """Return the last result, None where there is none; waits until the server says it."""
        from nats.errors import Error
        from nats.js.errors import NotFoundError

        while True:
            try:
                return await self._link.js.get_last_msg(names.RESULTS, names.results("*"))
            except NotFoundError:
                return None
            except (Error, TimeoutError) as error:
                _log.warning("not-read", stream=names.RESULTS, reason=repr(error)[:300])
                await asyncio.sleep(AGAIN_S)

    def _known(self, message: "Msg") -> bool:
        """Tell whether a later message of the subject was read among those that last."""
        number = self._ahead.get(message.subject, 0)
        return message.metadata.sequence.stream <= number

    async def _pass_on(self, message: "Msg", *, live: bool) -> None:
        while len(self._box) > WAITING:
            await asyncio.sleep(0.02)
        try:
            found = told.unpacked(message.subject, message.data)
        except ProtocolError as error:
            _log.warning("result-unreadable", subject=message.subject[:200], reason=str(error))
            return
        published = [one for one in found if isinstance(one, messages.Published)]
        if published:
            self._box.put(partial(self._take, published, live))


async def begun(link: FleetLink, address: str) -> None:
    """Return where a fleet has begun; raises `FleetError` where none has."""
    from nats.errors import Error
    from nats.js.errors import NotFoundError

    try:
        for stream in (names.RESULTS, names.COMMANDS):
            await link.js.stream_info(stream)
    except NotFoundError as error:
        raise FleetError(
            f"No fleet has begun at {address}: start ecgmon gateway and ecgmon serve there first."
        ) from error
    except (Error, TimeoutError) as error:
        raise FleetError(
            f"JetStream at {address} does not answer ({str(error)[:200]}): look at the server's "
            "log."
        ) from error
