"""A wearer under watch, and what is published of one."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from structlog.stdlib import BoundLogger

from ecgmon.core.alarm_kinds import Kind
from ecgmon.core.errors import UsageError
from ecgmon.core.state import NESTED, Index, Layout, Stateful
from ecgmon.models.bundle import Model
from ecgmon.signal import SignalChain
from ecgmon.signal.stillness import STEP_MV
from ecgmon.wire import messages
from ecgmon.wire.fields import Lead
from monitor.alarms.conditions.k_of_n import KOfN
from monitor.alarms.conditions.wearer import WearerConditions
from monitor.alarms.kinds import OF_SIGNAL
from monitor.alarms.messages import AlarmMessages
from monitor.alarms.rules import GAPS, Rules
from monitor.inference.judge import Judge
from monitor.ops.logs import logger
from monitor.wearers.stream import Segments, Stream, StreamSegment

_log = logger(__name__)


@dataclass(eq=False, slots=True)
class ActiveStream(Stateful):
    """What belongs to a wearer's current stream.

    Parameters
    ----------
    stream : Stream
        What the wearer's device sends.
    hello : messages.Hello
        How the device opened it.
    lead : str
        The lead that is used of those it sends.
    judges : tuple of Judge
        What judges the wearer, one for each kind of input; one judges windows.
    chain : SignalChain
        Of all wearers whose models see as much.
    conditions : WearerConditions
        What holds of the signal.
    next_second : int
        Index of the first second whose state is not known.
    told_from : int
        What happened before this index was told before this monitor was restarted.
    settles_at : int or None
        Where the alarms are told what holds: more was judged before a restart than was on disk, so
        that they cannot be told it before the device has sent the rest again.
    latest : messages.Window or None
        The newest window.
    refused : str or None
        Why the model in service is not the one that judges.
    counted, heard : int, float
        Samples taken when last looked, and the monotonic time when any were new.
    gaps : KOfN
        Whether too many seconds are not whole.
    holds : dict of Kind to bool
        What was last found of each condition of this stream.
    recalled : deque of StreamSegment
        Samples in mV at `RATE` from before this monitor was restarted that are not processed yet;
        those of ``stream.pending`` come after them.
    step : float
        What noise of one of the device's counts is in the latest samples, in mV.
    """

    layout = Layout(
        "active stream",
        1,
        ("hello",),
        stream=NESTED,
        lead=Lead,
        conditions=NESTED,
        heard=float,
        next_second=Index,
        told_from=Index,
        settles_at=Index | None,
        latest=messages.Window | None,
        counted=Index,
        gaps=NESTED,
        holds=dict[Kind, bool],
        recalled=Segments,
        step=float,
    )

    stream: Stream
    hello: messages.Hello
    lead: str
    judges: tuple[Judge, ...]
    chain: SignalChain
    conditions: WearerConditions
    heard: float
    next_second: int = 0
    told_from: int = 0
    settles_at: int | None = None
    latest: messages.Window | None = None
    refused: str | None = None
    counted: int = 0
    gaps: KOfN = field(default_factory=lambda: KOfN(GAPS))
    holds: dict[Kind, bool] = field(default_factory=dict)
    recalled: deque[StreamSegment] = field(default_factory=deque)
    step: float = STEP_MV

    @property
    def log(self) -> BoundLogger:
        """What logs of this stream: every line names it and its wearer."""
        return _log.bind(wearer=self.hello.wearer, stream=self.hello.stream)

    @property
    def model(self) -> Model:
        """The judge of windows, whose verdict is published each second."""
        return next(judge for judge in self.judges if isinstance(judge, Model))

    def serve(self, model: Model) -> None:
        """Let another model judge windows from now on; the other judges stay."""
        others = (judge for judge in self.judges if not isinstance(judge, Model))
        self.judges = (model, *others)


@dataclass(eq=False, slots=True)
class WearerSession:
    """A wearer under watch, with or without a stream.

    Parameters
    ----------
    wearer : str
        Who.
    rules : Rules
        What raises and clears the alarms.
    missed : Closed or None
        What ends a stream that is missing since a restart; None if none is.
    missed_since : float
        Monotonic time since when it is.
    """

    wearer: str
    rules: Rules
    missed: messages.Closed | None = None
    missed_since: float = 0.0
    live: ActiveStream | None = None
    told: AlarmMessages = field(init=False)

    def __post_init__(self) -> None:
        self.told = AlarmMessages(self.wearer)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to say of the wearer any more."""
        alarms = self.told.alarms
        return self.live is None and not (alarms.standing or alarms.pauses or self.missed)

    def snapshot(self) -> list[messages.Published]:
        """Say again how the wearer is, for somebody who listens from now on."""
        said = self.told.snapshot()
        if self.live is None:
            return said
        latest = [self.live.latest] if self.live.latest else []
        return [opened(self.live), *latest, *said]


def conditions(watched: WearerSession, first: int) -> WearerConditions:
    """Return what will hold of a wearer's stream from index ``first`` on."""
    found = WearerConditions(watched.rules, watched.told.alarms.holding & OF_SIGNAL)
    found.gap(first)  # of the time before it knows nothing: that is no asystole
    return found


def require_same(hello: messages.Hello, rate_mhz: int, lead: str) -> None:
    """Raise `UsageError` where a hello cannot go on with a stream of this rate and lead.

    Samples are counted at one rate from the stream's beginning, and are of the lead that the
    device was asked for.
    """
    if round(hello.rate * 1000) != rate_mhz:
        raise UsageError(
            f"Stream {hello.stream} of {hello.wearer} has {rate_mhz / 1000:g} samples a second, "
            f"not {hello.rate:g}: take a new stream id for another rate."
        )
    if lead not in hello.leads:
        raise UsageError(
            f"Stream {hello.stream} of {hello.wearer} is lead {lead}, which this hello does not "
            "name: take a new stream id for other leads."
        )


def opened(live: ActiveStream) -> messages.Opened:
    """Say that a stream is open, and which model judges it."""
    card = live.model.card
    return messages.Opened(
        wearer=live.stream.wearer,
        stream=live.hello.stream,
        lead=live.lead,
        rate=live.hello.rate,
        model=card.name,
        threshold=card.threshold,
        look_ahead_s=card.look_ahead_s,
    )


def swap(live: ActiveStream) -> messages.Swap:
    """Say that the model has changed, or why it has not."""
    return messages.Swap(
        wearer=live.stream.wearer,
        stream=live.hello.stream,
        first=live.stream.next_window,
        model=live.model.card.name,
        threshold=live.model.card.threshold,
        refused=live.refused,
    )


def link(live: ActiveStream, now: float) -> messages.Link:
    """Say how a stream is doing at monotonic time ``now``."""
    stream = live.stream
    return messages.Link(
        wearer=stream.wearer,
        stream=live.hello.stream,
        received=stream.received,
        missing=stream.missing,
        repeated=stream.repeated,
        lag_s=stream.clock.lag(now),
        drift_ppm=stream.clock.drift_ppm,
    )


def wrong_rate(live: ActiveStream) -> str:
    """Return what a person reads where a device does not deliver the rate that it declared."""
    return (
        f"the device declares {live.hello.rate:g} samples a second, but about "
        f"{live.stream.delivered.hz or live.hello.rate:.0f} come: heart rates and times are wrong "
        "by as much; set its rate right, or check its network"
    )


def trace(live: ActiveStream, n: int) -> messages.Trace:
    """Return the last ``n`` filtered samples for drawing."""
    filtered = live.chain.recent(live.stream.row, n)
    microvolts = np.clip(filtered * 1000, -32767, 32767).astype("<i2")
    return messages.Trace(
        wearer=live.stream.wearer,
        stream=live.hello.stream,
        first=int(live.chain.next[live.stream.row]) - len(filtered),
        samples=microvolts.tobytes(),
    )
