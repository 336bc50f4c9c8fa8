"""What is at risk in a fleet, in words."""

from collections.abc import Iterator
from typing import Final

from monitor.fleet.fullness import said_of_fullness
from monitor.fleet.status import FleetStatus, PartitionStatus

LATE_S: Final = 5.0
"""A partition whose portions wait longer, in seconds, has no monitor that follows."""
OLD_STATES_S: Final = 60.0
"""States that are older, in seconds, while portions come, are not saved any more."""
NAMED: Final = 8
"""Partitions that a sentence names at most."""


def risks(status: FleetStatus) -> list[str]:
    """Return a sentence for each thing that is at risk; none where all is well."""
    return [*_of_partitions(status), *_of_streams(status), *said_of_fullness(status.used)]


def _of_partitions(status: FleetStatus) -> Iterator[str]:
    if not status.monitors:
        yield "No monitor says that it is alive: start one, nobody judges what devices send."
    elif without := [one for one in status.partitions if not one.alive]:
        yield f"{_named(without)} no owner: look whether the monitors have room, or start another."
    late = [one for one in status.partitions if one.lag_s > LATE_S]
    if late:
        waiting = sum(one.pending for one in late)
        yield (
            f"{_named(late)} {waiting:,} portions that wait for more than {LATE_S:g} s: start "
            "another monitor."
        )
    old = [
        one
        for one in status.partitions
        if one.alive and one.arriving and (one.states_s or 0.0) > OLD_STATES_S
    ]
    if old:
        yield (
            f"{_named(old)} states older than {OLD_STATES_S:g} s: who takes over would read long; "
            "look at the logs of their monitors."
        )


def _of_streams(status: FleetStatus) -> Iterator[str]:
    alone = [one.stream for one in status.streams if one.replicas == 1]
    if alone:
        yield (
            f"One server alone keeps {', '.join(alone)}: a disk that breaks takes it along; a "
            "fleet of three servers keeps three copies."
        )
    for stream in status.streams:
        behind = [copy.server for copy in stream.copies if not copy.current]
        if behind:
            yield f"{', '.join(behind)} is behind with {stream.stream}: look whether it runs."
        if stream.replicas > 1 and not stream.leader:
            yield f"{stream.stream} has no leader and takes nothing: start the other servers."


def _named(partitions: list[PartitionStatus]) -> str:
    numbers = [str(one.partition) for one in partitions[:NAMED]]
    more = f" and {len(partitions) - NAMED} more" if len(partitions) > NAMED else ""
    if len(partitions) == 1:
        return f"Partition {numbers[0]} has"
    return f"Partitions {', '.join(numbers)}{more} have"
