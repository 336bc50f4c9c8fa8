"""A wearer under watch, and what is published of one."""

from dataclasses import dataclass

import numpy as np

from ecgmon.bundle import Model
from ecgmon.signal import SignalChain
from ecgmon.wire import messages
from monitor.alerts import Alerts, Transition
from monitor.streams import Stream


@dataclass(eq=False, slots=True)
class Watched:
    """A wearer under watch.

    Parameters
    ----------
    stream : Stream
        What the wearer's device sends.
    hello : messages.Hello
        How the device opened it.
    model : Model
        Judges the wearer.
    chain : SignalChain
        Of all wearers whose models see as much.
    alerts : Alerts
        Of this stream.
    beats, beats_before : int
        Beats of the stream so far, and those before its latest gap.
    refused : str or None
        Why the model in service is not the one that judges.
    """

    stream: Stream
    hello: messages.Hello
    model: Model
    chain: SignalChain
    alerts: Alerts
    beats: int = 0
    beats_before: int = 0
    refused: str | None = None

    def opened(self) -> messages.Opened:
        """Say that the stream is open, and which model judges it."""
        card = self.model.card
        return messages.Opened(
            wearer=self.stream.wearer,
            stream=self.hello.stream,
            lead=self.hello.lead,
            rate=self.hello.rate,
            model=card.name,
            threshold=card.threshold,
            look_ahead_s=card.look_ahead_s,
        )

    def swap(self) -> messages.Swap:
        """Say that the model has changed, or why it has not."""
        return messages.Swap(
            wearer=self.stream.wearer,
            stream=self.hello.stream,
            first=self.stream.next_window,
            model=self.model.card.name,
            threshold=self.model.card.threshold,
            refused=self.refused,
        )

    def link(self, now: float) -> messages.Link:
        """Say how the stream is doing at monotonic time ``now``."""
        stream = self.stream
        return messages.Link(
            wearer=stream.wearer,
            stream=self.hello.stream,
            received=stream.received,
            missing=stream.missing,
            repeated=stream.repeated,
            lag_s=stream.lag(now),
        )

    def alert(self, change: Transition) -> messages.Alert:
        """Say what has become of an alert."""
        return messages.Alert(
            wearer=self.stream.wearer,
            stream=self.hello.stream,
            alert=change.alert,
            kind=change.kind,
            priority=change.priority,
            state=change.state,
            at=change.at,
            text=change.text,
            by=change.by,
        )

    def trace(self, n: int) -> messages.Trace:
        """Return the last ``n`` filtered samples for drawing."""
        filtered = self.chain.recent(self.stream.row, n)
        microvolts = np.clip(filtered * 1000, -32767, 32767).astype("<i2")
        return messages.Trace(
            wearer=self.stream.wearer,
            stream=self.hello.stream,
            first=int(self.chain.next[self.stream.row]) - len(filtered),
            samples=microvolts.tobytes(),
        )
