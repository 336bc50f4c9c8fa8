"""How many wearers one core serves in real time, and how late verdicts are up to there and beyond.

    make capacity
    python benchmarks/capacity.py --seconds 20 --search 8 --warm 5 --start 20

The monitor has one core for itself, load and viewer have the others. A count holds if no sample
and no message is lost, no device is held back, and the 99th percentile of the delay of verdicts is
below `MOST_MS`. The largest count is searched with short rounds and confirmed with a long one.
docs/results/performance/capacity.json is written after each round; a run that was stopped goes on
at the same commit with the same lengths of rounds.
"""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from load import FRAMES
from measurements import commit, store, stored
from rounds import LiveRound, measured

MOST_MS: Final = 100.0
GROWTH: Final = 1.5
"""How much larger the next count is while none has failed."""
NEAR: Final = 0.04
"""The search ends when the smallest count that fails is by this share above one that holds."""
STEP_DOWN: Final = 0.08
"""What short rounds have found is made smaller by this share, and so is what is not confirmed."""
CURVE: Final = (0.25, 0.5, 0.75, 1.0, 1.15, 1.3)
"""Counts at which the delay is measured, in parts of the confirmed one."""
NAME: Final = "capacity"


def largest(holds: Callable[[int], bool], start: int) -> int:
    """Return the largest count that holds, 0 if none does: upwards in steps, then by halves."""
    good, bad = 0, 0
    count = start
    while not bad or bad - good > max(1, NEAR * good):
        if holds(count):
            good = count
        else:
            bad = count
        count = (good + bad) // 2 if bad else max(count + 1, round(GROWTH * count))
    return good


def confirmed(holds: Callable[[int], bool], count: int) -> int:
    """Return the largest count that holds, going down in small steps; 0 if none does."""
    while count and not holds(count):
        count = min(count - 1, round((1 - STEP_DOWN) * count))
    return count


def is_met(found: dict[str, Any]) -> bool:
    """Tell whether a round was in real time."""
    return bool(found["held"]) and found["latency"].get("p99", MOST_MS) < MOST_MS


@dataclass(frozen=True, slots=True)
class CapacityLengths:
    """How long rounds are, in seconds: before they are measured, of the search, to confirm."""

    warm: float
    search: float
    confirm: float


class CapacityRun:
    """The rounds of all kinds of frames, kept in a file.

    Parameters
    ----------
    lengths : CapacityLengths
        How long rounds are.
    """

    def __init__(self, lengths: CapacityLengths) -> None:
        self._lengths = lengths
        cores = sorted(os.sched_getaffinity(0))
        self._serve_on = str(cores[0])
        self._load_on = ",".join(map(str, cores[1:] or cores))
        same = {
            "commit": commit(),
            "warm_s": lengths.warm,
            "search_s": lengths.search,
            "confirm_s": lengths.confirm,
        }
        before = stored(NAME)
        is_same = all(before.get(name) == value for name, value in same.items())
        self.result: dict[str, Any] = before if is_same else same | {"rounds": [], "most": {}}

    def round(self, frames: str, wearers: int, seconds: float) -> dict[str, Any]:
        """Return what a round has given, which is measured unless it is known."""
        key = {"frames": frames, "wearers": wearers, "asked_s": seconds}
        for known in self.result["rounds"]:
            if key.items() <= known.items():
                return dict(known)
        what = LiveRound(
            wearers,
            self._lengths.warm,
            seconds,
            frames,
            serve_on=self._serve_on,
            load_on=self._load_on,
        )
        try:
            found = measured(what)
        except SystemExit as error:  # it did not start, or did not welcome all
            found = {"held": False, "latency": {}, "error": str(error)[-300:]}
        found |= key | {"met": is_met(found)}
        self.result["rounds"].append(found)
        store(NAME, self.result)
        sys.stdout.write(f"{frames} {wearers}: {found['met']} {found['latency']}\n")
        sys.stdout.flush()
        return found

    def frames(self, frames: str, start: int) -> None:
        """Search, confirm, and measure the curve for frames of one kind."""
        lengths = self._lengths
        count = largest(lambda n: self.round(frames, n, lengths.search)["met"], start)
        count = round((1 - STEP_DOWN) * count)  # what holds for seconds seldom does for minutes
        count = confirmed(lambda n: self.round(frames, n, lengths.confirm)["met"], count)
        self.result["most"][frames] = count
        for part in CURVE if count else ():
            self.round(frames, max(1, round(part * count)), lengths.search)
        store(NAME, self.result)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=600.0, help="of the confirmation")
    parser.add_argument("--search", type=float, default=45.0)
    parser.add_argument("--warm", type=float, default=20.0)
    parser.add_argument("--start", type=int, default=100)
    parser.add_argument("--frames", choices=FRAMES, nargs="+", default=[*FRAMES])
    given = parser.parse_args()
    run = CapacityRun(CapacityLengths(given.warm, given.search, given.seconds))
    for frames in given.frames:
        run.frames(frames, given.start)


if __name__ == "__main__":
    main()
