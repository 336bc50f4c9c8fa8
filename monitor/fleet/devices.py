"""What a wearer's device has said to a gateway, said again to a monitor."""

import time
from collections import deque
from typing import Final

from ecgmon.wire import messages
from monitor.fleet.portions import Portion
from monitor.fleet.states import WearerRecord
from monitor.ops.logs import logger

RETRY_S: Final = 5.0
"""Wait before a hello is said again that was refused without a time, in seconds."""
ANSWER_S: Final = 10.0
"""A hello that has no answer after so many seconds is said again."""
KEPT: Final = 120
"""Portions that a wearer keeps who finds no place: about so many seconds."""

_log = logger(__name__)


class FleetDevice:
    """Speaks for the device of a wearer: hello, frames once it is welcome, and goodbye.

    Parameters
    ----------
    wearer : str
        Whose.
    saved : WearerRecord or None
        The state with which the wearer goes on.

    Attributes
    ----------
    handed : int
        Number, in the stream of samples, of the last portion that was handed out.
    to_load : WearerRecord or None
        A state that is to be loaded before anything is said.
    kept : bool
        Whether a record of the wearer is in the bucket of states.
    held : int
        Bytes that wait.
    """

    def __init__(self, wearer: str, saved: WearerRecord | None) -> None:
        self.wearer = wearer
        self.handed = saved.number if saved else 0
        self.to_load = saved if saved and saved.state else None
        self.kept = saved is not None
        self.held = 0
        self._portions: deque[tuple[int, Portion]] = deque()
        self._at = 0
        self._open: str | None = None
        self._asked: tuple[str, float] | None = None
        self._ending: tuple[str, int] | None = None
        self._retry_at = float("-inf")
        self.stream = saved.stream if saved else None
        self.end = saved.end if saved else 0
        self.rate = saved.rate if saved else 0.0

    @property
    def waiting(self) -> int | None:
        """Number of the first portion that is not handed out; None if all are."""
        return self._portions[0][0] if self._portions else None

    @property
    def newest(self) -> tuple[str, int]:
        """Stream, and index after the last sample, of the newest portion that waits."""
        for _, portion in reversed(self._portions):
            if portion.frames:
                return portion.hello.stream, portion.stop
        return "", 0

    def put(self, number: int, portion: Portion) -> None:
        """Take the next portion; one that was handed out before is left out."""
        if number > self.handed:
            self._portions.append((number, portion))
            self.held += portion.size

    def next(self, now: float) -> bytes | None:
        """Return what is to be said next, None if that waits for an answer, or nothing is."""
        if self._asked and now - self._asked[1] < ANSWER_S:
            return None
        if self._ending or now < self._retry_at:
            return None
        while self._portions:
            number, portion = self._portions[0]
            hello = portion.hello
            if hello.stream != self._open:
                self._asked = hello.stream, now
                return messages.encode(hello)
            if self._at < len(portion.frames):
                self._at += 1
                if self._at == len(portion.frames) and portion.end is None:
                    self._done(number, portion)
                    return portion.frames[-1]
                return portion.frames[self._at - 1]
            if portion.end is not None:
                self._ending = hello.stream, portion.end
                return messages.encode(messages.Bye(stream=hello.stream, end=portion.end))
            self._done(number, portion)
        return None

    def take(self, answer: messages.ToDevice | messages.ToViewer) -> None:
        """Take the monitor's answer."""
        match answer:
            case messages.Welcome(stream=stream):
                if self._asked and self._asked[0] == stream:
                    self._open, self._asked = stream, None
            case messages.Ack(stream=stream, next=index):
                if self._ending and self._ending[0] == stream and index >= self._ending[1]:
                    self._ended()
            case messages.Refused(reason=reason, retry_s=retry_s):
                self._refused(reason, retry_s or RETRY_S)

    def _refused(self, reason: str, retry_s: float) -> None:
        _log.warning("portion-refused", wearer=self.wearer, reason=reason)
        if self._ending:  # its stream is over already
            self._ended()
            return
        self._open = self._asked = None
        self._at = 0
        self._retry_at = time.monotonic() + retry_s
        while len(self._portions) > KEPT:
            self._done(*self._portions[0])

    def _ended(self) -> None:
        self._open = self._ending = None
        self._done(*self._portions[0])

    def _done(self, number: int, portion: Portion) -> None:
        """Note that a portion is handed out."""
        self._portions.popleft()
        self._at, self.handed = 0, number
        self.held -= portion.size
        self.stream, self.rate = portion.hello.stream, portion.hello.rate
        if portion.frames:
            self.end = portion.stop
