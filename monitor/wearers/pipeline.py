"""The pipeline: pending samples of all wearers become published messages, one batch a tick."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import WINDOW
from ecgmon.core.rhythm_verdict import RhythmVerdict
from ecgmon.signal import Second
from ecgmon.wire import messages
from monitor.inference.beats import JudgedBeat
from monitor.inference.engine import classify
from monitor.inference.rhythms import AtrialVerdict
from monitor.wearers.active_stream import ActiveStream
from monitor.wearers.beats import beat_cutter, judge_beats, publish_beat
from monitor.wearers.leads import change_lead, due, keep_up, note_seconds
from monitor.wearers.pieces import StreamSegment
from monitor.wearers.reports import (
    alarm_messages,
    lose_seconds,
    report_second,
    report_window,
    reset_after_gap,
)
from monitor.wearers.rhythms import change_rhythm, judge_rhythms
from monitor.wearers.session import WearerSession, trace
from monitor.wearers.stream import Stream
from monitor.wearers.usual_beat import Likeness, change_likeness, compare

Known = Second | JudgedBeat | RhythmVerdict | AtrialVerdict | Likeness | int | None
"""What is known of a stream at an index: a window by its number, None for no verdict on rhythm."""


class NextSamples(NamedTuple):
    """The next samples of a lead of a wearer's stream, in mV, and their noise as of a segment."""

    session: WearerSession
    active: ActiveStream
    lead: Stream
    samples: NDArray[np.float64]
    step: float

    @property
    def is_judged(self) -> bool:
        """Whether the lead is the one that is judged."""
        return self.lead is self.active.judged


def advance(
    sessions: Collection[WearerSession], wants_trace: Callable[[str], bool]
) -> list[messages.Published]:
    """Process all pending samples, of all streams together that share a signal chain.

    Parameters
    ----------
    sessions : collection of WearerSession
        The wearers.
    wants_trace : callable
        Tells whether a viewer draws this wearer's signal.

    Returns
    -------
    list of Published
        In the order of time for each wearer.
    """
    published: list[messages.Published] = []
    streams = [(session, session.active) for session in sessions if session.active]
    while True:
        for session, active in streams:
            published += change_lead(session, active)
        ready = [(s, active, *each) for s, active in streams for each in due(active)]
        if not ready:
            return published
        members: list[NextSamples] = []
        for session, active, lead, segment in ready:
            published += reset_after_gap(session, active, lead, segment)
            members.append(next_samples(session, active, lead, segment))
        for group in by_chain(members):
            published += push(group, wants_trace)


def next_samples(
    session: WearerSession, active: ActiveStream, lead: Stream, segment: StreamSegment
) -> NextSamples:
    """Return the samples of a segment, which the lead is to process next."""
    return NextSamples(session, active, lead, np.concatenate(segment.parts), segment.step)


def by_chain(members: Sequence[NextSamples]) -> list[list[NextSamples]]:
    """Return streams in groups that share a signal chain."""
    groups: dict[int, list[NextSamples]] = defaultdict(list)
    for member in members:
        groups[id(member.active.chain)].append(member)
    return list(groups.values())


def push(
    members: Sequence[NextSamples], wants_trace: Callable[[str], bool] = lambda _: False
) -> list[messages.Published]:
    """Process the next samples of streams that share a signal chain."""
    chain = members[0].active.chain
    rows = np.array([member.lead.row for member in members], dtype=np.intp)
    step = np.array([member.step for member in members])
    spikes = [
        member.lead.spikes_of(first, first + len(member.samples))
        for member, first in zip(members, chain.next[rows].tolist(), strict=True)
    ]
    judged = [member for member in members if member.is_judged]
    for member, found in zip(members, spikes, strict=True):
        if not member.is_judged:
            keep_up(member.active, member.lead)
        elif found:
            member.active.recent.spikes(found)
    actives = {member.lead.row: member.active for member in judged}
    cutter = beat_cutter(actives)
    pushed = chain.push(rows, [member.samples for member in members], step, spikes, cutter)
    windows = pushed.windows
    of_row = {member.lead.row: (member.session, member.active) for member in judged}
    asked = {
        row: model
        for row in set(windows.rows.tolist()) & actives.keys()
        if actives[row].may_ask((model := actives[row].model).card)
    }
    probability = classify(windows, asked, members[0].active.windows)
    published: list[messages.Published] = [
        trace(member.active, len(member.samples))
        for member in judged
        if wants_trace(member.session.wearer)
    ]
    late = chain.geometry.look_ahead
    known: list[tuple[int, int, Known]] = [(s.end, s.row, s) for s in pushed.seconds]
    if cutter:
        known += [(b.due, b.row, b) for b in judge_beats(actives, cutter.found())]
    known += [(end, row, verdict) for row, end, verdict in judge_rhythms(actives, pushed)]
    known += [(end, row, alike) for row, end, alike in compare(actives, pushed)]
    for i, row in enumerate(windows.rows.tolist()):
        known.append((int(windows.first[i]) + WINDOW + late, row, i))
    for at, row, what in sorted(known, key=lambda item: item[0]):
        if row not in of_row:
            continue
        session, active = of_row[row]
        if isinstance(what, Second):
            published += lose_seconds(session, active, what.end - WINDOW)
            published += report_second(session, active, what)
        elif isinstance(what, JudgedBeat):
            published += publish_beat(session, active, what)
        elif isinstance(what, Likeness):
            published += alarm_messages(session, active, change_likeness(active, at, what.value))
        elif what is None or isinstance(what, RhythmVerdict | AtrialVerdict):
            published += alarm_messages(session, active, change_rhythm(active, at, what))
        else:
            published += report_window(session, active, windows, what, float(probability[what]))
    for row, (session, active) in of_row.items():
        note_seconds(active, pushed.seconds)
        running = active.conditions.elapsed(
            int(chain.next[row]), chain.confirmed(row), chain.lost(row)
        )
        published += alarm_messages(session, active, running)
    return published
