"""Export of a wearer's seconds as CSV or JSON."""

import csv
import io
import math
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.export.journal_reader import STATES
from ecgmon.export.streams import ExportedStream, placed
from ecgmon.export.timespec import LATEST, iso
from ecgmon.wire import messages

COLUMNS: Final = (
    "time",
    "stream",
    "sample",
    "state",
    "probability",
    "abnormal",
    "heart_rate",
    "alarms",
)
BATCH: Final = 1000
"""Seconds in one piece of text."""

Others = list[tuple[float, messages.Published]]


def as_csv(streams: list[ExportedStream], others: Others) -> Iterator[str]:
    """Yield a CSV file in pieces: a header, then a row for every second.

    Parameters
    ----------
    streams : list of ExportedStream
        Cut to what is wanted.
    others : list of (float, Published)
        What was published besides windows and gaps, and when.
    """
    yield ",".join(COLUMNS) + "\r\n"
    for stream in streams:
        for batch in _batches(stream, others):
            text = io.StringIO()
            csv.DictWriter(text, COLUMNS).writerows(
                row | {"abnormal": "" if row["abnormal"] is None else int(row["abnormal"])}
                for row in batch
            )
            yield text.getvalue()


def as_json(
    wearer: str, streams: list[ExportedStream], others: Others, totals: dict[str, Any] | None
) -> Iterator[str]:
    """Yield a JSON document in pieces; all sample indices are the device's own.

    Parameters
    ----------
    wearer : str
        Whose.
    streams, others
        As for `as_csv`.
    totals : dict or None
        Figures of the wearer's beats; None where nobody judges them.
    """
    yield f'{{"wearer": {_json(wearer)}, "streams": ['
    for number, stream in enumerate(streams):
        about = {"stream": stream.stream, "began": iso(stream.time(0)), "rate": stream.rate}
        yield "," * bool(number) + f'\n{_json(about)[:-1]},"seconds":['
        between = "\n"
        for batch in _batches(stream, others):
            yield between + ",\n".join(_json(row) for row in batch)
            between = ",\n"
        found = ",\n".join(_json(message) for message in _messages(stream, others))
        for key in ("messages", "said"):  # the name of 0.2.0 stays for one version
            yield f'],\n"{key}":[\n{found}'
        yield "]}"
    yield f'],\n"totals":{_json(totals)}}}\n'


def _batches(stream: ExportedStream, others: Others) -> Iterator[list[dict[str, Any]]]:
    active = _ActiveKinds(stream, others)
    seconds = stream.seconds()
    for start in range(0, len(seconds), BATCH):
        yield [_row(stream, second, active) for second in seconds[start : start + BATCH]]


def _row(
    stream: ExportedStream, second: NDArray[np.void], active: "_ActiveKinds"
) -> dict[str, Any]:
    first, state, abnormal, probability, heart_rate = second.item()
    return {
        "time": iso(stream.time(first)),
        "stream": stream.stream,
        "sample": stream.sample(first),
        "state": STATES[state],
        "probability": _number(probability, 4),
        "abnormal": None if abnormal < 0 else bool(abnormal),
        "heart_rate": _number(heart_rate, 1),
        "alarms": " ".join(active.at(stream.time(first + RATE))),
    }


class _ActiveKinds:
    """The alarms of a wearer that stand, of whatever stream, as the seconds of one go by."""

    def __init__(self, stream: ExportedStream, others: Others) -> None:
        changes = []
        for time, message in others:
            if isinstance(message, messages.Alarm):
                at = placed(stream, time, message)
                changes.append((message.time if at is None else stream.time(at), message))
        self._changes = sorted(changes, key=lambda change: -change[0])
        self._kinds: dict[int, str] = {}

    def at(self, time: float) -> list[str]:
        """Return the kinds that stand at the end of a second; ask for rising times only."""
        while self._changes and self._changes[-1][0] <= time:
            alarm = self._changes.pop()[1]
            if alarm.state == "cleared":
                self._kinds.pop(alarm.alarm, None)
            else:
                self._kinds[alarm.alarm] = alarm.kind
        return sorted(set(self._kinds.values()))


def _messages(stream: ExportedStream, others: Others) -> list[dict[str, Any]]:
    """Return everything but windows in the order of time, with the device's own indices."""
    gaps = [
        (at, {"type": "gap", "first": stream.sample(at), "count": stream.sample(count)})
        for at, count in stream.gaps
    ]
    found: list[tuple[float, dict[str, Any]]] = [*gaps]
    for time, message in others:
        at = placed(stream, time, message)
        if at is None:
            continue
        fields = msgspec.to_builtins(message)
        for name in {"wearer", "stream", "v", "time"} & set(fields):
            del fields[name]
        for name in {"at", "first", "end"} & set(fields):
            fields[name] = None if fields[name] is None else stream.sample(fields[name])
        if fields.get("until") is not None:
            fields["until"] = iso(min(max(fields["until"], 0), LATEST))
        found.append((at, fields))
    found.sort(key=lambda one: one[0])
    return [
        {"time": iso(stream.time(at))} | fields
        for at, fields in found
        if stream.start <= stream.time(at) < stream.stop
    ]


def _number(value: float, digits: int) -> float | None:
    return None if math.isnan(value) else round(value, digits)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
