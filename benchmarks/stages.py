"""What a wearer-second costs ``ecgmon serve``, stage by stage, and the limit of its largest one.

    python benchmarks/stages.py --wearers 300 --seconds 40

Live wearers out of step (`load`); all is on. Each count is measured twice: with a sampled profile
(`sampled`), which gives the parts, and without one, which gives the total. Writes
docs/results/performance/stages.json.
"""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

from measurements import store
from rounds import BENCHMARKS, LiveRound, measured, play, scratch
from served import ROOT, ServeProcess, ThreadTimes
from stage_table import by_stage, unattributed

WRITTEN_S: Final = 10.0
"""Longest wait for the profile, in seconds."""
SHOWN: Final = 8
"""Functions named of what belongs to no stage."""


class ProfiledServe(ServeProcess):
    """A monitor whose CPU time is sampled while a round measures it.

    Parameters
    ----------
    folder : Path
        For its state, its log and the profile.
    wearers : int
        Places.
    """

    def __init__(self, folder: Path, wearers: int) -> None:
        self._profile = folder / "profile.json"
        super().__init__(
            folder, wearers, command=(str(BENCHMARKS / "sampled.py"), str(self._profile))
        )
        self._signals = iter((signal.SIGUSR1, signal.SIGUSR2))

    def used(self) -> ThreadTimes:
        """Return what was used; the first call begins the profile, the second one ends it."""
        os.kill(self.pid, next(self._signals))
        return super().used()

    def profile(self) -> dict[str, Any]:
        """Return the profile, once it is written."""
        deadline = time.monotonic() + WRITTEN_S
        while not self._profile.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        found: dict[str, Any] = json.loads(self._profile.read_text())
        return found


def of_stages(what: LiveRound) -> dict[str, Any]:
    """Return microseconds for a wearer-second by thread and stage, and the totals."""
    with scratch() as folder, ProfiledServe(folder, what.wearers) as served:
        found = play(what, served, folder)
        profile = served.profile()
    per = 1e6 / found["judged"]
    stages = by_stage(profile["rows"], str(ROOT))
    return {
        "wearers": what.wearers,
        "stages": {
            thread: {stage: round(per * seconds, 1) for stage, seconds in costs.items()}
            for thread, costs in stages.items()
        },
        "rest": {
            where: round(per * seconds, 1)
            for where, seconds in list(unattributed(profile["rows"], str(ROOT)).items())[:SHOWN]
        },
        "sampler": round(per * profile["own_s"], 1),
        "sampled": found["cpu"],
        "held": found["held"],
        "total": measured(what)["cpu"],
    }


def limit() -> dict[str, float]:
    """Return what the window network's multiply-adds would take at the speed of matrix products."""
    from window_costs import multiply_adds, products

    needed, rate = multiply_adds(), products()
    return {
        "multiply_adds": needed,
        "products_per_ns": round(rate, 1),
        "us": round(needed / rate / 1e3, 1),
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--wearers", type=int, nargs="+", default=[300])
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--warm", type=float, default=20.0)
    given = parser.parse_args()
    result: dict[str, Any] = {"limit": limit(), "counts": []}
    for wearers in given.wearers:
        result["counts"].append(of_stages(LiveRound(wearers, given.warm, given.seconds)))
        store("stages", result)
        sys.stdout.write(json.dumps(result["counts"][-1]["stages"], indent=1) + "\n")


if __name__ == "__main__":
    main()
