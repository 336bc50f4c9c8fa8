"""Recovery of a stream from disk after a restart."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import NO_VALUE, RATE
from ecgmon.core.errors import EcgmonError
from ecgmon.records.captured.reader import captures, read
from ecgmon.signal.rate_converter import first_output
from ecgmon.wire import messages
from monitor.ops.logs import logger
from monitor.storage.growing_record import sync_record
from monitor.storage.journal import Journal
from monitor.wearers.stream_tail import StreamTail

TAIL_S: Final = 120
"""Signal from which filters, scale and conditions are as if nothing had happened: the scale looks
back for 60 usable seconds, everything else less far."""

_log = logger(__name__)


def recover_stream(folder: Path, journal: Journal, wearer: str, stream: str) -> StreamTail | None:
    """Return how a stream ended as far as it was captured; None if nothing of it was.

    Parameters
    ----------
    folder : Path
        Where signals are captured.
    journal : Journal
        Of this monitor.
    wearer, stream : str
        Whose, and which.
    """
    log = _log.bind(wearer=wearer, stream=stream)
    try:
        held = [one for one in captures(folder, wearer) if one.stream == stream]
        if not held:
            return None
        newest = max(held, key=lambda one: one.stop)
        like = (newest.rate, newest.gain, newest.lead)
        others = [one for one in held if (one.rate, one.gain, one.lead) != like]
        start = max(
            newest.stop - round(TAIL_S * newest.rate),
            min(one.first for one in held if one not in others),
            *(one.stop for one in others),
        )
        tail = read(folder, wearer, stream, start, newest.stop)
        judged = journal.next_window(wearer, stream)
        beats = journal.next_beat(wearer, stream)
        gaps = list(_gaps(journal.gaps(wearer, stream), start, tail.samples, newest.rate))
        sync_record(newest.path)  # what is welcomed is acknowledged
    except OSError as error:
        log.warning("not-synced", error=error)
    except EcgmonError as error:
        log.warning("not-recovered", error=error)
        return None  # damaged: the stream begins where the device says
    return StreamTail(
        first=start,
        counts=tail.samples,
        rate_mhz=round(newest.rate * 1000),
        gain=newest.gain,
        lead=newest.lead,
        judged=judged,
        gaps=tuple(reversed(gaps)),
        beats=beats,
    )


def _gaps(
    gaps: Iterator[messages.Gap], first: int, counts: NDArray[np.int16], rate: float
) -> Iterator[tuple[int, int]]:
    """Yield which of the device's samples were in gaps told at 360 Hz, newest first."""
    rate_mhz, end = round(rate * 1000), first + len(counts)
    for gap in gaps:
        stop = gap.first + gap.count
        a, b = (max((at - 1) * rate_mhz // (RATE * 1000) + 1, 0) for at in (gap.first, stop))
        if b <= first:
            return
        # Of samples faster than 360 Hz several may lie at one index: those that are there count.
        while first <= a < end and counts[a - first] != NO_VALUE:
            a += 1
        while b < end and counts[b - first] == NO_VALUE and first_output(b + 1, rate_mhz) == stop:
            b += 1
        if a < min(b, end):
            yield max(a, first), min(b, end)
