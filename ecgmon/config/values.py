"""Kinds of values that several keys of the configuration take: endpoints, paths, heart rates."""

from typing import Annotated, Final

import msgspec

from ecgmon.config.entry import documented
from ecgmon.core.rhythm_limits import HIGHEST_RATE, LOWEST_RATE

_TEXT: Final = r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]"
"""Any character of UTF-8 but the control characters, which can steer a terminal."""
_WORD: Final = r"[^\s,\x00-\x1f\x7f-\x9f\ud800-\udfff]+"
_ENDPOINT: Final = rf"^(tcp://{_WORD}:(\*|\d{{1,5}})|(?!tcp:)[a-z][a-z0-9+-]{{0,15}}://{_WORD})\Z"
"""Any scheme is allowed here. `monitor.sources` and `monitor.sinks` know which ones exist."""

Endpoints = tuple[Annotated[str, msgspec.Meta(pattern=_ENDPOINT, max_length=200)], ...]
ENDPOINTS: Final = "endpoints such as tcp://127.0.0.1:5555 or ipc:///run/ecgmon/ingest"


def path(description: str, allowed: str = 'the path of a file, or ""') -> msgspec.Meta:
    """Document a path of up to 1,000 characters.

    Parameters
    ----------
    description : str
        One sentence: what the key sets.
    allowed : str
        What the path must be. It may be empty if this ends in ``""``.
    """
    least = 0 if allowed.endswith('""') else 1
    return documented(description, allowed, pattern=rf"^{_TEXT}{{{least},1000}}\Z")


def rate(kind: str, side: str) -> msgspec.Meta:
    """Document a limit of the heart rate."""
    bounds = f"{LOWEST_RATE:g} to {HIGHEST_RATE:g}"
    return documented(
        f"Raise *{kind}* {side} this heart rate in beats per minute ({bounds}; 0 for never).",
        f"a number of beats per minute from {bounds}, or 0 for no such alarm",
        ge=0,
        le=HIGHEST_RATE,
    )


def run_rate(named: str) -> msgspec.Meta:
    """Document the lowest rate at which beats in a row are named so."""
    bounds = f"{LOWEST_RATE:g} to {HIGHEST_RATE:g}"
    return documented(
        f"Name them {named} from this rate in beats per minute on ({bounds}).",
        f"a number of beats per minute from {bounds}",
        ge=LOWEST_RATE,
        le=HIGHEST_RATE,
    )


def level(kind: str, what: str) -> msgspec.Meta:
    """Document the priority of a named rhythm."""
    return documented(
        f"Priority of *{kind}*, {what} (high, medium or low; off for never).",
        "high, medium, low or off",
    )
