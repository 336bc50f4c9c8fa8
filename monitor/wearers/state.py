"""All that a monitor knows of a wearer as bytes, with which another one goes on.

What is configured is not part of it: the other monitor must judge by the same model and limits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import msgspec

from ecgmon.core.errors import StateError
from ecgmon.core.state import Layout, Stateful
from ecgmon.models.bundle import Model
from ecgmon.signal import Geometry, SignalChain
from ecgmon.wire import messages
from ecgmon.wire.fields import Wearer
from monitor.alarms.rules import Rules
from monitor.wearers.session import ActiveStream, WearerSession, conditions
from monitor.wearers.stream import Stream


@dataclass(eq=False, slots=True)
class _SavedStream(Stateful):
    """A stream with its row of the signal chain.

    ``model`` is the SHA-256 of the model that judges it, ``live`` and ``row`` are states.
    """

    layout = Layout(
        "saved stream",
        1,
        hello=messages.Hello,
        model=Annotated[str, msgspec.Meta(max_length=64)],
        live=bytes,
        row=bytes,
    )

    hello: messages.Hello | None = None
    model: str = ""
    live: bytes = b""
    row: bytes = b""


@dataclass(eq=False, slots=True)
class _SavedWearer(Stateful):
    """A wearer, and the state of the stream if there is one."""

    layout = Layout(
        "saved wearer",
        1,
        wearer=Wearer,
        missed=messages.Closed | None,
        missed_since=float,
        alarms=bytes,
        stream=bytes | None,
    )

    wearer: str = ""
    missed: messages.Closed | None = None
    missed_since: float = 0.0
    alarms: bytes = b""
    stream: bytes | None = None


def save(watched: WearerSession) -> bytes:
    """Return all that is known of a wearer; between two calls to the pipeline, at any sample."""
    stream = None
    if live := watched.live:
        row = live.chain.state(live.stream.row)
        saved = _SavedStream(live.hello, live.model.sha256, live.state(), row)
        stream = saved.state()
    alarms = watched.told.alarms.state()
    return _SavedWearer(
        watched.wearer, watched.missed, watched.missed_since, alarms, stream
    ).state()


def load(
    data: bytes,
    rules: Callable[[str], Rules],
    serving: Callable[[str], tuple[Model, str | None]],
    place: Callable[[Geometry], tuple[SignalChain, int]],
    ahead_s: float = 0.0,
) -> WearerSession:
    """Return a wearer with whom this monitor goes on, every later output as in the one before.

    Parameters
    ----------
    data : bytes
        From `save`.
    rules : callable
        Gives the wearer's alarm limits, which must be those of the monitor before.
    serving : callable
        Gives the model that judges the wearer, which must be that of the monitor before, and why
        it is not the one in service.
    place : callable
        Gives the chain of a geometry and a free row of it.
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
    watched = WearerSession(saved.wearer, rules(saved.wearer), saved.missed)
    watched.missed_since = saved.missed_since + ahead_s
    watched.told.alarms.restore(saved.alarms)
    if saved.stream is not None:
        live = watched.live = _stream(watched, saved.stream, serving, place)
        live.stream.shift(ahead_s)
        live.heard += ahead_s
    return watched


def _stream(
    watched: WearerSession,
    data: bytes,
    serving: Callable[[str], tuple[Model, str | None]],
    place: Callable[[Geometry], tuple[SignalChain, int]],
) -> ActiveStream:
    saved = _SavedStream()
    saved.restore(data)
    hello = saved.hello
    if hello is None or hello.wearer != watched.wearer:
        raise StateError(f"The stream in the state of {watched.wearer} is another wearer's.")
    model, refused = serving(watched.wearer)
    if model.sha256 != saved.model:
        raise StateError(
            f"{watched.wearer} was judged by model {saved.model[:12]}, here it is "
            f"{model.sha256[:12]}: put the same model into service first."
        )
    chain, row = place(model.card.geometry)
    live = ActiveStream(
        stream=Stream(hello.wearer, int(hello.stream, 16), row, round(hello.rate * 1000)),
        hello=hello,
        lead="",
        judges=(model,),
        chain=chain,
        conditions=conditions(watched, 0),
        heard=0.0,
        refused=refused,
    )
    live.restore(saved.live)
    chain.restore(row, saved.row)
    if int(chain.next[row]) != _processed(live):
        raise StateError(f"The state of {watched.wearer} does not fit together: save it again.")
    return live


def _processed(live: ActiveStream) -> int:
    """Return the stream index up to which samples are processed."""
    waiting = [*live.recalled, *live.stream.pending]
    return waiting[0].first - waiting[0].missing if waiting else live.stream.end
