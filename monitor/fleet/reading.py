"""Reading what a stream of JetStream has stored, up to a message that is known to be there.

nats-py 2.16 knows no batches of direct reads (ADR-31 of NATS): these are the raw requests. A
replica that lags behind is asked again until it has the last message, so that nothing is left out.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final, NamedTuple

from monitor.fleet.link import FleetError, FleetLink

if TYPE_CHECKING:
    from nats.aio.msg import Msg

MESSAGES: Final = 1000
"""Messages that are asked for at once, at most."""
BYTES: Final = 8_000_000
"""Bytes that are asked for at once."""
ANSWER_S: Final = 2.0
"""Longest wait for the next message of an answer, in seconds."""
PATIENCE_S: Final = 15.0
"""Longest time without any new message before the last one, in seconds."""
AGAIN_S: Final = 0.05
"""Wait before a replica that lags behind is asked again, in seconds."""


class StoredMessage(NamedTuple):
    """A message of a stream.

    Parameters
    ----------
    number : int
        Its number in the stream.
    subject : str
        Where it is stored.
    data : bytes
        What it says.
    """

    number: int
    subject: str
    data: bytes


async def read(
    link: FleetLink, stream: str, subject: str, first: int, last: int
) -> AsyncIterator[list[StoredMessage]]:
    """Yield the messages of some subjects from one number to another, in order, some at a time.

    Parameters
    ----------
    link : FleetLink
        Connected.
    stream : str
        Which stream.
    subject : str
        Which subjects.
    first, last : int
        Numbers in the stream; the last one is a message of these subjects.

    Raises
    ------
    FleetError
        If they cannot be read.
    """
    since = time.monotonic()
    while first <= last:
        found = await ask(link, stream, subject, first)
        if found:
            first, since = found[-1].number + 1, time.monotonic()
            yield [one for one in found if one.number <= last]
        elif time.monotonic() - since > PATIENCE_S:
            raise FleetError(f"JetStream does not give what {stream} has: look at its log.")
        else:
            await asyncio.sleep(AGAIN_S)


async def ask(link: FleetLink, stream: str, subject: str, first: int) -> list[StoredMessage]:
    """Return the next messages of some subjects, as far as they come without one missing."""
    from nats.errors import TimeoutError as NoAnswerError

    client = link.client
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox)
    asked = {"seq": first, "next_by_subj": subject, "batch": MESSAGES, "max_bytes": BYTES}
    found: list[StoredMessage] = []
    try:
        await client.publish(
            f"$JS.API.DIRECT.GET.{stream}", json.dumps(asked).encode(), reply=inbox
        )
        while len(found) < MESSAGES:
            message = await subscription.next_msg(timeout=ANSWER_S)
            headers = message.headers or {}
            before = headers.get("Nats-Last-Sequence", "0")
            if "Nats-Sequence" not in headers or (found and int(before) != found[-1].number):
                break  # the end of the answer, or one was lost on the way
            found.append(_stored(message, headers))
    except (NoAnswerError, TimeoutError):
        pass  # what has come counts, and the rest is asked for again
    finally:
        await subscription.unsubscribe()
    return found


def _stored(message: "Msg", headers: dict[str, str]) -> StoredMessage:
    return StoredMessage(int(headers["Nats-Sequence"]), headers["Nats-Subject"], message.data)
