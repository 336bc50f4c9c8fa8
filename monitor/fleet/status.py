"""How a fleet is, asked of JetStream and heard of its monitors: `ecgmon fleet status`.

No clock but the server's counts: ages are its time of an answer less its time of a message.
"""

import asyncio
import datetime
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

import msgspec

from monitor.fleet import names
from monitor.fleet.alive import ALIVE, MonitorAlive
from monitor.fleet.fence import OwnerRecord
from monitor.fleet.fullness import shares_used
from monitor.fleet.jetstream_api import (
    STREAMS,
    AccountReport,
    ConsumerReport,
    StreamReport,
    asked,
)
from monitor.fleet.link import CALL_S, FleetError, FleetLink

T = TypeVar("T")

LISTEN_S: Final = 1.2
"""Within it every monitor that is alive says so."""
TOGETHER: Final = 16
"""Questions under way at once."""
MAX_MONITORS: Final = 10_000
"""Names that are noted at most."""


class PartitionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A partition.

    Parameters
    ----------
    partition : int
        Its number.
    owner : str or None
        Monitor that has taken it last.
    alive : bool
        Whether that monitor says that it has it.
    owned_s : float or None
        For how long, in seconds.
    pending : int
        Portions that no monitor was given yet.
    arriving : float
        Portions that come in a second.
    reading : bool
        Whether portions were given to a monitor while they were counted.
    uncovered : int
        Portions that are in no saved state: who takes over reads them again.
    states_s : float or None
        Age of the states, in seconds; None if there are none.
    """

    partition: int
    owner: str | None
    alive: bool
    owned_s: float | None
    pending: int
    arriving: float
    reading: bool
    uncovered: int
    states_s: float | None

    @property
    def lag_s(self) -> float:
        """Seconds that it takes so many portions to come; infinite where none comes any more."""
        if not self.pending:
            return 0.0
        return self.pending / self.arriving if self.arriving else float("inf")


class CopyStatus(msgspec.Struct, frozen=True):
    """A server that keeps a copy of a stream, and whether it has all of it."""

    server: str
    current: bool
    behind: int


class StreamStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A stream: what it has, what it may have (0 for any number), and who keeps it."""

    stream: str
    messages: int
    bytes: int
    max_bytes: int
    max_age_s: float
    replicas: int
    leader: str
    copies: list[CopyStatus]


class FleetStatus(msgspec.Struct, frozen=True, kw_only=True):
    """All of it; `used` is `fullness.shares_used`."""

    partitions: list[PartitionStatus]
    streams: list[StreamStatus]
    monitors: list[MonitorAlive]
    used: dict[str, float]


async def read_status(link: FleetLink) -> FleetStatus:
    """Ask and listen, for `LISTEN_S` and the time that answers take; in the link's thread.

    Raises
    ------
    FleetError
        If there is no fleet in this account, or JetStream does not answer.
    """
    reports = [await asked(link, f"STREAM.INFO.{name}", StreamReport) for name in STREAMS]
    streams = [one for one in reports if one is not None]
    if len(streams) < len(STREAMS):
        raise FleetError(
            "There is no fleet here yet: start a gateway or a monitor, which begins one."
        )
    count = _partitions(streams[0])
    before, began = await _consumers(link, count), asyncio.get_running_loop().time()
    monitors = await _listen(link)
    took_s = asyncio.get_running_loop().time() - began
    after = await _consumers(link, count)
    account = await asked(link, "INFO", AccountReport)
    now = await asked(link, f"STREAM.INFO.{names.RESULTS}", StreamReport)
    owned = {(one.name, partition) for one in monitors for partition in one.owned}
    told = streams[0].ts if now is None else now.ts
    gathered = await _bounded(
        [
            _partition(link, number, (before[number], after[number], took_s), owned, told)
            for number in range(count)
        ]
    )
    return FleetStatus(
        partitions=gathered,
        streams=[_stream(one) for one in streams],
        monitors=monitors,
        used=shares_used(streams, account or AccountReport()),
    )


def _partitions(samples: StreamReport) -> int:
    into = samples.config.subject_transform
    try:
        return names.partitions_of(into.dest)
    except ValueError as error:
        raise FleetError(f"The stream {names.SAMPLES} is none of ecgmon: {error}.") from error


async def _listen(link: FleetLink) -> list[MonitorAlive]:
    """Return the monitors that say within `LISTEN_S` that they are alive, by name."""
    heard: dict[str, MonitorAlive] = {}
    subscription = await link.client.subscribe(ALIVE)
    loop = asyncio.get_running_loop()
    end = loop.time() + LISTEN_S
    try:
        while (left := end - loop.time()) > 0 and len(heard) < MAX_MONITORS:
            try:
                message = await subscription.next_msg(timeout=left)
                one = msgspec.json.decode(message.data, type=MonitorAlive)
            except TimeoutError:  # nobody says anything any more
                break
            except msgspec.DecodeError:  # somebody else's words
                continue
            heard[one.name] = one
    finally:
        await subscription.unsubscribe()
    return [heard[name] for name in sorted(heard)]


async def _consumers(link: FleetLink, count: int) -> list[ConsumerReport | None]:
    return await _bounded(
        [
            asked(link, f"CONSUMER.INFO.{names.SAMPLES}.{names.consumer(number)}", ConsumerReport)
            for number in range(count)
        ]
    )


async def _bounded(work: list[Coroutine[Any, Any, T]]) -> list[T]:
    """Do all of it, `TOGETHER` at once."""
    done: list[T] = []
    for first in range(0, len(work), TOGETHER):
        done += await asyncio.gather(*work[first : first + TOGETHER])
    return done


async def _partition(
    link: FleetLink,
    number: int,
    counted: tuple[ConsumerReport | None, ConsumerReport | None, float],
    owned: set[tuple[str, int]],
    now: datetime.datetime,
) -> PartitionStatus:
    before, after, took_s = counted
    then, at = before or ConsumerReport(), after or ConsumerReport()
    owner, since = await _last(link, names.RESULTS, names.owner_of_results(number))
    _, saved = await _last(link, STREAMS[2], names.key_subject(names.position_key(number)))
    name = _name(owner)
    read = max(at.delivered.consumer_seq - then.delivered.consumer_seq, 0)
    came = max(read + at.num_pending - then.num_pending, 0)
    return PartitionStatus(
        partition=number,
        owner=name,
        alive=(name, number) in owned,
        owned_s=_age(since, now),
        pending=at.num_pending,
        arriving=came / took_s,
        reading=read > 0,
        uncovered=at.num_ack_pending,
        states_s=_age(saved, now),
    )


async def _last(
    link: FleetLink, stream: str, subject: str
) -> tuple[bytes, datetime.datetime | None]:
    """Return the last message of a subject, and the server's time of it."""
    from nats.errors import Error

    try:
        found = await link.client.request(
            f"$JS.API.DIRECT.GET.{stream}.{subject}", b"", timeout=CALL_S
        )
    except (Error, TimeoutError) as error:
        raise FleetError(
            f"JetStream does not tell of {subject} ({str(error)[:200] or 'no answer'}): look at "
            "the servers' logs."
        ) from error
    stamp = (found.headers or {}).get("Nats-Time-Stamp")
    if stamp is None:  # a status says that there is none
        return b"", None
    try:
        return found.data, msgspec.convert(stamp, datetime.datetime)
    except msgspec.ValidationError as error:
        raise FleetError(f"JetStream tells no time of {subject}: update it.") from error


def _name(record: bytes) -> str | None:
    try:
        return msgspec.json.decode(record, type=OwnerRecord).monitor
    except msgspec.DecodeError:  # nobody has taken it yet
        return None


def _age(then: datetime.datetime | None, now: datetime.datetime) -> float | None:
    return None if then is None else max((now - then).total_seconds(), 0.0)


def _stream(report: StreamReport) -> StreamStatus:
    return StreamStatus(
        stream=report.config.name,
        messages=report.state.messages,
        bytes=report.state.bytes,
        max_bytes=max(report.config.max_bytes, 0),
        max_age_s=report.config.max_age / 1e9,
        replicas=report.config.num_replicas,
        leader=report.cluster.leader,
        copies=[
            CopyStatus(one.name, one.current and not one.offline, one.lag)
            for one in report.cluster.replicas
        ],
    )
