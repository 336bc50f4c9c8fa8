"""How much of what its streams may have a fleet has used: said before the oldest is removed."""

from typing import Final

from monitor.fleet import names
from monitor.fleet.jetstream_api import STREAMS, AccountReport, StreamReport, asked
from monitor.fleet.link import FleetLink

NEARLY_FULL: Final = 0.8
"""Share of a limit from which on somebody is told."""
ALL_STREAMS: Final = "all streams"
"""Name of the share of what the account may have on disk."""


def shares_used(streams: list[StreamReport], account: AccountReport) -> dict[str, float]:
    """Return the share of its limit that each stream has used, and all together, of what has one.

    A stream that has a limit of bytes and is at it loses its oldest messages, however young; where
    there is no room for all together, nothing more is taken.
    """
    used = {
        one.config.name: one.state.bytes / one.config.max_bytes
        for one in streams
        if one.config.max_bytes > 0
    }
    if account.limits.max_storage > 0:
        used[ALL_STREAMS] = account.storage / account.limits.max_storage
    return used


async def fleet_fullness(link: FleetLink) -> dict[str, float]:
    """Ask JetStream for `shares_used`; called in the link's thread.

    Raises
    ------
    FleetError
        If it does not answer.
    """
    reports = [await asked(link, f"STREAM.INFO.{name}", StreamReport) for name in STREAMS]
    account = await asked(link, "INFO", AccountReport)
    return shares_used([one for one in reports if one], account or AccountReport())


def said_of_fullness(used: dict[str, float]) -> list[str]:
    """Return a sentence for each share that is nearly used up."""
    return [
        f"{name} has used {share:.0%} of its limit: {_remedy(name)}."
        for name, share in used.items()
        if share >= NEARLY_FULL
    ]


def _remedy(name: str) -> str:
    if name == names.SAMPLES:
        return "start monitors, or give it more room, before samples are removed unread"
    return "give it more room, or keep less, before its oldest messages are removed"
