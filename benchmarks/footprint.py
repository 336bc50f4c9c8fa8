"""Memory of ``ecgmon serve``, its start, a burst of joins, and one wearer on a share of a core.

    python benchmarks/footprint.py --wearers 1 10 100 1000 --seconds 15

Writes docs/results/performance/footprint.json. Each wearer has models of windows and beats of
their own; capture, journal, metrics and a viewer of all are on.
"""

import argparse
import time
from pathlib import Path
from typing import Any, Final

from cpu_share import bounded
from measurements import store, summary
from rounds import LiveRound, measured, play, scratch
from served import ServeProcess

STARTS: Final = 5
IDLE_S: Final = 10.0
SHARE: Final = 0.05
"""The part of a core that one wearer is to need at most."""


def starts(count: int) -> list[float]:
    """Return the seconds from start to ready, with one wearer's models in the store."""
    taken = []
    for _ in range(count):
        with scratch() as folder, ServeProcess(folder, 1) as served:
            taken.append(served.ready_s)
    return taken


def idle(seconds: float) -> dict[str, float]:
    """Return memory in MB and CPU milliseconds a second of a monitor without a wearer."""
    with scratch() as folder, ServeProcess(folder, 1) as served:
        time.sleep(2)
        before = served.used()
        time.sleep(seconds)
        after = served.used()
        cost = after.since(before, after.at - before.at)["all"]
        return {"pss_mb": round(served.pss_mb(), 1), "cpu_ms": round(cost / 1000, 2)}


def on_a_share(folder: Path, seconds: float) -> dict[str, Any]:
    """Return how one wearer fares on `SHARE` of a core, and what is used with no bound."""
    what = LiveRound(1, 5.0, seconds)
    with ServeProcess(folder / "free", 1) as served:
        free = play(what, served, folder)
    with ServeProcess(folder / "bounded", 1) as served, bounded(served.pid, SHARE) as is_bounded:
        found = play(what, served, folder) if is_bounded else None
    return {"share": SHARE, "free": free, "bounded": found}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--wearers", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--seconds", type=float, default=15.0)
    given = parser.parse_args()
    result: dict[str, Any] = {"ready_s": summary(starts(STARTS)), "idle": idle(IDLE_S)}
    with scratch() as folder:
        result["one"] = on_a_share(folder, given.seconds)
    result["rounds"] = []
    for wearers in given.wearers:
        try:
            found = measured(LiveRound(wearers, 5.0, given.seconds))
        except SystemExit as error:  # it did not start, or did not welcome all
            found = {"wearers": wearers, "error": str(error)[-300:]}
        result["rounds"].append(found)
        store("footprint", result)


if __name__ == "__main__":
    main()
