"""Lifecycle of a stream: it begins, changes its model, loses its place, and ends."""

import time
from collections.abc import Callable, Collection
from typing import Final

from ecgmon.core.alarm_limits import GAP_LIMIT
from ecgmon.models.bundle import Model
from ecgmon.signal import SignalChain
from ecgmon.wire import messages
from monitor.alarms.conditions.atrial import KIND as ATRIAL_FIBRILLATION
from monitor.alarms.conditions.atrial import AtrialRhythm
from monitor.alarms.conditions.k_of_n import KOfN
from monitor.alarms.kinds import OF_SIGNAL
from monitor.inference.incremental import IncrementalWindows
from monitor.wearers.active_stream import ActiveStream
from monitor.wearers.leads import FALLBACK, leave_second
from monitor.wearers.pipeline import advance
from monitor.wearers.recovery import queue_tail, recover
from monitor.wearers.reports import alarm_messages
from monitor.wearers.session import WearerSession, conditions, link, opened, swap
from monitor.wearers.stream import Stream
from monitor.wearers.stream_tail import StreamTail
from monitor.wearers.usual_beat import change_likeness

NEEDED: Final = "its device is silent, and another one needed the place"
"""Why a place is taken away, where it is not for overload."""


def made(
    session: WearerSession,
    stream: Stream,
    hello: messages.Hello,
    lead: str,
    model: Model,
    chain: SignalChain,
    windows: IncrementalWindows,
    now: float,
) -> ActiveStream:
    """Return a new stream of a wearer, whose windows a model judges; its row begins anew."""
    chain.reset(stream.row, stream.end)
    holding = session.alarm_messages.alarms.holding
    return ActiveStream(
        stream=stream,
        hello=hello,
        lead=lead,
        model=model,
        chain=chain,
        windows=windows,
        conditions=conditions(session, stream.end),
        last_received=now,
        next_second=stream.next_window,
        gaps=KOfN(GAP_LIMIT, "gaps" in holding),
        atrial=AtrialRhythm(ATRIAL_FIBRILLATION in holding),
    )


def begin(
    session: WearerSession, active: ActiveStream, tail: StreamTail | None
) -> list[messages.Published]:
    """Let a stream be a wearer's current one, with what is on disk of it."""
    session.active, session.unfinished = active, None
    published = [
        opened(active),
        *no_model(session),
        *session.alarm_messages.condition(FALLBACK, False),
    ]
    if not active.model.card.usual_beat:
        published += _compare_anew(session, active)
    if tail is not None:
        queue_tail(active, tail)
    return published


def end(session: WearerSession, sessions: Collection[WearerSession]) -> list[messages.Published]:
    """Process what is pending of a wearer's stream, and end it and its alarms.

    Parameters
    ----------
    session : WearerSession
        The wearer, with a current or an unfinished stream or without any.
    sessions : collection of WearerSession
        All wearers: if a recovery must be finished first, all are recovered together, since that
        takes hardly longer than one.
    """
    published: list[messages.Published] = []
    if active := session.active:
        stream = active.stream
        while active.backlog:
            published += recover(sessions)
        published += leave_second(session, active)
        published += advance([session], lambda _: False)
        active.log.info("closed", end=stream.end)
        published += [
            link(active, active.last_received),
            messages.Closed(wearer=session.wearer, stream=active.hello.stream, end=stream.end),
        ]
    elif session.unfinished:
        published.append(session.unfinished)
    session.active, session.unfinished = None, None
    for kind in (*OF_SIGNAL, "silent", "lag", "rate", "no-model", FALLBACK):
        published += session.alarm_messages.condition(kind, False)
    return published


def set_aside(session: WearerSession, now: float, why: str = NEEDED) -> list[messages.Published]:
    """Take a device's place away; the wearer's alarms stay.

    From then on the wearer is as after a restart: the samples are on disk, and a device that comes
    back goes on with its stream. If none does, the wearer is forgotten as any other.

    Parameters
    ----------
    session : WearerSession
        The wearer.
    now : float
        Monotonic time in seconds.
    why : str
        What people read of it.
    """
    active = session.active
    if active is None:
        return []
    published = leave_second(session, active)
    published += advance([session], lambda _: False)
    stream = active.hello.stream
    session.unfinished = messages.Closed(
        wearer=session.wearer, stream=stream, end=active.stream.end
    )
    session.active, session.unfinished_since = None, active.last_received
    active.log.warning("place-given-up", why=why)
    event = messages.Event(
        wearer=session.wearer,
        stream=stream,
        event="place-lost",
        text=why,
        time=time.time(),
    )
    return [*published, link(active, now), event]


def change_model(
    session: WearerSession, serving: Callable[[str, Model], tuple[Model, str | None]]
) -> list[messages.Published]:
    """Let the model that is in service by now judge a wearer, if it can.

    Parameters
    ----------
    session : WearerSession
        The wearer; without a stream, and during a recovery, nothing changes.
    serving : callable
        Gives the model that judges from now on, by wearer and the model that judges so far; and
        why it is not the model in service.
    """
    active = session.active
    if active is None or active.backlog:
        return []
    model, refused = serving(session.wearer, active.model)
    is_other = model.sha256 != active.model.sha256
    is_new = is_other or (refused and refused != active.refused)
    active.model = model
    active.refused = refused
    published = no_model(session)
    if is_other:  # it was fitted to another usual beat
        published += _compare_anew(session, active)
    if is_new:
        active.log.info("model", model=model.card.name, sha256=model.sha256[:12], refused=refused)
        published.append(swap(active))
    return published


def _compare_anew(session: WearerSession, active: ActiveStream) -> list[messages.Published]:
    """End the alarm about the usual beat: there is none to compare with, or another one."""
    changes = change_likeness(active, active.judged.next_window, None)
    return alarm_messages(session, active, changes)


def no_model(session: WearerSession) -> list[messages.Published]:
    """Return the alarm that a model in service is not the one that judges a wearer's stream."""
    refused = session.active.refusal if session.active else None
    return session.alarm_messages.condition("no-model", refused is not None, text=refused)
