"""The streams and the bucket of a fleet in JetStream, made where they are missing."""

from dataclasses import dataclass
from typing import Any, Final

from monitor.fleet import names
from monitor.fleet.link import FleetError, FleetLink

PARTITIONS: Final = 32
"""Parts in which wearers are divided; a monitor owns some of them."""
DUPLICATES_S: Final = 120.0
"""A portion that is published again within so many seconds is stored once."""


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
    from nats.js.api import KeyValueConfig, StorageType, StreamConfig, SubjectTransform
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
    try:
        for stream in streams:
            try:
                info = await js.stream_info(str(stream.name))
            except NotFoundError:
                info = await js.add_stream(stream)
            if stream.name == names.SAMPLES:
                into = info.config.subject_transform
                partitions = names.partitions_of(into.dest if into else "")
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
