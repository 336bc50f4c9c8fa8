"""Reading a stream of JetStream in order, each message once, whatever becomes of the connection."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from monitor.fleet.link import CALL_S, FleetLink
from monitor.ops.logs import logger

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

LAST_OF_EACH: Final[dict[str, object]] = {"deliver_policy": "last_per_subject"}
"""Where to start: with the last message of each subject."""
BATCH: Final = 100
"""Messages of one request."""
EXPIRES_S: Final = 1.0
"""How long the server keeps a request, in seconds; so often it is known whether it answers."""
KEPT_S: Final = 10.0
"""The server removes a reader that has asked for nothing for so long, in seconds."""
AGAIN_S: Final = 0.25
"""Wait before the server is asked again after it has failed, in seconds."""
_OVER: Final = "408"
"""Status of a request for which there were too few messages, which is no failure."""

_log = logger(__name__)


def after(number: int) -> dict[str, object]:
    """Return where to start to read what follows a message, by its number; 0 for all there is."""
    return {"deliver_policy": "by_start_sequence", "opt_start_seq": number + 1}


def since(time: datetime) -> dict[str, object]:
    """Return where to start to read what was stored from a time on, by the server's clock."""
    return {"deliver_policy": "by_start_time", "opt_start_time": time.isoformat()}


class OrderedReader:
    """Reads messages of some subjects of a stream, and goes on after the last one it has read.

    Nothing of it is left in the server some seconds after it has ended.

    Parameters
    ----------
    link : FleetLink
        Connected.
    stream : str
        Name of the stream.
    subjects : list of str
        Which messages.
    start : dict
        Where to start: of `after` or `since`, or `LAST_OF_EACH`.

    Attributes
    ----------
    left : int or None
        How many messages were there to be read after the latest one; None before that is known.

    All is called in the thread of the link.
    """

    def __init__(
        self, link: FleetLink, stream: str, subjects: list[str], start: dict[str, object]
    ) -> None:
        self._link = link
        self._stream = stream
        self._subjects = subjects
        self._start = start
        self._latest = 0
        self._failing = False
        self.left: int | None = None

    async def messages(self) -> AsyncGenerator["Msg | None", None]:
        """Yield messages until the link is closed; None where there is none, each second."""
        from nats.errors import Error

        while True:
            try:
                async with contextlib.aclosing(self._from_server()) as found:
                    async for message in found:
                        yield message
            except (Error, TimeoutError, ConnectionError, KeyError, ValueError) as error:
                if self._link.client.is_closed:
                    return  # also where this is cancelled then: the client says it so
                self._fail(repr(error))  # the server is gone, or just elects who leads
            await asyncio.sleep(AGAIN_S)
            yield None

    async def there(self) -> AsyncGenerator["Msg", None]:
        """Yield the messages that are there, and end."""
        async with contextlib.aclosing(self.messages()) as found:
            async for message in found:
                if message is not None:
                    yield message
                if self.left == 0:
                    return

    async def _from_server(self) -> AsyncGenerator["Msg | None", None]:
        """Yield messages of one consumer, and end when it does not answer in order any more."""
        client = self._link.client
        name = f"reader-{secrets.token_hex(8)}"
        await self._create(name)
        inbox = client.new_inbox()
        subscription = await client.subscribe(inbox)
        expected = 1
        try:
            yield None
            while True:
                asked = {"batch": BATCH, "expires": int(EXPIRES_S * 1e9)}
                subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{name}"
                await client.publish(subject, json.dumps(asked).encode(), reply=inbox)
                for _ in range(BATCH):
                    message = await _next(subscription)
                    status = (message.headers or {}).get("Status") if message else None
                    if message is None or status not in (None, _OVER):
                        self._fail(f"status {status}")
                        return
                    if status:
                        yield None
                        break
                    at = message.metadata
                    if at.sequence.consumer != expected:
                        self._fail(f"message {at.sequence.consumer} in place of {expected}")
                        return
                    expected += 1
                    self._latest, self.left, self._failing = (
                        at.sequence.stream,
                        at.num_pending,
                        False,
                    )
                    yield message
        finally:
            with contextlib.suppress(Exception):  # the connection may be closed by now
                await subscription.unsubscribe()

    async def _create(self, name: str) -> None:
        config = {
            "name": name,
            "filter_subjects": self._subjects,
            "ack_policy": "none",
            "max_deliver": 1,
            "mem_storage": True,
            "num_replicas": 1,
            "inactive_threshold": int(KEPT_S * 1e9),
            **(after(self._latest) if self._latest else self._start),
        }
        request = {"stream_name": self._stream, "action": "create", "config": config}
        answer = await self._link.client.request(
            f"$JS.API.CONSUMER.CREATE.{self._stream}.{name}",
            json.dumps(request).encode(),
            timeout=CALL_S,
        )
        found: dict[str, Any] = json.loads(answer.data)
        if error := found.get("error"):
            raise ValueError(error.get("description"))
        self.left = int(found["num_pending"])

    def _fail(self, reason: str) -> None:
        """Say once that the server does not answer as it should, until it does so again."""
        if not self._failing:
            _log.warning("not-read", stream=self._stream, reason=reason[:300])
        self._failing = True


async def _next(subscription: "Subscription") -> "Msg | None":
    from nats.errors import TimeoutError as NoMessageError

    try:
        return await subscription.next_msg(timeout=EXPIRES_S + 1.0)
    except (NoMessageError, TimeoutError):
        return None
