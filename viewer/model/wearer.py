"""A viewer's state of one wearer, in bounded memory."""

import math
from collections import deque
from typing import Final

import numpy as np
from msgspec import structs

from ecgmon.core.constants import RATE
from ecgmon.wire import messages
from viewer.model.alarm_list import AlarmList, KnownAlarm
from viewer.model.beat_list import BeatList
from viewer.model.trace import Scale, TraceBuffer

WINDOWS: Final = 600
GAPS: Final = 64
STALE_S: Final = 5.0
"""What was said of a wearer longer ago than this is no longer said of now."""
SCALE_WINDOWS: Final = 15
"""Windows of usable signal on which the amplitude scale rests."""
_RETIRED: Final = 8


class ViewState:
    """The newest seconds, minutes and alarms of one wearer.

    Messages may be missing or repeated, and those of the signal out of order, because a viewer
    joins at any time and is dropped from when it is slow. Another wearer's are ignored, and so are
    those of a stream that has been replaced by a newer one.

    Parameters
    ----------
    wearer : str
        Whom to show.
    now : float, optional
        Monotonic time in seconds.

    Attributes
    ----------
    alarm_list : AlarmList
        Alarms and pauses; they outlive the stream.
    trace : TraceBuffer
        The ECG.
    scale : Scale
        The range of millivolts to draw it in.
    opened : messages.Opened or None
        The stream's beginning, unless the view joined later.
    swap : messages.Swap or None
        The newest change of model.
    link : messages.Link or None
        The newest word on the link.
    beats : BeatList
        The newest beats; none where no model judges them.
    gaps : dict of int to int
        The last gaps: first sample, and number of samples.
    gap_count : int
        All gaps heard of.
    closed : bool
        Whether the stream has ended.
    newest : messages.Window or None
        The newest window.
    heard_at : float
        Monotonic time of the last message, at first that of the beginning.
    """

    def __init__(self, wearer: str, now: float = 0.0) -> None:
        self.wearer = wearer
        self.heard_at = now
        self.alarm_list = AlarmList(wearer)
        self._judged_at = now
        self._retired: deque[str] = deque(maxlen=_RETIRED)
        self._begin(None)

    def _begin(self, stream: str | None) -> None:
        self._stream = stream
        self.trace = TraceBuffer()
        self.scale = Scale()
        self.opened: messages.Opened | None = None
        self.swap: messages.Swap | None = None
        self.link: messages.Link | None = None
        self.beats = BeatList()
        self.gaps: dict[int, int] = {}
        self.gap_count = 0
        self.closed = False
        self._windows: list[messages.Window | None] = [None] * WINDOWS
        self.newest: messages.Window | None = None
        self._extents: deque[tuple[float, float]] = deque(maxlen=SCALE_WINDOWS)

    def apply(self, message: messages.ToViewer, now: float = 0.0) -> None:
        """Fold one published message, which arrived at monotonic time ``now``, into the state."""
        if not isinstance(message, messages.Published) or message.wearer != self.wearer:
            return
        match message:
            case messages.Alarm():
                self.alarm_list.alarm(message)
            case messages.Paused():
                self.alarm_list.pause(message)
            case messages.Event():
                pass
            case _:
                self.heard_at = now
                self._of_stream(message, now)

    def _of_stream(self, message: messages.OfStream, now: float) -> None:
        if message.stream != self._stream and not self._follow(message):
            return
        match message:
            case messages.Trace():
                self._trace(message)
            case messages.Window():
                self._window(message)
                self._judged_at = now
            case messages.Beat():
                self.beats.add(message)
            case messages.BeatWithdrawn():
                self.beats.withdraw(message.at)
            case messages.Link():
                self.link = message
            case messages.Gap(judged=False):
                self._gap(message)
            case messages.Opened():
                self.opened, self.closed = message, False
            case messages.Swap():
                self._swap(message)
            case messages.Closed():
                self.closed = True

    def _follow(self, message: messages.OfStream) -> bool:
        """Change to the message's stream, unless that is one of the past."""
        if message.stream in self._retired and not isinstance(message, messages.Opened):
            return False
        if self._stream is not None:
            self._retired.append(self._stream)
        self._begin(message.stream)
        return True

    def _trace(self, message: messages.Trace) -> None:
        complete = len(message.samples) // 2
        microvolts = np.frombuffer(message.samples, dtype="<i2", count=complete)
        self.trace.write(message.first, microvolts)
        if not self._extents and complete:  # nothing has been judged yet: any signal sets the scale
            self.scale.fit(*self.trace.extent(message.first, complete))

    def _window(self, message: messages.Window) -> None:
        if self.newest is None or message.first >= self.newest.first:
            self.newest = message
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

    @property
    def stream(self) -> str | None:
        """The stream followed."""
        return self._stream

    @property
    def clock(self) -> int:
        """Index that follows the newest sample heard of."""
        judged = 0 if self.newest is None else self.newest.first + RATE
        return max(self.trace.end, judged)

    @property
    def model(self) -> str | None:
        """Name of the model that judges the wearer."""
        latest = self.newest or self.opened
        return latest.model if latest else None

    @property
    def lead(self) -> str | None:
        """Name of the lead that is judged: that of the stream, or the second while it is better."""
        return (self.newest and self.newest.lead) or (self.opened.lead if self.opened else None)

    def current(self, now: float) -> messages.Window | None:
        """Return the newest window, unless it is too old to say anything of time ``now``.

        Only the wall clock can tell: a replay may play hundreds of seconds in one.
        """
        lag_s = self.link.lag_s if self.link else 0.0
        stale = max(now - self._judged_at, lag_s) > STALE_S
        return None if stale or self.closed else self.newest

    @property
    def alarms(self) -> list[KnownAlarm]:
        """Known alarms, newest first."""
        return self.alarm_list.alarms

    def window(self, second: int) -> messages.Window | None:
        """Return the window that starts within the given second of the stream, if it is known."""
        known = self._windows[second % WINDOWS]
        return known if known is not None and known.first // RATE == second else None
