"""Frames that a device holds until the monitor has acknowledged them."""

from collections import deque

from replay.player.schedule import Outgoing


class RetransmitBuffer:
    """Frames in the order of time, those that this connection carried before those it did not.

    Attributes
    ----------
    start, end : int
        Nothing before sample ``start`` is kept, and nothing from ``end`` on was taken yet.
    sent, resent, acknowledged, dropped : int
        Samples so far: sent for the first time, sent again, acknowledged, and given up to make
        room before they were.
    """

    def __init__(self) -> None:
        self._sent: deque[Outgoing] = deque()
        self._waiting: deque[Outgoing] = deque()
        self._from = 0
        self._reached = 0
        self.start = self.end = 0
        self.sent = self.resent = self.acknowledged = self.dropped = 0

    def __bool__(self) -> bool:
        return bool(self._sent or self._waiting)

    @property
    def waiting(self) -> bool:
        """Whether there is anything to send."""
        self._skip()
        return bool(self._waiting)

    @property
    def span(self) -> int:
        """Samples from the oldest kept to the newest."""
        return self.end - self.start

    @property
    def in_flight(self) -> int:
        """Samples from the first that the monitor has not judged to the last sent."""
        return max(self._sent[-1].end - max(self.start, self._from), 0) if self._sent else 0

    def take(self, frame: Outgoing) -> None:
        """Keep a frame that follows all others."""
        self._waiting.append(frame)
        self.end = frame.end

    def drop_oldest(self) -> None:
        """Give up the oldest frame."""
        frame = (self._sent or self._waiting).popleft()
        self.start = frame.end
        self.dropped += len(frame.samples)

    def send(self) -> Outgoing:
        """Return the next frame to send, if any is `waiting`; it is kept."""
        self._skip()
        frame = self._waiting.popleft()
        self._sent.append(frame)
        if frame.end > self._reached:
            self._reached = frame.end
            self.sent += len(frame.samples)
        else:
            self.resent += len(frame.samples)
        return frame

    def acknowledge(self, index: int) -> None:
        """Forget the frames before sample ``index``."""
        for frames in (self._sent, self._waiting):
            while frames and frames[0].end <= index:
                self.acknowledged += len(frames.popleft().samples)
        self.start = max(self.start, min(index, self.end))

    def see(self, index: int) -> None:
        """Note that the monitor has judged what lies before sample ``index``.

        It need not be sent, but is kept: the monitor has it, perhaps not on disk.
        """
        self._from = max(self._from, index)

    def resume(self, index: int) -> None:
        """Send all again from sample ``index`` on; what lies before is kept, but not sent."""
        self._waiting.extendleft(reversed(self._sent))
        self._sent.clear()
        self._from = index

    def _skip(self) -> None:
        while self._waiting and self._waiting[0].end <= self._from:
            self._sent.append(self._waiting.popleft())
