"""Past alarms and pauses, looked up in the stream of results."""

import contextlib
from collections import deque
from typing import Final

from ecgmon.core.errors import ProtocolError
from ecgmon.wire import messages
from monitor.fleet import names, told
from monitor.fleet.link import FleetLink
from monitor.fleet.ordered import OrderedReader, after

FIRST_REACH: Final = 1000
"""Results before the requested one among which is looked first, ..."""
FURTHER: Final = 8
"""...and so many times as far where there are too few alarms."""


async def past(link: FleetLink, asked: messages.History) -> messages.Past:
    """Return alarms and pauses before a result, by its number in the stream; newest first.

    Called in the thread of the link. Raises the errors of nats where the server does not answer.
    """
    state = (await link.js.stream_info(names.RESULTS)).state
    before = state.last_seq + 1 if asked.before is None else min(asked.before, state.last_seq + 1)
    reach = FIRST_REACH
    while True:
        low = max(before - reach, state.first_seq, 1)
        found = await _between(link, names.alarms(asked.wearer), low, before, asked.limit)
        if len(found) == asked.limit or low <= max(state.first_seq, 1):
            break
        reach *= FURTHER
    found.reverse()
    return messages.Past(
        entries=[entry for _, entry in found], before=found[-1][0] if found else None
    )


async def _between(
    link: FleetLink, subjects: list[str], low: int, before: int, most: int
) -> list[tuple[int, messages.Alarm | messages.Paused]]:
    """Return number and message of the latest entries from one number up to before another."""
    found: deque[tuple[int, messages.Alarm | messages.Paused]] = deque(maxlen=most)
    reader = OrderedReader(link, names.RESULTS, subjects, after(low - 1))
    async with contextlib.aclosing(reader.there()) as there:
        async for message in there:
            number = message.metadata.sequence.stream
            if number >= before:
                break
            with contextlib.suppress(ProtocolError):  # logged by who reads it as news
                for entry in told.unpacked(message.subject, message.data):
                    if isinstance(entry, messages.Alarm | messages.Paused):
                        found.append((number, entry))
    return list(found)
