"""Questions to JetStream's own interface, and its answers as far as a fleet's state is in them.

nats-py 2.16 leaves out of its answers the time of the server.
"""

import datetime
from typing import Final, TypeVar

import msgspec

from monitor.fleet import names
from monitor.fleet.link import CALL_S, FleetError, FleetLink

STREAMS: Final = (names.SAMPLES, names.RESULTS, f"KV_{names.STATES}")
"""Streams of a fleet that last."""
_NOT_FOUND: Final = 404

Report = TypeVar("Report")


class TransformReport(msgspec.Struct, frozen=True):
    """What becomes of the subject of a message that is stored."""

    dest: str = ""


class StreamLimits(msgspec.Struct, frozen=True):
    """What a stream may have: bytes (-1 for any number), age in nanoseconds, copies."""

    name: str
    max_bytes: int = -1
    max_age: int = 0
    num_replicas: int = 1
    subject_transform: TransformReport = TransformReport()


class StreamContent(msgspec.Struct, frozen=True):
    """What a stream has."""

    messages: int = 0
    bytes: int = 0


class OtherCopy(msgspec.Struct, frozen=True):
    """A server that keeps a copy and does not lead."""

    name: str = ""
    current: bool = False
    offline: bool = False
    lag: int = 0


class CopiesReport(msgspec.Struct, frozen=True):
    """Who keeps copies of a stream."""

    leader: str = ""
    replicas: list[OtherCopy] = []


class StreamReport(msgspec.Struct, frozen=True):
    """A stream; `ts` is the server's time of the answer."""

    config: StreamLimits
    state: StreamContent
    ts: datetime.datetime
    cluster: CopiesReport = CopiesReport()


class DeliveredReport(msgspec.Struct, frozen=True):
    """How many messages a consumer has delivered, those that it sent again counted, too."""

    consumer_seq: int = 0


class ConsumerReport(msgspec.Struct, frozen=True):
    """A consumer: what it has delivered, what waits, and what is not acknowledged."""

    delivered: DeliveredReport = DeliveredReport()
    num_ack_pending: int = 0
    num_pending: int = 0


class AccountRoom(msgspec.Struct, frozen=True):
    """Bytes that an account may have on disk, -1 for any number."""

    max_storage: int = -1


class AccountReport(msgspec.Struct, frozen=True):
    """What an account has on disk, in bytes."""

    storage: int = 0
    limits: AccountRoom = AccountRoom()


class _ApiRefusal(msgspec.Struct, frozen=True):
    code: int
    description: str = ""


class _PossibleError(msgspec.Struct, frozen=True):
    error: _ApiRefusal | None = None


async def asked(link: FleetLink, what: str, kind: type[Report]) -> Report | None:
    """Ask for something; None if it does not exist. Called in the link's thread.

    Parameters
    ----------
    link : FleetLink
        Connected.
    what : str
        Subject below ``$JS.API``.
    kind : type
        Of the answer.

    Raises
    ------
    FleetError
        If it is refused, or no valid answer comes.
    """
    from nats.errors import Error

    try:
        answer = await link.client.request(f"$JS.API.{what}", b"", timeout=CALL_S)
        error = msgspec.json.decode(answer.data, type=_PossibleError).error
        if error is None:
            return msgspec.json.decode(answer.data, type=kind)
    except (Error, TimeoutError, msgspec.DecodeError) as cause:
        raise FleetError(
            f"JetStream does not tell of {what} ({str(cause)[:200] or 'no answer'}): look at the "
            "servers' logs, and at what this user may ask."
        ) from cause
    if error.code == _NOT_FOUND:
        return None
    raise FleetError(f"JetStream does not tell of {what}: {error.description[:200]}.")
