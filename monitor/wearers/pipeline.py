"""The pipeline: pending samples of all wearers become published messages, one batch a tick."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import WINDOW
from ecgmon.core.rhythm_verdict import RhythmVerdict
from ecgmon.core.signal_states import Reason, SignalState
from ecgmon.signal import Second, Windows
from ecgmon.signal.quality import NAMES
from ecgmon.wire import messages
from monitor.alarms.conditions.base import Condition
from monitor.alarms.kinds import OF_SIGNAL
from monitor.inference.beats import JudgedBeat
from monitor.inference.engine import classify
from monitor.inference.rhythms import AtrialVerdict
from monitor.wearers.beats import judge_beats, publish_beat, withdraw_beats
from monitor.wearers.pieces import StreamSegment
from monitor.wearers.rhythms import change_rhythm, judge_rhythms, overruled
from monitor.wearers.session import ActiveStream, WearerSession, trace

_T = TypeVar("_T")

MAX_FILLED: Final = 600
"""Most seconds of a gap that are reported one by one; the gap itself is reported as a whole."""

NextSamples = tuple[WearerSession, ActiveStream, NDArray[np.float64]]
"""A wearer, the stream, and its next samples in mV."""


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
    while ready := [
        (session, session.active)
        for session in sessions
        if session.active and session.active.stream.pending and not session.active.backlog
    ]:
        members: list[NextSamples] = []
        for session, active in ready:
            segment = active.stream.pending.popleft()
            published += reset_after_gap(session, active, segment)
            members.append((session, active, samples_of(active, segment)))
        for group in by_chain(members):
            published += push(group, wants_trace)
    return published


def samples_of(active: ActiveStream, segment: StreamSegment) -> NDArray[np.float64]:
    """Return the samples of a segment, which the stream is to process next."""
    active.step = segment.step
    return np.concatenate(segment.parts)


def by_chain(members: Sequence[NextSamples]) -> list[list[NextSamples]]:
    """Return streams in groups that share a signal chain."""
    groups: dict[int, list[NextSamples]] = defaultdict(list)
    for member in members:
        groups[id(member[1].chain)].append(member)
    return list(groups.values())


def alarm_messages(
    session: WearerSession, active: ActiveStream, changes: Sequence[Condition]
) -> list[messages.Published]:
    """Return the alarms of what has begun or ended, but not what was published before a restart."""
    published: list[messages.Published] = []
    for change in changes:
        active.holds[change.kind] = change.holds
        if change.at >= active.publish_from:
            published += session.alarm_messages.condition(
                change.kind,
                change.holds,
                stream=active.hello.stream,
                at=change.at,
                text=active.conditions.text(change.kind),
                priority=active.conditions.priority(change.kind),
            )
    return published


def settle(session: WearerSession, active: ActiveStream) -> list[messages.Published]:
    """Return the alarms of what holds now, once a stream is where it was before a restart."""
    published: list[messages.Published] = []
    for kind in OF_SIGNAL:
        holds = active.holds.get(kind, kind in session.alarm_messages.alarms.holding)
        published += session.alarm_messages.condition(
            kind,
            holds,
            stream=active.hello.stream,
            priority=active.conditions.priority(kind),
        )
    return published


def reset_after_gap(
    session: WearerSession, active: ActiveStream, segment: StreamSegment
) -> list[messages.Published]:
    """Begin the signal chain anew if samples are missing before a segment, and report the gap."""
    if not segment.missing:
        return []
    active.chain.reset(active.stream.row, segment.first)
    if active.beats:
        active.beats.reset(segment.first)
    active.stream.skip_to(segment)
    gap = messages.Gap(
        wearer=session.wearer,
        stream=active.hello.stream,
        first=segment.first - segment.missing,
        count=segment.missing,
    )
    # Seconds that ended in the gap are reported now: a stream full of gaps may bring no window.
    until = segment.first // WINDOW * WINDOW
    published = [gap, *_lose_seconds(session, active, until), *_fill(session, active, until)]
    active.conditions.gap(segment.first)
    return published


def push(
    members: Sequence[NextSamples], wants_trace: Callable[[str], bool] = lambda _: False
) -> list[messages.Published]:
    """Process the next samples of streams that share a signal chain."""
    chain = members[0][1].chain
    rows = np.array([active.stream.row for _, active, _ in members], dtype=np.intp)
    step = np.array([active.step for _, active, _ in members])
    spikes = [
        active.stream.spikes_of(first, first + len(samples))
        for (_, active, samples), first in zip(members, chain.next[rows].tolist(), strict=True)
    ]
    followed = [active.stream.row for _, active, _ in members if active.beats]
    pushed = chain.push(rows, [samples for _, _, samples in members], step, spikes, followed)
    windows = pushed.windows
    of_row = {active.stream.row: (session, active) for session, active, _ in members}
    probability = classify(windows, {row: active.model for row, (_, active) in of_row.items()})
    published: list[messages.Published] = [
        trace(active, len(samples))
        for session, active, samples in members
        if wants_trace(session.wearer)
    ]
    late = chain.geometry.look_ahead
    due: list[tuple[int, int, Second | JudgedBeat | RhythmVerdict | AtrialVerdict | int | None]]
    due = [(s.end, s.row, s) for s in pushed.seconds]
    actives = [one for _, one, _ in members]
    due += [(b.due, b.row, b) for b in judge_beats(actives, pushed)]
    due += [(end, row, verdict) for row, end, verdict in judge_rhythms(actives, pushed)]
    for i, row in enumerate(windows.rows.tolist()):
        due.append((int(windows.first[i]) + WINDOW + late, row, i))
    for at, row, what in sorted(due, key=lambda item: item[0]):
        session, active = of_row[row]
        if isinstance(what, Second):
            published += _lose_seconds(session, active, what.end - WINDOW)
            published += _second(session, active, what)
        elif isinstance(what, JudgedBeat):
            published += publish_beat(active, what)
        elif what is None or isinstance(what, RhythmVerdict | AtrialVerdict):
            published += alarm_messages(session, active, change_rhythm(active, at, what))
        else:
            published += _window(session, active, windows, what, float(probability[what]))
    for session, active, _ in members:
        row = active.stream.row
        running = active.conditions.elapsed(
            int(chain.next[row]), chain.confirmed(row), chain.lost(row)
        )
        published += alarm_messages(session, active, running)
    return published


def _second(
    session: WearerSession, active: ActiveStream, second: Second, *, complete: bool = True
) -> list[messages.Published]:
    active.next_second = second.end
    withdrawn = withdraw_beats(active, second)
    # A second without signal is reported as such, and is no gap.
    gaps = active.gaps.add(not complete and second.state == "signal")
    changes = [*active.conditions.second(second), Condition("gaps", gaps, second.end)]
    return [*withdrawn, *alarm_messages(session, active, changes)]


def _lose_seconds(
    session: WearerSession, active: ActiveStream, until: int
) -> list[messages.Published]:
    """Report the seconds before ``until`` that are not whole to conditions."""
    stream, published = active.stream, list[messages.Published]()
    filled = until - MAX_FILLED * WINDOW
    if filled > active.next_second:
        active.conditions.gap(filled)  # what is skipped is unknown: no asystole either
    for start in range(max(active.next_second, filled), until, WINDOW):
        end = start + WINDOW
        mostly_missing = 2 * stream.missing_of(start, end) > WINDOW
        state: SignalState = "absent" if mostly_missing else "signal"
        published += _second(session, active, Second(stream.row, end, state, ()), complete=False)
    return published


def _window(
    session: WearerSession, active: ActiveStream, windows: Windows, i: int, probability: float
) -> list[messages.Published]:
    first, threshold = int(windows.first[i]), active.model.card.threshold
    heart_rate = float(windows.heart_rate[i])
    state = NAMES[windows.state[i]]
    known, abnormal, reason = overruled(
        active,
        first,
        _if_known(probability, probability),
        _if_known(probability >= threshold, probability),
    )
    return [
        *_fill(session, active, first),
        *_report(
            session,
            active,
            first,
            state,
            reason=reason or _reason(state, settled=bool(windows.settled[i])),
            probability=known,
            abnormal=abnormal,
            heart_rate=_if_known(heart_rate, heart_rate),
        ),
    ]


def _fill(session: WearerSession, active: ActiveStream, until: int) -> list[messages.Published]:
    """Report the seconds before ``until`` that could not be classified.

    Samples of them, or of what the model sees around them, never arrived.
    """
    stream, published = active.stream, list[messages.Published]()
    for start in range(max(stream.next_window, until - MAX_FILLED * WINDOW), until, WINDOW):
        mostly_missing = 2 * stream.missing_of(start, start + WINDOW) > WINDOW
        state: SignalState = "absent" if mostly_missing else "signal"
        published += _report(session, active, start, state, reason="gap")
    return published


def _report(
    session: WearerSession,
    active: ActiveStream,
    first: int,
    state: SignalState,
    *,
    reason: Reason | None,
    probability: float | None = None,
    abnormal: bool | None = None,
    heart_rate: float | None = None,
) -> list[messages.Published]:
    end = active.stream.next_window = first + WINDOW
    published = alarm_messages(session, active, active.conditions.judged(end, abnormal))
    was_published = first < active.publish_from
    if active.settles_at is not None and end >= active.settles_at:
        published += settle(session, active)
        active.settles_at, active.publish_from = None, 0  # from now on all is new
    spikes = active.stream.report_spikes(first, end)
    if was_published:
        return published
    active.latest = messages.Window(
        wearer=session.wearer,
        stream=active.hello.stream,
        first=first,
        state=state,
        probability=probability,
        abnormal=abnormal,
        heart_rate=heart_rate,
        model=active.model.card.name,
        reason=reason,
        spikes=spikes,
    )
    return [active.latest, *published]


def _reason(state: SignalState, *, settled: bool) -> Reason | None:
    """Return why a second was not classified, None if it was."""
    if state != "signal":
        return state
    return None if settled else "history"


def _if_known(value: _T, witness: float) -> _T | None:
    """Return the value, or None where ``witness`` is NaN."""
    return None if np.isnan(witness) else value
