"""The view where there is no terminal: one line of plain text for each event worth one.

A line is a time, then ``key=value`` fields separated by blanks: the wearer, the event and what
belongs to it. The time is that of the stream, or where something has no place in it the time of day
in UTC, with a Z. Values that are not plain words are JSON.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TextIO

from ecgmon.core.alarm_kinds import AlarmState
from ecgmon.core.constants import RATE
from ecgmon.wire import messages
from ecgmon.wire.viewer_client import KINDS, ViewerClient
from viewer.model.snapshot import LIVE_S
from viewer.terminal.format import Verdict, verdict

LINE_KINDS: Final = tuple(kind for kind in KINDS if kind not in (messages.Trace, messages.Link))
"""What `run_lines` has a use for."""
_BATCH: Final = 200
"""Messages read between two looks at anything else."""
_POLL_MS: Final = 100
_LAST_WORDS_S: Final = 1.0
_LOST_S: Final = 1.0
"""A lost connection is told after it, and a silent one after `LIVE_S`."""
_MINUTE: Final = 60 * RATE
_WORD: Final = re.compile(r"[\w.:/+-]+", re.ASCII)


def line(message: messages.ToViewer) -> str | None:
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
                "not-kept" if message.judged else "gap",
                samples=message.count,
                seconds=round(message.count / RATE, 3),
            )
        case messages.Alarm():
            return _logfmt(
                _clock(message.time) if message.at is None else message.at,
                message.wearer,
                "alarm",
                alarm=message.alarm,
                state=message.state,
                priority=message.priority,
                kind=message.kind,
                text=message.text,
                by=message.by,
                count=message.count,
            )
        case messages.Paused():
            return _logfmt(
                _clock(message.time),
                message.wearer,
                "paused" if message.until else "re-armed",
                kind=message.kind,
                seconds=round(message.until - message.time) if message.until else None,
                by=message.by,
            )
        case messages.Event():
            return _logfmt(
                _clock(message.time),
                message.wearer,
                message.event,
                text=message.text,
                who=message.who,
            )
        case messages.Dropped() if message.count:
            return _logfmt(_clock(time.time()), None, "dropped", messages=message.count)
        case messages.Refused():
            return _logfmt(_clock(time.time()), None, "refused", reason=message.reason)
        case messages.Window() if (called := verdict(message)) != "normal":
            return _logfmt(
                message.first,
                message.wearer,
                "window",
                verdict=called,
                probability=_rounded(message.probability, 3),
                heart_rate=_rounded(message.heart_rate, 1),
                model=message.model,
            )
    return None


def run_lines(
    viewer: ViewerClient,
    *,
    out: TextIO,
    done: Callable[[], bool],
) -> None:
    """Write the lines of what a viewer hears, and one for each minute, until done.

    Parameters
    ----------
    viewer : ViewerClient
        Subscribed to `LINE_KINDS`, of one wearer or of all.
    out : text file
        Where to write; flushed whenever there is no more to write for now.
    done : callable
        Says whether to stop; what has been published until then is still written.
    """
    called = _LineWriter()
    unreadable, silent = 0, False
    stop_at = float("inf")
    while time.monotonic() < stop_at:
        if stop_at == float("inf") and done():
            stop_at = time.monotonic() + _LAST_WORDS_S
        viewer.keep_alive()
        if refused := viewer.turned_away():
            out.writelines(f"{text}\n" for text in called.lines(refused))
            out.flush()
        if not viewer.socket.poll(_POLL_MS):
            if stop_at < float("inf"):
                return
            if not silent and (silent_s := time.monotonic() - viewer.last_message) > LIVE_S:
                silent = True
                out.write(
                    f"{_logfmt(_clock(time.time()), None, 'silent', seconds=round(silent_s))}\n"
                )
                out.flush()
            continue
        for message in viewer.drain(_BATCH):
            if isinstance(message, messages.Dropped):  # an alarm may be missing that still stands
                viewer.ask_again()
            for text in called.lines(message):
                out.write(f"{text}\n")
        if silent:
            silent = False
            out.write(f"{_logfmt(_clock(time.time()), None, 'live')}\n")
        if viewer.unreadable > unreadable:
            unreadable = viewer.unreadable
            text = _logfmt(_clock(time.time()), None, "unreadable", messages=unreadable)
            out.write(f"{text}\n")
        out.flush()


@dataclass(slots=True)
class _Minute:
    """What was said of one wearer in one minute of the stream."""

    number: int
    called: list[Verdict] = field(default_factory=list)
    heart_rates: list[float] = field(default_factory=list)

    def line(self, wearer: str) -> str:
        mean = sum(self.heart_rates) / len(self.heart_rates) if self.heart_rates else None
        return _logfmt(
            (self.number + 1) * _MINUTE,
            wearer,
            "minute",
            windows=len(self.called),
            normal=self.called.count("normal"),
            abnormal=self.called.count("abnormal"),
            heart_rate=_rounded(mean, 1),
        )


class _LineWriter:
    """What has been said, so that what is repeated for newcomers is written once."""

    def __init__(self) -> None:
        self._minutes: dict[str, _Minute] = {}
        self._opened: dict[str, str] = {}
        self._active: dict[tuple[str | None, int], AlarmState] = {}
        self._paused: dict[tuple[str | None, str], float] = {}
        self._refused = ""

    def lines(self, message: messages.ToViewer) -> Iterator[str]:
        """Yield the lines that follow from a message.

        A minute ends with the first window after it.
        """
        if isinstance(message, messages.Window):
            yield from self._minute(message)
        elif isinstance(message, messages.Closed):
            self._minutes.pop(message.wearer, None)
        if not self._repeated(message) and (text := line(message)):
            yield text

    def _minute(self, window: messages.Window) -> Iterator[str]:
        number = window.first // _MINUTE
        minute = self._minutes.setdefault(window.wearer, _Minute(number))
        if number > minute.number:
            yield minute.line(window.wearer)
            minute = self._minutes[window.wearer] = _Minute(number)
        minute.called.append(verdict(window))
        if window.heart_rate is not None:
            minute.heart_rates.append(window.heart_rate)

    def _repeated(self, message: messages.ToViewer) -> bool:
        """Note what is said; tell whether it was said before."""
        match message:
            case messages.Opened():
                before = self._opened.get(message.wearer)
                self._opened[message.wearer] = message.stream
                if before != message.stream:
                    self._minutes.pop(message.wearer, None)
                return before == message.stream
            case messages.Alarm():
                key = message.wearer, message.alarm
                known = self._active.pop(key, None)
                if message.state != "cleared":
                    self._active[key] = message.state
                return known == message.state
            case messages.Paused():
                whose = message.wearer, message.kind
                until = self._paused.pop(whose, None)
                if message.until is not None:
                    self._paused[whose] = message.until
                return until is not None and until == message.until
            case messages.Refused():
                self._refused, refused = message.reason, self._refused
                return refused == message.reason
        return False


def _logfmt(at: int | str, wearer: str | None, event: str, **fields: object) -> str:
    texts = (f"{key}={_value(value)}" for key, value in fields.items())
    return " ".join([_time(at), f"wearer={_value(wearer)}", f"event={event}", *texts])


def _clock(unix: float) -> str:
    return f"{datetime.fromtimestamp(unix, UTC):%H:%M:%S.%f}"[:-3] + "Z"


def _time(at: int | str) -> str:
    if isinstance(at, str):
        return at
    seconds, rest = divmod(at, RATE)
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
