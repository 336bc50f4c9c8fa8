"""What the view knows of one wearer: published messages folded into bounded memory."""

import math
from collections import deque
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from msgspec import structs

from ecgmon.grid import RATE
from ecgmon.wire import messages
from monitor.view.trace import Scale, Trace

WINDOWS: Final = 600
ALERTS: Final = 50
GAPS: Final = 64
STALE_S: Final = 5.0
"""What was said of a wearer longer ago than this is no longer said of now."""
SCALE_WINDOWS: Final = 15
"""Windows of usable signal on which the amplitude scale rests."""
_RETIRED: Final = 8
_PROGRESS: Final = ("raised", "acknowledged", "cleared")


@dataclass(frozen=True, slots=True)
class KnownAlert:
    """An alert as last heard of.

    Parameters
    ----------
    message : messages.Alert
        Its furthest state.
    since : int
        The earliest sample at which it was heard of.
    """

    message: messages.Alert
    since: int

    @property
    def standing(self) -> bool:
        """Whether its condition holds, acknowledged or not."""
        return self.message.state != "cleared"

    def then(self, message: messages.Alert) -> Self:
        """Return the alert after one more message, of which the order of arrival is not known.

        An alert only moves forward. What is raised after all that is known of the alert is a new
        one under an old number, as after a restart, and must not pass for one already cleared.
        """
        if message.state == "raised" and message.at > self.message.at:
            return replace(self, message=message, since=message.at)
        if self.message.state == "raised" and message.at < self.since:
            return self  # of an earlier alert of this number
        newer = _PROGRESS.index(message.state) > _PROGRESS.index(self.message.state)
        since = min(self.since, message.at)
        return replace(self, message=message if newer else self.message, since=since)


class ViewState:
    """The newest seconds, minutes and alerts of one wearer.

    Messages may be missing, repeated or out of order, because a subscriber joins at any time and
    is dropped from when it is slow. Another wearer's are ignored, and so are those of a stream
    that has been replaced by a newer one.

    Parameters
    ----------
    wearer : str, optional
        Whom to show; without it, the first wearer heard of.
    now : float, optional
        Monotonic time in seconds.

    Attributes
    ----------
    trace : Trace
        The ECG.
    scale : Scale
        The range of millivolts to draw it in.
    opened : messages.Opened or None
        The stream's beginning, unless the view joined later.
    swap : messages.Swap or None
        The newest change of model.
    link : messages.Link or None
        The newest word on the link.
    gaps : dict of int to int
        The last gaps: first sample, and number of samples.
    gap_count : int
        All gaps heard of.
    closed : bool
        Whether the stream has ended.
    heard_at : float
        Monotonic time of the last message, at first that of the beginning.
    """

    def __init__(self, wearer: str | None = None, now: float = 0.0) -> None:
        self.wearer = wearer
        self.heard_at = now
        self._judged_at = now
        self._alerts: dict[tuple[str, int], KnownAlert] = {}
        self._retired: deque[str] = deque(maxlen=_RETIRED)
        self._begin(None)

    def _begin(self, stream: str | None) -> None:
        self._stream = stream
        self.trace = Trace()
        self.scale = Scale()
        self.opened: messages.Opened | None = None
        self.swap: messages.Swap | None = None
        self.link: messages.Link | None = None
        self.gaps: dict[int, int] = {}
        self.gap_count = 0
        self.closed = False
        self._windows: list[messages.Window | None] = [None] * WINDOWS
        self._newest: messages.Window | None = None
        self._extents: deque[tuple[float, float]] = deque(maxlen=SCALE_WINDOWS)

    def apply(self, message: messages.Published, now: float = 0.0) -> None:
        """Fold one published message, which arrived at monotonic time ``now``, into the state."""
        self.wearer = self.wearer or message.wearer
        if message.wearer != self.wearer:
            return
        self.heard_at = now
        if isinstance(message, messages.Alert):  # an alert outlives the stream that raised it
            self._alert(message)
            return
        if message.stream != self._stream and not self._follow(message):
            return
        match message:
            case messages.Trace():
                self._trace(message)
            case messages.Window():
                self._window(message)
                self._judged_at = now
            case messages.Link():
                self.link = message
            case messages.Gap():
                self._gap(message)
            case messages.Opened():
                self.opened, self.closed = message, False
            case messages.Swap():
                self._swap(message)
            case messages.Closed():
                self.closed = True

    def _follow(self, message: messages.Published) -> bool:
        """Change to the message's stream, unless that is one of the past."""
        if message.stream in self._retired and not isinstance(message, messages.Opened):
            return False
        if self._stream is not None:
            self._retired.append(self._stream)
        self._begin(message.stream)
        return True

    def _trace(self, message: messages.Trace) -> None:
        whole = len(message.samples) // 2
        microvolts = np.frombuffer(message.samples, dtype="<i2", count=whole)
        self.trace.write(message.first, microvolts)
        if not self._extents and whole:  # nothing has been judged yet: any signal sets the scale
            self.scale.fit(*self.trace.extent(message.first, whole))

    def _window(self, message: messages.Window) -> None:
        if self._newest is None or message.first >= self._newest.first:
            self._newest = message
        slot = message.first // RATE % WINDOWS
        known = self._windows[slot]
        if known is None or message.first >= known.first:
            self._windows[slot] = message
        # Only signal sets the scale: a burst of noise must not flatten the beats around it.
        low, high = self.trace.extent(message.first, RATE)
        if message.state == "signal" and not math.isnan(low):
            self._extents.append((low, high))
            lows, highs = zip(*self._extents, strict=True)
            self.scale.fit(min(lows), max(highs))

    def _swap(self, message: messages.Swap) -> None:
        if self.swap is not None and message.first < self.swap.first:
            return
        self.swap = message
        if self.opened:
            self.opened = structs.replace(
                self.opened, model=message.model, threshold=message.threshold
            )

    def _gap(self, message: messages.Gap) -> None:
        self.gap_count += message.first not in self.gaps
        self.gaps[message.first] = message.count
        if len(self.gaps) > GAPS:
            del self.gaps[min(self.gaps)]

    def _alert(self, message: messages.Alert) -> None:
        key = message.stream, message.alert
        known = self._alerts.pop(key, None)
        self._alerts[key] = known.then(message) if known else KnownAlert(message, message.at)
        if len(self._alerts) > ALERTS:
            cleared = (key for key, alert in self._alerts.items() if not alert.standing)
            del self._alerts[next(cleared, next(iter(self._alerts)))]

    @property
    def clock(self) -> int:
        """Index that follows the newest sample heard of."""
        judged = 0 if self._newest is None else self._newest.first + RATE
        return max(self.trace.end, judged)

    @property
    def model(self) -> str | None:
        """Name of the model that judges the wearer."""
        spoken = self._newest or self.opened
        return spoken.model if spoken else None

    def current(self, now: float) -> messages.Window | None:
        """Return the newest window, unless it is too old to say anything of time ``now``.

        Only the wall clock can tell: a replay may play hundreds of seconds in one.
        """
        lag_s = self.link.lag_s if self.link else 0.0
        stale = max(now - self._judged_at, lag_s) > STALE_S
        return None if stale or self.closed else self._newest

    @property
    def alerts(self) -> list[KnownAlert]:
        """Known alerts, newest first: this stream's, then those of streams before it."""

        def age(alert: KnownAlert) -> tuple[bool, int]:
            return alert.message.stream == self._stream, alert.since

        return sorted(self._alerts.values(), key=age, reverse=True)

    def window(self, second: int) -> messages.Window | None:
        """Return the window that starts within the given second of the stream, if it is known."""
        known = self._windows[second % WINDOWS]
        return known if known is not None and known.first // RATE == second else None
