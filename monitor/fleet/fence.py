"""What a monitor writes for a partition is refused once another one has taken the partition.

Each writing names the latest record of an owner that its writer knows. Who takes a partition writes
such a record first: whatever a former owner sends from then on comes too late, however long it was
stopped or cut off.
"""

from typing import TYPE_CHECKING, Final

import msgspec

from ecgmon.core.errors import EcgmonError
from monitor.fleet import names
from monitor.fleet.link import FleetError, FleetLink

if TYPE_CHECKING:
    from nats.js.errors import APIError

WRONG_LAST: Final = frozenset({10071, 10164})
"""JetStream's numbers of the error that a subject has another last message than was named."""
_LAST: Final = "Nats-Expected-Last-Subject-Sequence"
_ID: Final = "Nats-Msg-Id"
_OF: Final = "Nats-Expected-Last-Subject-Sequence-Subject"


class FencedError(EcgmonError):
    """Another monitor has taken the partition."""


class OwnerRecord(msgspec.Struct, frozen=True):
    """Who owns a partition.

    Parameters
    ----------
    monitor : str
        Its name.
    since : float
        Wall clock, in seconds.
    """

    monitor: str
    since: float


class Fence:
    """The right to write what belongs to a partition.

    Parameters
    ----------
    link : FleetLink
        Connected.
    partition : int
        Which.

    All is called in the thread of the link.
    """

    def __init__(self, link: FleetLink, partition: int) -> None:
        self._link = link
        self._results = names.owner_of_results(partition)
        self._states = names.key_subject(names.owner_key(partition))
        self._seen: dict[str, int] = {}
        self._partition = partition

    async def take(self, record: OwnerRecord) -> None:
        """Take the partition from whoever owns it; results first, so that no state is ahead.

        Raises
        ------
        FencedError
            If another monitor is doing the same.
        FleetError
            If JetStream does not take it.
        """
        data = msgspec.json.encode(record)
        stream_of = {self._results: names.RESULTS, self._states: f"KV_{names.STATES}"}
        for subject, stream in stream_of.items():
            last = await self._last(stream, subject)
            self._seen[subject] = await self._write(subject, data, {_LAST: str(last)})

    @property
    def taken(self) -> tuple[int, int]:
        """Numbers of this owner's records before results and states; `take` comes first."""
        return self._seen[self._results], self._seen[self._states]

    async def publish(self, subject: str, data: bytes, name: str = "") -> int:
        """Publish a result; returns its number in the stream. Raises as `take`.

        What is published again by the same name within two minutes is stored once.
        """
        return await self._behind(self._results, subject, data, {_ID: name} if name else {})

    async def put(self, key: str, data: bytes) -> int:
        """Write a state; returns its number in the bucket. Raises as `take`."""
        return await self._behind(self._states, names.key_subject(key), data, {})

    async def remove(self, key: str) -> None:
        """Remove a state. Raises as `take`."""
        purge = {"KV-Operation": "PURGE", "Nats-Rollup": "sub"}
        await self._behind(self._states, names.key_subject(key), b"", purge)

    async def _behind(self, owner: str, subject: str, data: bytes, more: dict[str, str]) -> int:
        return await self._write(subject, data, more | {_LAST: str(self._seen[owner]), _OF: owner})

    async def _write(self, subject: str, data: bytes, headers: dict[str, str]) -> int:
        from nats.errors import Error
        from nats.js.errors import APIError

        try:
            return (await self._link.js.publish(subject, data, headers=headers)).seq
        except APIError as error:
            if error.err_code in WRONG_LAST:
                raise FencedError(f"Partition {self._partition} is another monitor's.") from error
            raise _refused(error) from error
        except (Error, TimeoutError) as error:
            raise FleetError(f"JetStream does not take what is written: {error!r}.") from error

    async def _last(self, stream: str, subject: str) -> int:
        from nats.errors import Error
        from nats.js.errors import APIError, NotFoundError

        try:
            return int((await self._link.js.get_last_msg(stream, subject)).seq or 0)
        except NotFoundError:
            return 0
        except APIError as error:
            raise _refused(error) from error
        except (Error, TimeoutError) as error:
            raise FleetError(f"JetStream does not say who owns partitions: {error!r}.") from error


def _refused(error: "APIError") -> FleetError:
    return FleetError(f"JetStream refuses what is written: {error.description}.")
