"""Recovery: after a restart, a stream's state is computed anew from its newest samples on disk."""

from collections.abc import Collection
from typing import Final

import numpy as np

from ecgmon.core.constants import WINDOW
from ecgmon.wire import messages
from monitor.wearers.active_stream import ActiveStream
from monitor.wearers.pieces import Piece, StreamSegment
from monitor.wearers.pipeline import NextSamples, by_chain, next_samples, push
from monitor.wearers.reports import reset_after_gap, settle
from monitor.wearers.session import WearerSession
from monitor.wearers.stream_tail import StreamTail

STEP_SAMPLES: Final = 5 * WINDOW
"""Samples of each wearer that are processed in one step of a recovery..."""
STEP_WEARERS: Final = 64
"""...and wearers: a step takes about 0.1 s, in which all others wait."""


def queue_tail(active: ActiveStream, tail: StreamTail) -> None:
    """Give a new stream the samples from which `recover` brings it to where it was."""
    stream, at = active.stream, tail.first
    for start, stop in (*tail.gaps, (tail.stop, tail.stop)):
        if at < start:
            piece = Piece(
                stream=stream.number,
                first=at,
                rate_mhz=tail.rate_mhz,
                gain=tail.gain,
                lead=tail.lead,
                samples=tail.counts[at - tail.first : start - tail.first],
            )
            stream.restore_piece(piece)
        at = stop
    while stream.pending:
        active.backlog.extend(_cut(stream.pending.popleft()))
    active.publish_from = tail.judged
    if active.beats:
        active.beats.publish_from = max(tail.judged, tail.beats)
        active.beats.withdraw_from = tail.judged


def recover(sessions: Collection[WearerSession]) -> list[messages.Published]:
    """Process the next step of each backlog, of many wearers together.

    What was published before the restart is not published again. Where a backlog is processed, the
    alarms of what holds now are published.
    """
    recovering = [(s, s.active) for s in sessions if s.active and s.active.backlog][:STEP_WEARERS]
    published: list[messages.Published] = []
    members: list[NextSamples] = []
    for session, active in recovering:
        segment = active.backlog[0]
        reset = reset_after_gap(session, active, active.stream, segment)
        published += [m for m in reset if not isinstance(m, messages.Gap)]  # published before
        members.append(next_samples(session, active, active.stream, segment))
    for group in by_chain(members):
        published += push(group)
        for session, active, *_ in group:
            active.backlog.popleft()
            if not active.backlog:
                published += _recovered(session, active)
    return published


def _recovered(session: WearerSession, active: ActiveStream) -> list[messages.Published]:
    """Return the alarms of what holds now; none yet if more was judged than was on disk."""
    if active.stream.next_window < active.publish_from:
        active.settles_at = active.publish_from
        return []
    active.publish_from = 0  # from now on all is new, also what is known only late
    return settle(session, active)


def _cut(segment: StreamSegment) -> list[StreamSegment]:
    """Return a segment in pieces of `STEP_SAMPLES`."""
    first, samples = segment.first, np.concatenate(segment.parts)
    starts = [0, *range(STEP_SAMPLES, len(samples), STEP_SAMPLES)]
    pieces = [
        StreamSegment(first + start, 0, [piece], segment.step)
        for start, piece in zip(starts, np.split(samples, starts[1:]), strict=True)
    ]
    pieces[0].missing = segment.missing
    return pieces
