"""What is reported of a stream: its seconds to the alarm conditions, its windows to everybody."""

from collections.abc import Sequence
from math import isnan
from typing import Final, TypeVar

import msgspec

from ecgmon.core.constants import WINDOW
from ecgmon.core.signal_states import Reason, SignalState
from ecgmon.signal import Second, Windows
from ecgmon.signal.quality import NAMES
from ecgmon.wire import messages
from monitor.alarms.conditions.base import Condition
from monitor.alarms.kinds import OF_SIGNAL
from monitor.wearers.active_stream import ActiveStream
from monitor.wearers.beats import withdraw_beats
from monitor.wearers.pieces import StreamSegment
from monitor.wearers.rhythms import is_ventricular, overruled
from monitor.wearers.session import WearerSession, model_event
from monitor.wearers.stream import Stream

_T = TypeVar("_T")

MAX_FILLED: Final = 600
"""Most seconds of a gap that are reported one by one; the gap itself is reported as a whole."""


def alarm_messages(
    session: WearerSession, active: ActiveStream, changes: Sequence[Condition]
) -> list[messages.Published]:
    """Return the alarms of what has begun or ended, but not what was published before a restart."""
    published: list[messages.Published] = []
    alarms = session.alarm_messages.alarms
    for change in changes:
        active.holds[change.kind] = change.holds
        if change.at >= active.publish_from and alarms.may_change(change.kind, change.holds):
            text = active.conditions.text(change.kind)
            if text and active.second and active.second.judged:
                text = f"{text} (lead {active.second.lead})"
            published += session.alarm_messages.condition(
                change.kind,
                change.holds,
                stream=active.hello.stream,
                at=change.at,
                text=text,
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
    session: WearerSession, active: ActiveStream, lead: Stream, segment: StreamSegment
) -> list[messages.Published]:
    """Begin the signal chain anew if samples are missing before a segment, and report the gap.

    One of the lead that is not judged is no gap of what is judged, one of the second lead none of
    what is kept.
    """
    if not segment.missing:
        return []
    if lead is active.judged:
        active.elapsed()  # of the beats before a gap nothing else tells the conditions
    active.chain.reset(lead.row, segment.first)
    lead.skip_to(segment)
    if active.second:
        active.second.interrupt()
    gaps: list[messages.Published] = []
    if lead is active.stream:
        gap = messages.Gap(
            wearer=session.wearer,
            stream=active.hello.stream,
            first=segment.first - segment.missing,
            count=segment.missing,
        )
        gaps = [gap]
    if lead is not active.judged:
        return gaps
    if active.beats:
        active.beats.reset(segment.first)
    # Seconds that ended in the gap are reported now: a stream full of gaps may bring no window.
    until = segment.first // WINDOW * WINDOW
    published = [*gaps, *lose_seconds(session, active, until), *_fill(session, active, until)]
    active.conditions.gap(segment.first)
    return published


def report_second(
    session: WearerSession, active: ActiveStream, second: Second, *, complete: bool = True
) -> list[messages.Published]:
    """Report a second to the conditions; one that is not ``complete`` has missing samples."""
    active.next_second = second.end
    active.recent.second(second)
    published = withdraw_beats(active, second)
    # A second without signal is reported as such, and is no gap.
    gaps = active.gaps.add(not complete and second.state == "signal")
    changes = active.conditions.second(second)
    changes.append(Condition("gaps", gaps, second.end))
    published += _told_paced(session, active, second.end)
    published += alarm_messages(session, active, changes)
    return published


def _told_paced(session: WearerSession, active: ActiveStream, end: int) -> list[messages.Published]:
    """Return, once for a stream, that a pacemaker makes its rhythm, as is known at an index."""
    if active.recent.told or not active.recent.is_paced_rhythm:
        return []
    active.recent.told = True
    if end < active.publish_from:  # told before a restart
        return []
    text = "most beats follow a pacing spike"
    if not session.limits.paced:
        text += f": set paced = true in [wearers.{session.wearer}], if that is a pacemaker"
    return [model_event(active, "paced", text)]


def lose_seconds(
    session: WearerSession, active: ActiveStream, until: int
) -> list[messages.Published]:
    """Report the seconds before ``until`` that are not whole to conditions."""
    stream, published = active.judged, list[messages.Published]()
    if active.next_second >= until:
        return published
    filled = until - MAX_FILLED * WINDOW
    if filled > active.next_second:
        active.conditions.gap(filled)  # what is skipped is unknown: no asystole either
    for start in range(max(active.next_second, filled), until, WINDOW):
        end = start + WINDOW
        mostly_missing = 2 * stream.missing_of(start, end) > WINDOW
        state: SignalState = "absent" if mostly_missing else "signal"
        published += report_second(
            session, active, Second(stream.row, end, state, ()), complete=False
        )
    return published


def report_window(
    session: WearerSession, active: ActiveStream, windows: Windows, i: int, probability: float
) -> list[messages.Published]:
    """Report the verdict on window ``i``, and those before it that could not be judged."""
    first, threshold = int(windows.first[i]), active.model.card.threshold
    heart_rate = float(windows.heart_rate[i])
    state = NAMES[windows.state[i]]
    known, abnormal, reason = overruled(
        active,
        first,
        _if_known(probability, probability),
        _if_known(probability >= threshold, probability),
    )
    paced = session.limits.paced and active.recent.only_paced(first, first + WINDOW)
    if abnormal and paced and not is_ventricular(active, first):
        known, abnormal, reason = None, None, "paced"
    return [
        *_fill(session, active, first),
        *_report(
            session,
            active,
            first,
            state,
            reason=reason or _reason(active, state, settled=bool(windows.settled[i])),
            probability=known,
            abnormal=abnormal,
            heart_rate=_if_known(heart_rate, heart_rate),
        ),
    ]


def _fill(session: WearerSession, active: ActiveStream, until: int) -> list[messages.Published]:
    """Report the seconds before ``until`` that could not be classified.

    Samples of them, or of what the model sees around them, never arrived.
    """
    stream, published = active.judged, list[messages.Published]()
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
    stream = active.judged
    end = stream.next_window = first + WINDOW
    published = alarm_messages(session, active, active.conditions.judged(end, abnormal))
    was_published = first < active.publish_from
    if active.settles_at is not None and end >= active.settles_at:
        published += settle(session, active)
        active.settles_at, active.publish_from = None, 0  # from now on all is new
    spikes = stream.converted.report_spikes(first, end)
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
        lead=active.second.lead if active.second and active.second.judged else msgspec.UNSET,
    )
    return [active.latest, *published]


def _reason(active: ActiveStream, state: SignalState, *, settled: bool) -> Reason | None:
    """Return why a second was not classified, None if it was."""
    if state != "signal":
        return state
    if not settled:
        return "history"
    return None if active.may_ask(active.model.card) else "lead"


def _if_known(value: _T, witness: float) -> _T | None:
    """Return the value, or None where ``witness`` is NaN."""
    return None if isnan(witness) else value
