"""A partition's consumer, which the server gives to one of the monitors that ask for it.

nats-py 2.16 knows no priority groups: these are the raw requests of JetStream (ADR-42 of NATS). To
be pinned is not exclusive, as that record says: what is written is behind a `Fence` besides.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Final

from monitor.fleet import names
from monitor.fleet.link import FleetError, FleetLink

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

GROUP: Final = "monitors"
PINNED_S: Final = 2.0
"""A monitor that asks for nothing for so long, in seconds, loses its partitions."""
EXPIRES_S: Final = 1.0
"""How long the server keeps a request, in seconds."""
BATCH: Final = 500
"""Messages of one request."""
SLOWLY_S: Final = 0.5
"""Wait between requests for one message, where there is no room for more, in seconds."""
ACK_WAIT_S: Final = 3600.0
"""What is not acknowledged is sent again so late: who takes over reads it by its own position."""
_PIN: Final = "Nats-Pin-Id"
_WRONG_PIN: Final = "423"


class PinnedConsumer:
    """Asks for the messages of a partition, and has them while it is the pinned client.

    Parameters
    ----------
    link : FleetLink
        Connected.
    partition : int
        Which.

    Attributes
    ----------
    pin : str or None
        By which the server knows the pinned client; None while it is another one, or nobody.
    """

    def __init__(self, link: FleetLink, partition: int) -> None:
        self._link = link
        self._partition = partition
        self._name = names.consumer(partition)
        self.pin: str | None = None

    async def ensure(self) -> None:
        """Make the consumer where it is missing; raises `FleetError`."""
        wanted = {
            "durable_name": self._name,
            "name": self._name,
            "filter_subject": names.samples(self._partition),
            "deliver_policy": "all",
            "ack_policy": "all",
            "ack_wait": int(ACK_WAIT_S * 1e9),
            "max_ack_pending": -1,
            "priority_groups": [GROUP],
            "priority_policy": "pinned_client",
            "priority_timeout": int(PINNED_S * 1e9),
        }
        await self._ask(
            f"CREATE.{names.SAMPLES}.{self._name}.{names.samples(self._partition)}",
            {"stream_name": names.SAMPLES, "action": "", "config": wanted},
        )

    async def messages(
        self, has_room: Callable[[], bool] = lambda: True
    ) -> AsyncIterator["Msg | None"]:
        """Yield messages while this client is pinned; None where it is so no longer.

        None comes, too, where a request brings nothing: `pin` says how things stand.

        Parameters
        ----------
        has_room : callable, optional
            Tells whether as many as come are wanted; else they come slowly, for whoever asks for
            nothing loses the pin.
        """
        client = self._link.client
        inbox = client.new_inbox()
        subscription = await client.subscribe(inbox)
        try:
            while True:
                left = BATCH
                if not has_room():
                    left = 1
                    await asyncio.sleep(SLOWLY_S)
                await self._request(inbox, left)
                while left:
                    message = await self._next(subscription)
                    status = message.headers.get("Status") if message and message.headers else None
                    if message is None or status:
                        if status == _WRONG_PIN:
                            self.pin = None
                        yield None
                        break
                    left -= 1
                    self.pin = (message.headers or {}).get(_PIN, self.pin)
                    yield message
        finally:
            with contextlib.suppress(Exception):
                await subscription.unsubscribe()

    async def release(self) -> None:
        """Let the server pin another client."""
        self.pin = None
        await self._ask(f"UNPIN.{names.SAMPLES}.{self._name}", {"group": GROUP})

    async def _request(self, inbox: str, batch: int) -> None:
        asked = {"batch": batch, "expires": int(EXPIRES_S * 1e9), "group": GROUP}
        if self.pin:
            asked["id"] = self.pin
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{names.SAMPLES}.{self._name}"
        await self._link.client.publish(subject, json.dumps(asked).encode(), reply=inbox)

    async def _next(self, subscription: "Subscription") -> "Msg | None":
        from nats.errors import TimeoutError as NoMessageError

        try:
            return await subscription.next_msg(timeout=EXPIRES_S + 1.0)
        except (NoMessageError, TimeoutError):
            self.pin = None  # the request or its answer is lost: the server counts the time, too
            return None

    async def _ask(self, what: str, request: dict[str, Any]) -> dict[str, Any]:
        answer = await self._link.client.request(
            f"$JS.API.CONSUMER.{what}", json.dumps(request).encode(), timeout=5.0
        )
        found: dict[str, Any] = json.loads(answer.data)
        if error := found.get("error"):
            raise FleetError(
                f"JetStream refuses the consumer {self._name}: {error.get('description')}."
            )
        return found
