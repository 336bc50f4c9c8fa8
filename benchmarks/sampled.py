"""The command line with a sampled profile: which code uses the CPU time of each thread.

    python benchmarks/sampled.py profile.json serve

SIGUSR1 begins, SIGUSR2 ends and writes. A timer of the process's CPU time interrupts the main
thread; a sample weighs as much CPU time as its thread has used since the one before, so that a call
into C, which delays the interrupt until it is over, counts whole. What other threads do is looked
at when the main thread is interrupted, and therefore where they give the interpreter away.
"""

import json
import signal
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import CodeType, FrameType
from typing import Final

EVERY_S: Final = 0.005
Stack = tuple[CodeType, ...]


class StageSampler:
    """Counts CPU time by thread and stack.

    Parameters
    ----------
    path : Path
        Where the profile is written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._spent: dict[tuple[str, Stack], float] = defaultdict(float)
        self._clocks: dict[int, float] = {}
        self._own_s = 0.0

    def begin(self, *_: object) -> None:
        """Start counting from zero."""
        self._spent.clear()
        self._own_s = 0.0
        self._clocks = {ident: _cpu(ident) for ident in sys._current_frames()}
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def end(self, *_: object) -> None:
        """Stop, and write ``[thread, seconds, [file:function, ...]]``, innermost first."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        rows = [
            [thread, seconds, [f"{code.co_filename}:{code.co_name}" for code in stack]]
            for (thread, stack), seconds in self._spent.items()
        ]
        made = self._path.with_suffix(".part")
        made.write_text(json.dumps({"own_s": self._own_s, "rows": rows}))
        made.rename(self._path)

    def _sample(self, _: int, interrupted: FrameType | None) -> None:
        began = time.thread_time()
        here = threading.get_ident()
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        for ident, running in sys._current_frames().items():
            now = began if ident == here else _cpu(ident)
            spent = now - self._clocks.get(ident, now)
            self._clocks[ident] = now
            if spent > 0:
                frame = interrupted if ident == here else running
                self._spent[names.get(ident, "?"), _stack(frame)] += spent
        self._clocks[here] = time.thread_time()
        self._own_s += self._clocks[here] - began


def _cpu(ident: int) -> float:
    """Return the CPU time of a thread that lives, in seconds."""
    return time.clock_gettime(time.pthread_getcpuclockid(ident))


def _stack(frame: FrameType | None) -> Stack:
    codes = []
    while frame is not None:
        codes.append(frame.f_code)
        frame = frame.f_back
    return tuple(codes)


def main() -> None:
    """Run the rest of the command line."""
    sampler = StageSampler(Path(sys.argv[1]))
    signal.signal(signal.SIGUSR1, sampler.begin)
    signal.signal(signal.SIGUSR2, sampler.end)
    sys.argv[:2] = ["ecgmon"]
    from ecgmon_cli import main as command_line

    command_line()


if __name__ == "__main__":
    sys.path.pop(0)  # modules of this folder are none of the program's
    main()
