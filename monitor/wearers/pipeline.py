"""The pipeline: pending samples of all wearers become published messages, one batch a tick."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import WINDOW
from ecgmon.core.rhythm_verdict import RhythmVerdict
from ecgmon.signal import Pushed, Second
from ecgmon.signal.beat_cutter import CutBeats
from ecgmon.wire import messages
from monitor.inference.beats import JudgedBeat
from monitor.inference.engine import classify
from monitor.inference.rhythms import AtrialVerdict
from monitor.wearers.active_stream import ActiveStream
from monitor.wearers.beats import beat_cutter, judge_beats, publish_beat
from monitor.wearers.conversion import Conversion
from monitor.wearers.leads import (
    change_lead,
    due,
    is_ripe,
    keep_up,
    leads_of,
    may_go_on,
    note_seconds,
)
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
    """The next samples of a lead of a wearer's stream, in mV, and their noise as of a segment.

    ``is_judged`` tells whether the lead is the one that is judged.
    """

    session: WearerSession
    active: ActiveStream
    lead: Stream
    samples: NDArray[np.float64]
    step: float
    is_judged: bool


def advance(
    sessions: Collection[WearerSession], wants_trace: Callable[[str], bool], *, ripe: bool = False
) -> list[messages.Published]:
    """Process pending samples, of all streams together that share a signal chain.

    Parameters
    ----------
    sessions : collection of WearerSession
        The wearers.
    wants_trace : callable
        Tells whether a viewer draws this wearer's signal.
    ripe : bool, optional
        Leave samples that complete nothing yet and are drawn nowhere; else all are processed.

    Returns
    -------
    list of Published
        In the order of time for each wearer.
    """
    published: list[messages.Published] = []
    streams = [(session, session.active) for session in sessions if session.active]
    if ripe:
        streams = [
            (session, active)
            for session, active in streams
            if is_ripe(active) or (active.judged.converted.has_new and wants_trace(session.wearer))
        ]
    Conversion.convert(lead for _, active in streams for lead in leads_of(active))
    while streams:
        for session, active in streams:
            published += change_lead(session, active)
        ready = [(s, active, *each) for s, active in streams for each in due(active)]
        if not ready:
            break
        members: list[NextSamples] = []
        for session, active, lead, segment in ready:
            published += reset_after_gap(session, active, lead, segment)
            members.append(next_samples(session, active, lead, segment))
        for group in by_chain(members):
            published += push(group, wants_trace)
        streams = [(session, active) for session, active in streams if may_go_on(active)]
    return published


def next_samples(
    session: WearerSession, active: ActiveStream, lead: Stream, segment: StreamSegment
) -> NextSamples:
    """Return the samples of a segment, which the lead is to process next."""
    parts = segment.parts
    samples = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return NextSamples(session, active, lead, samples, segment.step, lead is active.judged)


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
    spikes = _take_spikes(members, chain.next[rows].tolist())
    judged = [member for member in members if member.is_judged]
    sessions = {member.lead.row: member.session for member in judged}
    actives = {member.lead.row: member.active for member in judged}
    cutter = beat_cutter(actives)
    pushed = chain.push(rows, [member.samples for member in members], step, spikes, cutter)
    published: list[messages.Published] = [
        trace(member.active, len(member.samples))
        for member in judged
        if wants_trace(member.session.wearer)
    ]
    windows = pushed.windows
    complete = set(windows.rows.tolist()) & actives.keys()
    asked = {row: one.model for row in complete if (one := actives[row]).may_ask(one.model.card)}
    probability = classify(windows, asked, members[0].active.windows)
    for at, row, what in _known(actives, pushed, cutter, chain.geometry.look_ahead):
        session, active = sessions[row], actives[row]
        if isinstance(what, Second):
            published += lose_seconds(session, active, what.end - WINDOW)
            published += report_second(session, active, what)
        elif isinstance(what, JudgedBeat):
            published += publish_beat(session, active, what)
        elif isinstance(what, int):
            published += report_window(session, active, windows, what, float(probability[what]))
        elif isinstance(what, Likeness):
            published += alarm_messages(session, active, change_likeness(active, at, what.value))
        else:
            published += alarm_messages(session, active, change_rhythm(active, at, what))
    note_seconds(actives.values(), pushed.seconds)
    mine = list(actives)
    now, lost = chain.next[mine].tolist(), chain.are_lost(mine).tolist()
    for (session, active, *_), at, is_lost in zip(judged, now, lost, strict=True):
        if is_lost or at >= active.conditions.due:
            published += alarm_messages(session, active, active.elapsed())
    return published


def _take_spikes(members: Sequence[NextSamples], now: Sequence[int]) -> list[list[int]]:
    """Return the pacing spikes in the next samples of each lead, from stream index ``now`` on."""
    spikes = []
    for member, first in zip(members, now, strict=True):
        lead = member.lead.converted
        found = lead.spikes_of(first, first + len(member.samples)) if lead.spikes else []
        if not member.is_judged:
            keep_up(member.active, member.lead)
        elif found:
            member.active.recent.spikes(found)
        spikes.append(found)
    return spikes


def _known(
    actives: Mapping[int, ActiveStream], pushed: Pushed, cutter: CutBeats | None, look_ahead: int
) -> list[tuple[int, int, Known]]:
    """Return what a push has told of streams by row: index, row and what, sorted by the index."""
    known: list[tuple[int, int, Known]] = [(s.end, s.row, s) for s in pushed.seconds]
    if cutter:
        known += [(b.due, b.row, b) for b in judge_beats(actives, cutter.found())]
    known += [(end, row, verdict) for row, end, verdict in judge_rhythms(actives, pushed)]
    known += [(end, row, alike) for row, end, alike in compare(actives, pushed)]
    complete = (pushed.windows.first + WINDOW + look_ahead).tolist()
    known += zip(complete, pushed.windows.rows.tolist(), range(len(complete)), strict=True)
    return sorted((one for one in known if one[1] in actives), key=itemgetter(0))
