"""Times as people give them."""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from ecgmon.core.errors import UsageError

_AGO: Final = re.compile(r"-(\d{1,6})([smhd])")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST, LATEST = -2e9, 2.5e11
"""Times in seconds since 1970 that a `datetime` can hold, with room to spare."""


def moment(text: str, now: float) -> float:
    """Return a time in seconds since the Unix epoch.

    Parameters
    ----------
    text : str
        ISO 8601, local time where it names no zone; or how long ago, such as ``-2h``.
    now : float
        Seconds since the Unix epoch.

    Raises
    ------
    UsageError
        If it is neither.
    """
    ago = _AGO.fullmatch(text)
    if ago:
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        seconds = datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        seconds = math.nan
    if not EARLIEST < seconds < LATEST:
        raise UsageError(
            f"{text!r} is no time: give one such as 2026-01-31T14:30, or -2h or -30m: how long ago."
        )
    return seconds


def iso(seconds: float) -> str:
    """Return a time as ISO 8601 in UTC, to the millisecond."""
    return calendar(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def calendar(seconds: float) -> datetime:
    """Return a time as a `datetime` in UTC, rounded to the millisecond."""
    return _EPOCH + timedelta(milliseconds=round(1000 * seconds))
