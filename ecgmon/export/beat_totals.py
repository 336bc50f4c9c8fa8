"""Totals of the beats that a journal has of a wearer."""

from collections.abc import Iterable
from typing import Final

from ecgmon.core.constants import RATE
from ecgmon.export.streams import ExportedStream
from ecgmon.export.timespec import calendar
from ecgmon.holter.feed import HOUR_S, TotalsFeed
from ecgmon.holter.figures import Figures, figures
from ecgmon.wire import messages

HORIZON: Final = 3600 * RATE
"""A journal has the beats of a commit after its windows, and a device that catches up sends minutes
between two commits."""


def beat_totals(
    published: Iterable[messages.Published], streams: list[ExportedStream]
) -> Figures | None:
    """Return the figures of the beats within the times asked for; None if there are none.

    Parameters
    ----------
    published : iterable of Published
        As `ecgmon.export.journal_reader.read_beats` gives them.
    streams : list of ExportedStream
        Cut to what is wanted; what is said of other streams is passed over.
    """
    known = {stream.stream: stream for stream in streams}
    feed = TotalsFeed(lambda stream, at: known[stream].time(at), HORIZON)
    for message in published:
        match message:
            case messages.Beat(stream=name, at=at) | messages.BeatWithdrawn(stream=name, at=at):
                pass
            case messages.Window(stream=name, first=at) | messages.Gap(stream=name, first=at):
                pass
            case messages.Alarm():  # an episode may have begun before the times asked for
                feed.take(message)
                continue
            case _:
                continue
        stream = known.get(name)
        if stream is not None and stream.start <= stream.time(at) < stream.stop:
            feed.take(message)
    totals = feed.totals()
    return figures(totals, hour_of_day) if totals.classes else None


def hour_of_day(hour: int) -> str:
    """Return the beginning of an hour since the Unix epoch, in UTC."""
    return calendar(hour * HOUR_S).strftime("%Y-%m-%dT%H:%MZ")
