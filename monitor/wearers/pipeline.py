"""From the samples of all wearers to what is published of them, one batch a tick."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import WINDOW
from ecgmon.core.signal_states import Reason, SignalState
from ecgmon.signal import Second, Windows
from ecgmon.signal.quality import NAMES
from ecgmon.wire import messages
from monitor.alarms.conditions.base import Condition
from monitor.alarms.kinds import OF_SIGNAL
from monitor.inference.engine import classify
from monitor.wearers.pieces import StreamSegment
from monitor.wearers.session import ActiveStream, WearerSession, trace

_T = TypeVar("_T")

MAX_FILLED: Final = 600
"""Seconds of a gap that are reported one by one; the gap itself is always reported whole."""
RECOVERED: Final = 5 * WINDOW
"""Samples of each wearer in one step of a recovery..."""
RECOVERED_AT_ONCE: Final = 64
"""...and wearers: such a step takes about 0.1 s, in which all others wait."""


def advance(
    watched: Collection[WearerSession], wants_trace: Callable[[str], bool]
) -> list[messages.Published]:
    """Process all pending samples, together for all whose models see as much.

    Parameters
    ----------
    watched : collection of WearerSession
        Whose.
    wants_trace : callable
        Tells whether anybody draws this wearer's signal.

    Returns
    -------
    list of Published
        In the order of time for each wearer.
    """
    published: list[messages.Published] = []
    while ready := [
        (w, w.live) for w in watched if w.live and w.live.stream.pending and not w.live.recalled
    ]:
        groups: dict[int, list[tuple[WearerSession, ActiveStream, NDArray[np.float64]]]]
        groups = defaultdict(list)
        for one, live in ready:
            segment = live.stream.pending.popleft()
            published += _reset_after_gap(one, live, segment)
            samples, live.step = np.concatenate(segment.parts), segment.step
            groups[id(live.chain)].append((one, live, samples))
        for members in groups.values():
            published += _push(members, wants_trace)
    return published


def recover(watched: Collection[WearerSession]) -> list[messages.Published]:
    """Process some of what is recalled, of many wearers together; nothing if nothing is.

    What was told of it before the restart is not told again. Where all of it is processed, the
    alarms are told what holds by now.
    """
    recovering = [(w, w.live) for w in watched if w.live and w.live.recalled]
    groups: dict[int, list[tuple[WearerSession, ActiveStream, NDArray[np.float64]]]]
    groups = defaultdict(list)
    published: list[messages.Published] = []
    for one, live in recovering[:RECOVERED_AT_ONCE]:
        segment = live.recalled[0]
        reset = _reset_after_gap(one, live, segment)
        published += [m for m in reset if not isinstance(m, messages.Gap)]  # published before
        samples, live.step = np.concatenate(segment.parts), segment.step
        groups[id(live.chain)].append((one, live, samples))
    for members in groups.values():
        published += _push(members, lambda _: False)
        for one, live, _ in members:
            live.recalled.popleft()
            if not live.recalled:
                published += _recovered(one, live)
    return published


def cut(segment: StreamSegment) -> list[StreamSegment]:
    """Return a segment in pieces for `recover`."""
    first, samples = segment.first, np.concatenate(segment.parts)
    starts = [0, *range(RECOVERED, len(samples), RECOVERED)]
    pieces = [
        StreamSegment(first + start, 0, [piece], segment.step)
        for start, piece in zip(starts, np.split(samples, starts[1:]), strict=True)
    ]
    pieces[0].missing = segment.missing
    return pieces


def _recovered(one: WearerSession, live: ActiveStream) -> list[messages.Published]:
    """Tell what holds, or wait with it: more may have been judged than was on disk."""
    if live.stream.next_window < live.told_from:
        live.settles_at = live.told_from
        return []
    return settle(one, live)


def alarm_messages(
    one: WearerSession, live: ActiveStream, changes: Sequence[Condition]
) -> list[messages.Published]:
    """Tell the alarms of what has begun or ended, unless that was told before a restart."""
    told: list[messages.Published] = []
    for change in changes:
        live.holds[change.kind] = change.holds
        if change.at >= live.told_from:
            told += one.told.condition(
                change.kind,
                change.holds,
                stream=live.hello.stream,
                at=change.at,
                text=live.conditions.text(change.kind),
            )
    return told


def settle(one: WearerSession, live: ActiveStream) -> list[messages.Published]:
    """Tell what holds by now, once a stream has come to where it was before a restart."""
    told: list[messages.Published] = []
    for kind in OF_SIGNAL:
        holds = live.holds.get(kind, kind in one.told.alarms.holding)
        told += one.told.condition(kind, holds, stream=live.hello.stream)
    return told


def _reset_after_gap(
    one: WearerSession, live: ActiveStream, segment: StreamSegment
) -> list[messages.Published]:
    if not segment.missing:
        return []
    live.chain.reset(live.stream.row, segment.first)
    live.stream.skip_to(segment)
    gap = messages.Gap(
        wearer=one.wearer,
        stream=live.hello.stream,
        first=segment.first - segment.missing,
        count=segment.missing,
    )
    # What ended before has no hope any more; a stream full of gaps may never bring a window.
    until = segment.first // WINDOW * WINDOW
    told = [gap, *_lose_seconds(one, live, until), *_fill(one, live, until)]
    live.conditions.gap(segment.first)
    return told


def _push(
    members: list[tuple[WearerSession, ActiveStream, NDArray[np.float64]]],
    wants_trace: Callable[[str], bool],
) -> list[messages.Published]:
    chain = members[0][1].chain
    rows = np.array([live.stream.row for _, live, _ in members], dtype=np.intp)
    step = np.array([live.step for _, live, _ in members])
    spikes = [
        live.stream.spikes_of(first, first + len(samples))
        for (_, live, samples), first in zip(members, chain.next[rows].tolist(), strict=True)
    ]
    pushed = chain.push(rows, [samples for _, _, samples in members], step, spikes)
    windows = pushed.windows
    of_row = {live.stream.row: (one, live) for one, live, _ in members}
    probability = classify(windows, {row: live.model for row, (_, live) in of_row.items()})
    published: list[messages.Published] = [
        trace(live, len(samples)) for one, live, samples in members if wants_trace(one.wearer)
    ]
    late = chain.geometry.look_ahead
    due: list[tuple[int, int, Second | int]] = [(s.end, s.row, s) for s in pushed.seconds]
    for i, row in enumerate(windows.rows.tolist()):
        due.append((int(windows.first[i]) + WINDOW + late, row, i))
    for _, row, what in sorted(due, key=lambda item: item[0]):
        one, live = of_row[row]
        if isinstance(what, Second):
            published += _lose_seconds(one, live, what.end - WINDOW)
            published += _second(one, live, what)
        else:
            published += _window(one, live, windows, what, float(probability[what]))
    for one, live, _ in members:
        row = live.stream.row
        running = live.conditions.elapsed(
            int(chain.next[row]), chain.confirmed(row), chain.lost(row)
        )
        published += alarm_messages(one, live, running)
    return published


def _second(
    one: WearerSession, live: ActiveStream, second: Second, *, whole: bool = True
) -> list[messages.Published]:
    live.next_second = second.end
    gaps = live.gaps.add(not whole and second.state == "signal")  # no signal is told as such
    changes = [*live.conditions.second(second), Condition("gaps", gaps, second.end)]
    return alarm_messages(one, live, changes)


def _lose_seconds(one: WearerSession, live: ActiveStream, until: int) -> list[messages.Published]:
    """Note the seconds before ``until`` that are not whole."""
    stream, published = live.stream, list[messages.Published]()
    filled = until - MAX_FILLED * WINDOW
    if filled > live.next_second:
        live.conditions.gap(filled)  # nothing is known of what is passed over: no asystole either
    for start in range(max(live.next_second, filled), until, WINDOW):
        end = start + WINDOW
        mostly_missing = 2 * stream.missing_of(start, end) > WINDOW
        state: SignalState = "absent" if mostly_missing else "signal"
        published += _second(one, live, Second(stream.row, end, state, ()), whole=False)
    return published


def _window(
    one: WearerSession, live: ActiveStream, windows: Windows, i: int, probability: float
) -> list[messages.Published]:
    first, threshold = int(windows.first[i]), live.model.card.threshold
    heart_rate = float(windows.heart_rate[i])
    return [
        *_fill(one, live, first),
        *_report(
            one,
            live,
            first,
            NAMES[windows.state[i]],
            reason=_reason(NAMES[windows.state[i]], settled=bool(windows.settled[i])),
            probability=_known(probability, probability),
            abnormal=_known(probability >= threshold, probability),
            heart_rate=_known(heart_rate, heart_rate),
        ),
    ]


def _fill(one: WearerSession, live: ActiveStream, until: int) -> list[messages.Published]:
    """Report the seconds before ``until`` that could not be classified.

    Samples of them never arrived, or of what the model needs around them.
    """
    stream, published = live.stream, list[messages.Published]()
    for start in range(max(stream.next_window, until - MAX_FILLED * WINDOW), until, WINDOW):
        mostly_missing = 2 * stream.missing_of(start, start + WINDOW) > WINDOW
        state: SignalState = "absent" if mostly_missing else "signal"
        published += _report(one, live, start, state, reason="gap")
    return published


def _report(
    one: WearerSession,
    live: ActiveStream,
    first: int,
    state: SignalState,
    *,
    reason: Reason | None,
    probability: float | None = None,
    abnormal: bool | None = None,
    heart_rate: float | None = None,
) -> list[messages.Published]:
    end = live.stream.next_window = first + WINDOW
    told = alarm_messages(one, live, live.conditions.judged(end, abnormal))
    known = first < live.told_from
    if live.settles_at is not None and end >= live.settles_at:
        told += settle(one, live)
        live.settles_at, live.told_from = None, 0  # what is found out from now on is news
    spikes = live.stream.report_spikes(first, end)
    if known:
        return told
    live.latest = messages.Window(
        wearer=one.wearer,
        stream=live.hello.stream,
        first=first,
        state=state,
        probability=probability,
        abnormal=abnormal,
        heart_rate=heart_rate,
        model=live.model.card.name,
        reason=reason,
        spikes=spikes,
    )
    return [live.latest, *told]


def _reason(state: SignalState, *, settled: bool) -> Reason | None:
    """Return why a second was not classified, None if it was."""
    if state != "signal":
        return state
    return None if settled else "history"


def _known(value: _T, witness: float) -> _T | None:
    """Return the value, or None where its witness is NaN."""
    return None if np.isnan(witness) else value
