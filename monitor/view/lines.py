"""The view where there is no terminal: one line of plain text for each event worth one.

A line is the stream time, then ``key=value`` fields separated by blanks: the wearer, the event
and what belongs to it. Values that are not plain words are JSON.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TextIO

import zmq

from ecgmon.grid import RATE
from ecgmon.wire import messages
from monitor.view.feed import BATCH, KINDS, Feed
from monitor.view.words import Verdict, verdict

LINE_KINDS: Final = tuple(kind for kind in KINDS if kind not in (messages.Trace, messages.Link))
"""What `run_lines` has a use for."""
_POLL_MS: Final = 100
_LAST_WORDS_S: Final = 1.0
_MINUTE: Final = 60 * RATE
_WORD: Final = re.compile(r"[\w.:/+-]+", re.ASCII)


def line(message: messages.Published) -> str | None:
    """Return the line for a message, or None when it is not worth one.

    A window is worth one when it is abnormal or could not be judged.
    """
    match message:
        case messages.Opened():
            return _logfmt(
                0,
                message.wearer,
                "opened",
                stream=message.stream,
                lead=message.lead,
                rate=message.rate,
                model=message.model,
                threshold=message.threshold,
                look_ahead_s=message.look_ahead_s,
            )
        case messages.Swap():
            return _logfmt(
                message.first,
                message.wearer,
                "swap",
                model=message.model,
                threshold=message.threshold,
                refused=message.refused,
            )
        case messages.Closed():
            return _logfmt(message.end, message.wearer, "closed", stream=message.stream)
        case messages.Gap():
            return _logfmt(
                message.first,
                message.wearer,
                "gap",
                samples=message.count,
                seconds=round(message.count / RATE, 3),
            )
        case messages.Alert():
            return _logfmt(
                message.at,
                message.wearer,
                "alert",
                alert=message.alert,
                state=message.state,
                priority=message.priority,
                kind=message.kind,
                text=message.text,
                by=message.by,
            )
        case messages.Window() if (said := verdict(message)) != "normal":
            return _logfmt(
                message.first,
                message.wearer,
                "window",
                verdict=said,
                probability=_rounded(message.probability, 3),
                heart_rate=_rounded(message.heart_rate, 1),
                model=message.model,
            )
    return None


def run_lines(
    socket: zmq.Socket[bytes],
    *,
    wearer: str | None,
    out: TextIO,
    done: Callable[[], bool],
) -> None:
    """Write the lines of one wearer, or of all, and one for each minute, until done.

    Parameters
    ----------
    socket : zmq.Socket
        From `subscribe`, with at least `LINE_KINDS`.
    wearer : str or None
        Whose lines; without it, everyone's.
    out : text file
        Where to write; flushed whenever there is no more to write for now.
    done : callable
        Says whether to stop; what has been published until then is still written.
    """
    feed = Feed(socket, wearer)
    minutes: dict[str, _Minute] = {}
    opened: dict[str, str] = {}
    unreadable = 0
    stop_at = float("inf")
    while time.monotonic() < stop_at:
        if stop_at == float("inf") and done():
            stop_at = time.monotonic() + _LAST_WORDS_S
        if not socket.poll(_POLL_MS):
            if stop_at < float("inf"):
                return
            continue
        for message in feed.drain(BATCH):
            for text in _lines(message, minutes, opened):
                out.write(f"{text}\n")
        if feed.unreadable > unreadable:
            unreadable = feed.unreadable
            out.write(f"{_logfmt(None, wearer, 'unreadable', messages=unreadable)}\n")
        out.flush()


@dataclass(slots=True)
class _Minute:
    """What was said of one wearer in one minute of the stream."""

    number: int
    said: list[Verdict] = field(default_factory=list)
    heart_rates: list[float] = field(default_factory=list)

    def line(self, wearer: str) -> str:
        mean = sum(self.heart_rates) / len(self.heart_rates) if self.heart_rates else None
        return _logfmt(
            (self.number + 1) * _MINUTE,
            wearer,
            "minute",
            windows=len(self.said),
            normal=self.said.count("normal"),
            abnormal=self.said.count("abnormal"),
            heart_rate=_rounded(mean, 1),
        )


def _lines(
    message: messages.Published, minutes: dict[str, _Minute], opened: dict[str, str]
) -> Iterator[str]:
    """Yield the lines that follow from a message; a minute ends with the first window after it."""
    if isinstance(message, messages.Window):
        number = message.first // _MINUTE
        minute = minutes.setdefault(message.wearer, _Minute(number))
        if number > minute.number:
            yield minute.line(message.wearer)
            minute = minutes[message.wearer] = _Minute(number)
        minute.said.append(verdict(message))
        if message.heart_rate is not None:
            minute.heart_rates.append(message.heart_rate)
    elif isinstance(message, messages.Opened):
        if opened.get(message.wearer) == message.stream:
            return  # repeated for somebody who began to listen
        opened[message.wearer] = message.stream
        minutes.pop(message.wearer, None)
    elif isinstance(message, messages.Closed):
        minutes.pop(message.wearer, None)
    if text := line(message):
        yield text


def _logfmt(sample: int | None, wearer: str | None, event: str, **fields: object) -> str:
    texts = (f"{key}={_value(value)}" for key, value in fields.items())
    return " ".join([_time(sample), f"wearer={_value(wearer)}", f"event={event}", *texts])


def _time(sample: int | None) -> str:
    if sample is None:
        return "--:--:--.---"
    seconds, rest = divmod(sample, RATE)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{rest * 1000 // RATE:03}"


def _value(value: object) -> str:
    """Return a value as one word: control characters and blanks come out escaped or quoted."""
    if isinstance(value, str) and _WORD.fullmatch(value):
        return value
    return json.dumps(value)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
