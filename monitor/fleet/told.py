"""What monitors say in the stream of results: messages of docs/wire.md, as viewers get them."""

from collections.abc import Iterable, Iterator

import msgspec

from ecgmon.core.errors import ProtocolError
from ecgmon.wire import messages
from monitor.fleet import names

MAX_ROWS_BYTES = 500_000
"""Bytes of messages that are published together at most."""


def packed(
    partition: int, published: Iterable[messages.Published]
) -> Iterator[tuple[str, bytes, list[messages.Published]]]:
    """Yield subject, data and messages of what is to be published, in order.

    What lasts stands alone, so that the last message of its subject says how it is now: alarms,
    pauses, beginnings and ends of streams. Others are lines of one message.
    """
    lines: list[bytes] = []
    among: list[messages.Published] = []
    size = 0

    def rows() -> Iterator[tuple[str, bytes, list[messages.Published]]]:
        nonlocal lines, among, size
        if lines:
            yield names.rows(partition), b"\n".join(lines), among
        lines, among, size = [], [], 0

    for message in published:
        data = messages.encode(message)
        if (subject := _own_subject(partition, message)) is not None:
            yield from rows()
            yield subject, data, [message]
            continue
        if size + len(data) > MAX_ROWS_BYTES:
            yield from rows()
        lines.append(data)
        among.append(message)
        size += len(data) + 1
    yield from rows()


def _own_subject(partition: int, message: messages.Published) -> str | None:
    """Return the subject of what lasts; None for what is one of many rows."""
    match message:
        case messages.Alarm(wearer=str(wearer), kind=kind):
            return names.alarm(partition, wearer, kind)
        case messages.Paused(wearer=str(wearer), kind=kind):
            return names.pause(partition, wearer, kind)
        case messages.Opened(wearer=wearer) | messages.Closed(wearer=wearer):
            return names.stream(partition, wearer)
    return None


def unpacked(subject: str, data: bytes) -> list[messages.ToViewer]:
    """Return the messages of what was published; none of what only says who owns a partition.

    Raises
    ------
    ProtocolError
        If it is not valid.
    """
    what = subject.split(".")[2:3]
    if what not in (["rows"], ["alarm"], ["pause"], ["stream"]):
        return []
    lines = data.split(b"\n")
    if len(data) > 2 * MAX_ROWS_BYTES:
        raise ProtocolError(f"Results have {len(data)} bytes, more than {2 * MAX_ROWS_BYTES}.")
    return [messages.decode_to_viewer(line) for line in lines]


def identity(message: messages.ToViewer) -> bytes:
    """Return what says that two messages are the same, told by two monitors.

    That is all but the clock, and what is computed with more or less rounding.
    """
    fields = message.__struct_fields__
    changes = {name: value for name, value in _VARIES.items() if name in fields}
    return messages.encode(msgspec.structs.replace(message, **changes) if changes else message)


_VARIES = {"time": 0.0, "probability": 0.0, "heart_rate": None}
