"""The streams and the bucket of a fleet in JetStream, made where they are missing."""

from dataclasses import dataclass
from typing import Any, Final

from monitor.fleet import names
from monitor.fleet.link import FleetError, FleetLink

PARTITIONS: Final = 32
"""Parts in which wearers are divided; a monitor owns some of them."""
DUPLICATES_S: Final = 120.0
"""A portion that is published again within so many seconds is stored once."""
COMMANDS_S: Final = 60.0
"""A command that nobody has carried out by then, in seconds, is not carried out any more."""
COMMANDS_BYTES: Final = 10_000_000
"""Most bytes of commands that wait."""


@dataclass(frozen=True, slots=True)
class FleetLayout:
    """How much is kept.

    Parameters
    ----------
    partitions : int
        Of a new fleet; one that is there keeps its own.
    replicas : int
        Servers that keep a copy, 1 or 3.
    samples_hours, results_days : float
        How long samples and results are kept.
    max_gb : float
        10^9 bytes that each of them may have; the oldest are removed first.
    """

    partitions: int = PARTITIONS
    replicas: int = 1
    samples_hours: float = 2.0
    results_days: float = 7.0
    max_gb: float = 20.0


def prepare(link: FleetLink, wanted: FleetLayout) -> int:
    """Make what is missing, and return the number of partitions; raises `FleetError`."""
    return link.run(_prepare(link, wanted), 20.0)


async def _prepare(link: FleetLink, wanted: FleetLayout) -> int:
    from nats.errors import Error
    from nats.js.api import (
        KeyValueConfig,
        StorageType,
        StreamConfig,
        StreamInfo,
        SubjectTransform,
    )
    from nats.js.errors import APIError, BucketNotFoundError, NotFoundError

    js = link.js
    kept: dict[str, Any] = {
        "storage": StorageType.FILE,
        "num_replicas": wanted.replicas,
        "max_bytes": int(wanted.max_gb * 1e9),
        "allow_direct": True,
    }
    streams = (
        StreamConfig(
            name=names.SAMPLES,
            subjects=[names.incoming("*")],
            subject_transform=SubjectTransform(
                names.incoming("*"), names.transform(wanted.partitions)
            ),
            max_age=wanted.samples_hours * 3600,
            duplicate_window=DUPLICATES_S,
            **kept,
        ),
        StreamConfig(
            name=names.RESULTS,
            subjects=[names.results("*")],
            max_age=wanted.results_days * 86400,
            **kept,
        ),
    )

    async def ensured(stream: StreamConfig) -> StreamInfo:
        try:
            return await js.stream_info(str(stream.name))
        except NotFoundError:
            return await js.add_stream(stream)

    try:
        for stream in streams:
            info = await ensured(stream)
            if stream.name == names.SAMPLES:
                into = info.config.subject_transform
                partitions = names.partitions_of(into.dest if into else "")
        await ensured(
            StreamConfig(
                name=names.COMMANDS,
                subjects=[names.asked("*")],
                subject_transform=SubjectTransform(
                    names.asked("*"), names.transform(partitions, "command")
                ),
                max_age=COMMANDS_S,
                duplicate_window=COMMANDS_S,
                **kept | {"max_bytes": COMMANDS_BYTES},
            )
        )
        try:
            await js.key_value(names.STATES)
        except (BucketNotFoundError, NotFoundError):
            await js.create_key_value(
                KeyValueConfig(
                    bucket=names.STATES,
                    history=1,
                    storage=StorageType.FILE,
                    replicas=wanted.replicas,
                    direct=True,
                )
            )
    except ValueError as error:
        raise FleetError(
            f"The stream {names.SAMPLES} is none of ecgmon: {error}. Use another account."
        ) from error
    except (APIError, Error, TimeoutError) as error:
        raise FleetError(
            f"JetStream does not let a fleet begin ({str(error)[:300]}): let its account use "
            f"JetStream, with room for {wanted.max_gb:g} GB."
        ) from error
    return partitions
