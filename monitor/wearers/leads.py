"""Both leads of a stream: kept in step, and which of them is judged.

Each push of a stream with two leads ends with a second, and at the same sample in both. So a change
comes between two seconds, and does not depend on how the leads were cut into frames.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.signal import Second
from ecgmon.wire import messages
from monitor.wearers.active_stream import ActiveStream
from monitor.wearers.conversion import Conversion
from monitor.wearers.pieces import StreamSegment, take
from monitor.wearers.second_lead import LATE, SecondLead
from monitor.wearers.session import WearerSession
from monitor.wearers.stream import Stream

FALLBACK: Final = "second-lead"
"""The kind of alarm that says that the second lead is judged."""
AHEAD: Final = 60 * RATE
"""Most samples of the second lead that wait for the first."""


def hear(active: ActiveStream, lead: str, row: Callable[[int], int]) -> Stream | None:
    """Return where frames of another lead of a stream go; None if that lead is not used.

    Parameters
    ----------
    active : ActiveStream
        The stream.
    lead : str
        The frames' lead. The first other one that the device named is the second lead.
    row : callable
        Gives the row of the signal chains for the second lead of the stream in a row.
    """
    second = active.second
    if second and not second.judged and second.stream.end - active.stream.end > AHEAD:
        second = active.second = None  # what it sent waits in vain: it begins anew
    if second is None:
        others = [one for one in active.hello.leads if one != active.lead]
        if active.backlog or lead not in others[:1]:
            return None
        first = active.stream
        place = row(first.row)
        stream = Stream(first.wearer, first.number, place, first.rate_mhz, first.next)
        active.chain.reset(place, stream.end)
        second = active.second = SecondLead(stream, lead)
    return second.stream if lead == second.lead else None


def leads_of(active: ActiveStream) -> list[Conversion]:
    """Return what has come of each lead of a stream that is heard."""
    second = [active.second.stream.converted] if active.second else []
    return [active.stream.converted, *second]


def is_ripe(active: ActiveStream) -> bool:
    """Tell whether what has come of a lead is to be processed without waiting for more."""
    look_ahead, due, second = active.look_ahead, active.conditions.due, active.second
    # Asked for every stream in every tick.
    if active.stream.converted.is_ripe(look_ahead, due):
        return True
    return second is not None and second.stream.converted.is_ripe(look_ahead, due)


def may_go_on(active: ActiveStream) -> bool:
    """Tell whether more of a stream may be processed at once, after what was last."""
    return active.second is not None or active.stream.converted.has_new


def is_due(active: ActiveStream) -> bool:
    """Tell whether samples of the lead that is judged wait, and may be processed now."""
    judged = active.judged
    if not judged.converted.is_ripe(active.look_ahead, active.conditions.due) or active.backlog:
        return False
    if active.second is None:
        return True
    return bool(judged.pending) and judged.pending[0].first < _until(active)


def due(active: ActiveStream) -> Iterator[tuple[Stream, StreamSegment]]:
    """Yield the next samples of each lead of a stream that may be processed, the judged one first.

    Without a second lead that is all that waits up to the next gap. Else it ends with the second at
    the latest, and no lead goes beyond the other: the judged one waits for it up to `LATE` samples.
    """
    if active.backlog:
        return
    if active.second is None:
        if pending := active.stream.pending:
            yield active.stream, pending.popleft()
        return
    judged, other = active.judged, _other(active, active.second)
    until = _until(active)
    if segment := take(judged.pending, until):
        until = segment.first + sum(map(len, segment.parts))
        yield judged, segment
    elif judged.pending:
        until = min(until, judged.pending[0].first - judged.pending[0].missing)
    if segment := take(other.pending, until):
        yield other, segment


def _other(active: ActiveStream, second: SecondLead) -> Stream:
    """Return the lead that is not judged."""
    return active.stream if second.judged else second.stream


def _until(active: ActiveStream) -> int:
    """Return the stream index up to which the lead that is judged may be processed next."""
    judged, second = active.judged, active.second
    if second is None:
        return judged.end
    other = _other(active, second)
    end = judged.end if judged.end - other.end > LATE else min(judged.end, other.end)
    now = int(active.chain.next[judged.row])
    if judged.pending:
        now = max(now, judged.pending[0].first)  # after a gap
    return min(end, now // WINDOW * WINDOW + WINDOW)


def keep_up(active: ActiveStream, lead: Stream) -> None:
    """Let the lead that is not judged forget what belongs to seconds that are reported."""
    lead.next_window = active.judged.next_window
    lead.converted.report_spikes(0, lead.next_window)


def note_seconds(actives: Iterable[ActiveStream], ended: Sequence[Second]) -> None:
    """Note how both leads of streams were in the seconds that a push has completed."""
    with_two = [active for active in actives if active.second]
    if not with_two:
        return
    of_row: dict[int, dict[int, Second]] = defaultdict(dict)
    for one in ended:
        of_row[one.row][one.end] = one
    for active in with_two:
        if (other := active.second) is not None:
            seconds = of_row[other.stream.row]
            for end, first in of_row[active.stream.row].items():
                if second := seconds.get(end):
                    other.add(first, second)


def change_lead(session: WearerSession, active: ActiveStream) -> list[messages.Published]:
    """Let the other lead be judged where that is better, or where the second comes no more."""
    second = active.second
    if second is None:
        return []
    chain, judged = active.chain, active.judged
    now = int(chain.next[judged.row])
    if second.judged and active.stream.end - second.stream.end > LATE:
        return _change(session, active, second, "it comes no more")
    other = _other(active, second)
    if now % WINDOW or chain.next[other.row] != now or not second.is_to_change(now):
        return []
    return _change(session, active, second, "it is the better one")


def leave_second(session: WearerSession, active: ActiveStream) -> list[messages.Published]:
    """Go on with the first lead alone: the stream ends."""
    second = active.second
    published: list[messages.Published] = []
    if second is not None and second.judged:
        published = _change(session, active, second, "the stream ends")
    active.second = None
    return published


def _change(
    session: WearerSession, active: ActiveStream, second: SecondLead, why: str
) -> list[messages.Published]:
    before = active.judged
    now = int(active.chain.next[before.row])
    active.elapsed()  # the conditions know of the lead's beats, but of none that is new
    second.change(now)
    after = active.judged
    after.next_window = before.next_window
    active.conditions.gap(now)  # its beats are found elsewhere, by some milliseconds
    if active.beats:
        active.beats.move(after.row, now)
    old, new = (active.lead, second.lead) if second.judged else (second.lead, active.lead)
    active.log.info("lead", judged=new, why=why)
    text = f"lead {new} is judged in place of {old}"
    event = messages.Event(
        wearer=session.wearer,
        stream=active.hello.stream,
        event="lead",
        text=f"{text}: {why}",
        time=time.time(),
    )
    alarm = session.alarm_messages.condition(
        FALLBACK,
        second.judged,
        stream=active.hello.stream,
        at=now,
        text=f"{text}: check the electrodes",
    )
    return [event, *alarm]
