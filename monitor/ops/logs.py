"""The daemon's log: an event a line, as ``key=value`` (logfmt), for people and for journald."""

import logging
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TextIO

import structlog
from structlog.stdlib import BoundLogger
from structlog.typing import EventDict, WrappedLogger

PRIORITY: Final = {"CRITICAL": 2, "ERROR": 3, "WARNING": 4, "INFO": 6, "DEBUG": 7}
"""What journald calls the levels."""
_BARE: Final = re.compile(r'[^\s"=\\]+')


def logger(name: str) -> BoundLogger:
    """Return what a module logs events with; what is bound to it is part of each of its lines.

    It hands lines to Python's own logging, whatever else the process does with structlog.

    Parameters
    ----------
    name : str
        Of the module.
    """
    made: BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.filter_by_level, _line],
        wrapper_class=BoundLogger,
    )
    return made


def _line(_: WrappedLogger, __: str, fields: EventDict) -> tuple[tuple[str], dict[str, object]]:
    """Return the message that Python's logging is given, and its options."""
    options = {"exc_info": fields.pop("exc_info", None)}
    return (event(fields.pop("event"), **fields),), options


def event(name: str, /, **fields: object) -> str:
    """Return what is logged of an event: ``event=NAME key=value ...``; None is left out."""
    given = ((key, value) for key, value in fields.items() if value is not None)
    return " ".join([f"event={name}", *(f"{key}={quoted(value)}" for key, value in given)])


def quoted(value: object) -> str:
    """Return a value as one word, in quotes where it needs them.

    structlog's own `LogfmtRenderer` lets control characters through, and gives one text for a line
    break and for a backslash before an n.
    """
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    if _BARE.fullmatch(text) and text.isprintable():
        return text
    return '"' + harmless(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def harmless(text: str) -> str:
    """Return a text in one line that steers no terminal: what is not printable is escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class Lines(logging.Formatter):
    """Writes records as lines.

    Parameters
    ----------
    journald : bool
        Whether journald reads them: it takes the level from a prefix and adds the time itself.
    """

    def __init__(self, *, journald: bool) -> None:
        super().__init__()
        self._journald = journald

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line = harmless(f"logger={record.name} {record.getMessage()}")
        if record.exc_info:
            line += f" traceback={quoted(self.formatException(record.exc_info))}"
        if self._journald:
            return f"<{PRIORITY.get(record.levelname, 6)}>{line}"
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return f"time={time} level={record.levelname.lower()} {line}"


def log_to_stderr() -> None:
    """Log all that happens from now on to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines(journald=is_journal(sys.stderr, os.environ)))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Tell whether journald reads a stream: JOURNAL_STREAM may be inherited, and it not be."""
    try:
        stat = os.fstat(stream.fileno())
    except (OSError, ValueError):  # closed, or no file
        return False
    return environ.get("JOURNAL_STREAM") == f"{stat.st_dev}:{stat.st_ino}"
