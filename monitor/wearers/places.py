"""Places of a ward: a device that is silent gives its place up to one that sends."""

import time
from collections.abc import Iterable

from ecgmon.wire import messages
from monitor.wearers.pipeline import advance
from monitor.wearers.session import WearerSession, link


def longest_silent(watched: Iterable[WearerSession], now: float) -> WearerSession | None:
    """Return whose device has been silent longest, of those that are alarmed for it."""
    silent = [
        (one.live.heard, one)
        for one in watched
        if one.live and now - one.live.heard > one.rules.silent_s
    ]
    return min(silent, key=lambda pair: pair[0])[1] if silent else None


def set_aside(watched: WearerSession, now: float) -> list[messages.Published]:
    """Take a silent device's stream out of the ward; the wearer's alarms stand on.

    The wearer is from then on as after a restart: what was sent is on disk, a device that comes
    back goes on with its stream, and if none does, the wearer is let go after as long as any other.
    """
    live = watched.live
    if live is None:
        return []
    told = advance([watched], lambda _: False)
    stream = live.hello.stream
    watched.missed = messages.Closed(wearer=watched.wearer, stream=stream, end=live.stream.end)
    watched.live, watched.missed_since = None, live.heard
    live.log.warning("place-given-up")
    event = messages.Event(
        wearer=watched.wearer,
        stream=stream,
        event="place-lost",
        text="its device is silent, and another one needed the place",
        time=time.time(),
    )
    return [*told, link(live, now), event]
