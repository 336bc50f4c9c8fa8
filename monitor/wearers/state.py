"""The state of a wearer as bytes, with which another monitor goes on.

What is configured is not part of it: the other monitor must judge by the same model and limits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import msgspec

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.errors import StateError
from ecgmon.core.state import Layout, Stateful
from ecgmon.models.atrial_bundle import AtrialModel
from ecgmon.models.beat_bundle import BeatModel
from ecgmon.models.bundle import Model
from ecgmon.models.rhythm_bundle import RhythmModel
from ecgmon.signal import Geometry, SignalChain
from ecgmon.wire import messages
from ecgmon.wire.fields import Lead, Wearer
from monitor.inference.incremental import IncrementalWindows
from monitor.inference.judge import Judge
from monitor.wearers.active_stream import ActiveStream
from monitor.wearers.second_lead import SecondLead
from monitor.wearers.session import WearerSession, conditions
from monitor.wearers.stream import Stream


@dataclass(eq=False, slots=True)
class _SavedStream(Stateful):
    """A stream with its row of the signal chain.

    ``model`` is the SHA-256 of the model that judges it, ``active`` and ``row`` are states;
    ``beat_model``, ``beats`` and ``segments`` are the same of its beats, ``rhythm_model`` and
    ``atrial_model`` are the models of its rhythms; empty where they are not judged. ``second_lead``
    is the name of the second lead if there is one, the last two are its state and that of its row.
    """

    layout = Layout(
        "saved stream",
        4,
        hello=messages.Hello,
        model=Annotated[str, msgspec.Meta(max_length=64)],
        active=bytes,
        row=bytes,
        beat_model=Annotated[str, msgspec.Meta(max_length=64)],
        beats=bytes,
        segments=bytes,
        rhythm_model=Annotated[str, msgspec.Meta(max_length=64)],
        atrial_model=Annotated[str, msgspec.Meta(max_length=64)],
        second_lead=Lead | None,
        second=bytes,
        second_row=bytes,
    )

    hello: messages.Hello | None = None
    model: str = ""
    active: bytes = b""
    row: bytes = b""
    beat_model: str = ""
    beats: bytes = b""
    segments: bytes = b""
    rhythm_model: str = ""
    atrial_model: str = ""
    second_lead: str | None = None
    second: bytes = b""
    second_row: bytes = b""


@dataclass(eq=False, slots=True)
class _SavedWearer(Stateful):
    """A wearer, and the state of the stream if there is one."""

    layout = Layout(
        "saved wearer",
        1,
        wearer=Wearer,
        unfinished=messages.Closed | None,
        unfinished_since=float,
        alarms=bytes,
        stream=bytes | None,
    )

    wearer: str = ""
    unfinished: messages.Closed | None = None
    unfinished_since: float = 0.0
    alarms: bytes = b""
    stream: bytes | None = None


def save(session: WearerSession) -> bytes:
    """Return the state of a wearer; call it between two calls to the pipeline, at any sample."""
    stream = None
    if active := session.active:
        row = active.chain.state(active.stream.row)
        saved = _SavedStream(active.hello, active.model.sha256, active.state(), row)
        saved.rhythm_model = _checksum(active, RhythmModel)
        saved.atrial_model = _checksum(active, AtrialModel)
        if active.beats:
            saved.beat_model, saved.beats = _checksum(active, BeatModel), active.beats.state()
            saved.segments = active.beats.stack.state(active.beats.row)
        if active.second:
            saved.second_lead, saved.second = active.second.lead, active.second.state()
            saved.second_row = active.chain.state(active.second.stream.row)
        stream = saved.state()
    alarms = session.alarm_messages.alarms.state()
    return _SavedWearer(
        session.wearer, session.unfinished, session.unfinished_since, alarms, stream
    ).state()


def load(
    data: bytes,
    limits: Callable[[str], AlarmLimits],
    serving: Callable[[str], tuple[Model, str | None]],
    place: Callable[[Geometry], tuple[SignalChain, IncrementalWindows, int]],
    second_row: Callable[[int], int],
    take_up: Callable[[ActiveStream], object],
    ahead_s: float = 0.0,
) -> WearerSession:
    """Return a wearer with whom this monitor goes on, every later output as in the one before.

    Parameters
    ----------
    data : bytes
        From `save`.
    limits : callable
        Gives the wearer's alarm limits, which must be those of the monitor before.
    serving : callable
        Gives the model that judges the wearer, which must be that of the monitor before, and why
        it is not the one in service.
    place : callable
        Gives the chain of a geometry, what judges its windows, and a free row of both.
    second_row : callable
        Gives the row for the second lead of the stream in a row.
    take_up : callable
        Gives a stream the models that judge its beats and rhythms, which must be those of the
        monitor before.
    ahead_s : float
        Seconds by which the monotonic clock here is ahead of that of the monitor before; 0 on the
        same machine.

    Raises
    ------
    StateError
        If it is no state of a wearer, or of one who is watched in another way here.
    """
    saved = _SavedWearer()
    saved.restore(data)
    session = WearerSession(saved.wearer, limits(saved.wearer), saved.unfinished)
    session.unfinished_since = saved.unfinished_since + ahead_s
    session.alarm_messages.alarms.restore(saved.alarms)
    if saved.stream is not None:
        active = _stream(session, saved.stream, serving, place, second_row, take_up)
        session.active = active
        active.stream.shift(ahead_s)
        if active.second:
            active.second.stream.shift(ahead_s)
        active.last_received += ahead_s
    return session


def _stream(
    session: WearerSession,
    data: bytes,
    serving: Callable[[str], tuple[Model, str | None]],
    place: Callable[[Geometry], tuple[SignalChain, IncrementalWindows, int]],
    second_row: Callable[[int], int],
    take_up: Callable[[ActiveStream], object],
) -> ActiveStream:
    saved = _SavedStream()
    saved.restore(data)
    hello = saved.hello
    if hello is None or hello.wearer != session.wearer:
        raise StateError(f"The stream in the state of {session.wearer} is another wearer's.")
    model, refused = serving(session.wearer)
    _require_same(session.wearer, saved.model, model.sha256)
    chain, windows, row = place(model.card.geometry)
    active = ActiveStream(
        stream=Stream(hello.wearer, int(hello.stream, 16), row, round(hello.rate * 1000)),
        hello=hello,
        lead="",
        model=model,
        chain=chain,
        windows=windows,
        conditions=conditions(session, 0),
        last_received=0.0,
        refused=refused,
    )
    if saved.second_lead is not None:
        number, rate_mhz = active.stream.number, active.stream.rate_mhz
        second = Stream(hello.wearer, number, second_row(row), rate_mhz)
        active.second = SecondLead(second, saved.second_lead)
        active.second.restore(saved.second)
        chain.restore(second.row, saved.second_row)
    take_up(active)
    _require_same(session.wearer, saved.beat_model, _checksum(active, BeatModel))
    _require_same(session.wearer, saved.rhythm_model, _checksum(active, RhythmModel))
    _require_same(session.wearer, saved.atrial_model, _checksum(active, AtrialModel))
    active.restore(saved.active)
    chain.restore(row, saved.row)
    if active.beats:
        active.beats.restore(saved.beats)
        active.beats.stack.restore(active.beats.row, saved.segments)
    if int(chain.next[row]) != _processed(active):
        raise StateError(f"The state of {session.wearer} does not fit together: save it again.")
    return active


def _checksum(active: ActiveStream, kind: type[Judge]) -> str:
    """Return the SHA-256 of the model of a kind that judges a stream, empty for none."""
    judge = active.judge_of(kind)
    return judge.sha256 if judge else ""


def _require_same(wearer: str, before: str, here: str) -> None:
    """Raise `StateError` where another model judges here than before, by their SHA-256."""
    if before != here:
        raise StateError(
            f"{wearer} was judged by model {before[:12] or 'none'}, here it is "
            f"{here[:12] or 'none'}: put the same model into service first."
        )


def _processed(active: ActiveStream) -> int:
    """Return the stream index up to which samples are processed."""
    waiting = [*active.backlog, *active.stream.pending]
    return waiting[0].first - waiting[0].missing if waiting else active.stream.end
