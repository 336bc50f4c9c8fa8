"""A monitored wearer with the current stream, and messages about them."""

import time
from dataclasses import dataclass, field

import numpy as np

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.errors import UsageError
from ecgmon.wire import messages
from monitor.alarms.alarm_messages import AlarmMessages
from monitor.alarms.conditions.condition_set import WearerConditions
from monitor.alarms.kinds import OF_SIGNAL
from monitor.wearers.active_stream import ActiveStream


@dataclass(eq=False, slots=True)
class WearerSession:
    """A monitored wearer, with or without a stream.

    Parameters
    ----------
    wearer : str
        The wearer's id.
    limits : AlarmLimits
        The wearer's alarm limits.
    unfinished : Closed or None
        Message that will end a stream whose device has not come back since a restart, or since it
        lost its place; None if there is no such stream.
    unfinished_since : float
        Monotonic time since when its device is missing, in seconds.
    active : ActiveStream or None
        The current stream.

    Attributes
    ----------
    alarm_messages : AlarmMessages
        The wearer's alarms.
    """

    wearer: str
    limits: AlarmLimits
    unfinished: messages.Closed | None = None
    unfinished_since: float = 0.0
    active: ActiveStream | None = None
    alarm_messages: AlarmMessages = field(init=False)

    def __post_init__(self) -> None:
        self.alarm_messages = AlarmMessages(self.wearer)

    @property
    def idle(self) -> bool:
        """Whether the wearer has neither a stream nor an alarm or pause, and may be forgotten."""
        alarms = self.alarm_messages.alarms
        return self.active is None and not (alarms.active or alarms.pauses or self.unfinished)

    def snapshot(self) -> list[messages.Published]:
        """Return the wearer's state as messages, for a new viewer."""
        alarms = self.alarm_messages.snapshot()
        if self.active is None:
            return alarms
        latest = [self.active.latest] if self.active.latest else []
        return [opened(self.active), *latest, *alarms]


def conditions(session: WearerSession, first: int) -> WearerConditions:
    """Return the alarm conditions of a wearer's stream that begins at index ``first``."""
    found = WearerConditions(session.limits, session.alarm_messages.alarms.holding & OF_SIGNAL)
    found.gap(first)  # what came before is unknown: that is no asystole
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


def opened(active: ActiveStream) -> messages.Opened:
    """Return the message that a stream is open, and which model judges it."""
    card = active.model.card
    return messages.Opened(
        wearer=active.stream.wearer,
        stream=active.hello.stream,
        lead=active.lead,
        rate=active.hello.rate,
        model=card.name,
        threshold=card.threshold,
        look_ahead_s=card.look_ahead_s,
    )


def swap(active: ActiveStream) -> messages.Swap:
    """Return the message that the model has changed, or why it has not."""
    return messages.Swap(
        wearer=active.stream.wearer,
        stream=active.hello.stream,
        first=active.judged.next_window,
        model=active.model.card.name,
        threshold=active.model.card.threshold,
        refused=active.refused,
    )


def model_event(active: ActiveStream, event: str, text: str) -> messages.Event:
    """Log and return that another model judges from now on, or why it does not."""
    active.log.info(event, model=text)
    return messages.Event(
        wearer=active.stream.wearer,
        stream=active.hello.stream,
        event=event,
        text=text[:500],
        time=time.time(),
    )


def link(active: ActiveStream, now: float) -> messages.Link:
    """Return the message about a stream's connection at monotonic time ``now``."""
    stream = active.stream
    return messages.Link(
        wearer=stream.wearer,
        stream=active.hello.stream,
        received=stream.received,
        missing=stream.missing,
        repeated=stream.repeated,
        lag_s=stream.clock.lag(now),
        drift_ppm=stream.clock.drift_ppm,
        likeness=active.likeness,
    )


def trace(active: ActiveStream, n: int) -> messages.Trace:
    """Return the last ``n`` filtered samples for drawing."""
    row = active.judged.row
    filtered = active.chain.recent(row, n)
    microvolts = np.minimum(np.maximum(filtered * 1000, -32767), 32767).astype("<i2")
    return messages.Trace(
        wearer=active.stream.wearer,
        stream=active.hello.stream,
        first=int(active.chain.next[row]) - len(filtered),
        samples=microvolts.tobytes(),
    )
