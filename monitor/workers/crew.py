"""The workers as processes: they are started, watched, ended, and replaced."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from monitor.ops.logs import logger
from monitor.workers.link import WordLink
from monitor.workers.order import WorkerOrder
from monitor.workers.words import FROM_WORKER, End, FromFront, FromWorker, Reload

HUNG_S: Final = 10.0
"""A worker that has not kept up for so long, in seconds, is ended and replaced..."""
START_S: Final = 60.0
"""...and one that has not started within so many."""
ABORT_S: Final = 1.0
"""After so many seconds more it is killed: SIGABRT has it say in the log where it hung."""
SETTLED_S: Final = 60.0
"""A worker that lives for so long, in seconds, was not started in vain."""
LAST_S: Final = 0.2
"""A worker that has closed its link is killed after so many seconds."""
KILLED_S: Final = 0.5
"""Longest wait for a process that was killed, in seconds."""
FIRST_PAUSE_S: Final = 1.0
LAST_PAUSE_S: Final = 60.0
"""Pause before a worker is started whose predecessors did not: longer after each, in seconds."""

_log = logger(__name__)


@dataclass(eq=False, slots=True)
class CrewMember:
    """A worker's process.

    Parameters
    ----------
    number : int
        Its number; none is used twice.
    process : subprocess.Popen
        The process.
    link : WordLink
        To it.
    started, alive : float
        When it was started, and kept up last, monotonic time in seconds.
    ready : bool
        Whether it has said that it is.
    aborted : float or None
        When it was told to end because it hangs.
    """

    number: int
    process: "subprocess.Popen[bytes]"
    link: WordLink[FromWorker]
    started: float
    alive: float
    ready: bool = False
    aborted: float | None = None


class Crew:
    """Starts as many workers as are wanted, and others in the place of those that end.

    Parameters
    ----------
    wanted : int
        How many.
    order : callable
        Returns the order of a worker, by the descriptors of its link and of the journal's lock.
    lock : int
        Descriptor of the journal's lock: workers have it, too, so that no other monitor takes the
        journal before all have ended.

    Attributes
    ----------
    wanted : int
        The same.
    members : dict of int to CrewMember
        Those that run, by number.
    ending : bool
        Whether all have been asked to end.
    """

    def __init__(self, wanted: int, order: Callable[[int, int], WorkerOrder], lock: int) -> None:
        self._order = order
        self._lock = lock
        self.wanted = wanted
        self._number = 0
        self._pause_s = 0.0
        self._start_at = 0.0
        self.members: dict[int, CrewMember] = {}
        self.ending = False

    @property
    def failing(self) -> bool:
        """Whether workers end again and again, before they have been of use."""
        return self._pause_s > FIRST_PAUSE_S

    def start_missing(self, now: float) -> list[CrewMember]:
        """Start workers in the place of those that have ended, once their pause is over."""
        started = []
        while not self.ending and now >= self._start_at and len(self.members) < self.wanted:
            started.append(self._start(now))
        return started

    def say(self, number: int, word: FromFront) -> None:
        """Say something to a worker with the next `flush`."""
        if member := self.members.get(number):
            member.link.say(word)

    def flush(self) -> None:
        """Send what was said."""
        for member in self.members.values():
            member.link.flush()

    def reload(self) -> None:
        """Let all read the configuration again."""
        for number in self.members:
            self.say(number, Reload())

    def heard(self) -> Iterator[tuple[CrewMember, FromWorker]]:
        """Yield what workers say; that of one that has ended, too."""
        for member in list(self.members.values()):
            for word in member.link.hear():
                yield member, word

    def take_ended(self, now: float) -> list[CrewMember]:
        """Return the workers that have ended since the last call; all they said was heard."""
        ended = [one for one in self.members.values() if one.link.ended]
        for member in ended:
            member.link.close()
            del self.members[member.number]
            code = _ended(member.process, 0.0 if self.ending else LAST_S)
            if self.ending:  # it had written all it had
                continue
            _log.error("worker-ended", worker=member.number, pid=member.process.pid, code=code)
            if now - member.started < SETTLED_S:
                self._pause_s = min(max(2 * self._pause_s, FIRST_PAUSE_S), LAST_PAUSE_S)
            self._start_at = now + self._pause_s
        return ended

    def look(self, now: float) -> None:
        """End workers that hang; call it about once a second."""
        for member in self.members.values():
            silent_s = now - member.alive
            if member.ready and now - member.started > SETTLED_S:
                self._pause_s = 0.0
            if silent_s < (HUNG_S if member.ready else START_S):
                continue
            if member.aborted is None:
                member.aborted = now
                _log.error("worker-hangs", worker=member.number, seconds=round(silent_s))
                member.process.send_signal(signal.SIGABRT)
            elif now - member.aborted > ABORT_S:
                member.process.kill()

    def end(self) -> None:
        """Ask all to write what they have, and to end; no other is started."""
        self.ending = True
        for member in self.members.values():
            if not member.ready:  # it has nothing yet
                member.process.kill()
            member.link.say(End())
        self.flush()

    def kill(self) -> None:
        """End all that are left at once."""
        for member in self.members.values():
            _ended(member.process, 0.0)
            member.link.close()
        self.members.clear()

    def _start(self, now: float) -> CrewMember:
        ours, theirs = socket.socketpair()
        with theirs:
            order = self._order(theirs.fileno(), self._lock)
            process = subprocess.Popen(  # noqa: S603 - this very program
                [sys.executable, "-P", "-m", "monitor.workers.process", msgspec.json.encode(order)],
                pass_fds=(theirs.fileno(), self._lock),
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the front alone
            )
        self._number += 1
        member = CrewMember(self._number, process, WordLink(ours, FROM_WORKER), now, now)
        self.members[self._number] = member
        _log.info("worker-started", worker=self._number, pid=process.pid)
        return member


def _ended(process: "subprocess.Popen[bytes]", timeout_s: float) -> int | None:
    """Wait a moment for the end of a process, then kill it; returns how it ended.

    None where the disk hangs so that it cannot even be killed: nothing waits for it.
    """
    for wait_s in (timeout_s, KILLED_S):
        try:
            return process.wait(wait_s)
        except subprocess.TimeoutExpired:
            process.kill()
    return None
