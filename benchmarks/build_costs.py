"""CPU of ``ecgmon serve``: this tree and another commit's in turns, by thread.

    python benchmarks/build_costs.py 4ca67f9 --wearers 100 300 --seconds 40 --rounds 3

All is on: capture, journal, a viewer of all wearers, metrics that are read, models of the
wearers' own. Live wearers send frames of 0.1 s (`load`). A cost is of a second of one wearer that
was judged: a build that cannot follow does less. Writes
docs/results/performance/build-costs-COMMIT.json.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from measurements import git, store, summary
from rounds import LiveRound, measured
from served import ROOT, RUNS

THREADS: Final = ("main", "disk", "ZeroMQ", "others", "all")
PREFIX: Final = "build-costs-"


@contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """Check a commit out under runs/, and remove it afterwards."""
    folder = RUNS / f"tree-{commit}"
    if not folder.is_dir():  # one that a stopped run has left is used
        git("worktree", "add", "--force", "--detach", str(folder), commit)
    try:
        yield folder
    finally:
        git("worktree", "remove", "--force", str(folder))


def compared(rounds: list[tuple[dict[str, Any], dict[str, Any]]]) -> dict[str, Any]:
    """Return costs by thread of both builds, and how many times this one is cheaper."""
    base, here = ([pair[i]["cpu"] for pair in rounds] for i in (0, 1))
    return {
        "base": {name: summary(cpu[name] for cpu in base) for name in THREADS},
        "here": {name: summary(cpu[name] for cpu in here) for name in THREADS},
        "ratio": {
            name: summary(a[name] / max(b[name], 0.1) for a, b in zip(base, here, strict=True))
            for name in THREADS
        },
        "latency": {
            "base": [first["latency"] for first, _ in rounds],
            "here": [second["latency"] for _, second in rounds],
        },
        "held": {
            "base": all(first["held"] for first, _ in rounds),
            "here": all(second["held"] for _, second in rounds),
        },
        "load_us": summary(each["load"]["cpu_us"] for pair in rounds for each in pair),
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("commit", nargs="?", default="4ca67f9")
    parser.add_argument("--wearers", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--warm", type=float, default=15.0)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    result: dict[str, Any] = {
        "base": given.commit,
        "seconds": given.seconds,
        "warm_s": given.warm,
        "rounds": given.rounds,
        "wearers": {},
    }
    with worktree(given.commit) as other:
        for wearers in given.wearers:
            rounds = []
            for _ in range(given.rounds):
                pair = tuple(
                    measured(LiveRound(wearers, given.warm, given.seconds, tree=tree))
                    for tree in (other, ROOT)
                )
                rounds.append((pair[0], pair[1]))
                sys.stdout.write(f"{wearers}: {[each['cpu'] for each in pair]}\n")
                sys.stdout.flush()
            result["wearers"][str(wearers)] = compared(rounds)
    store(f"{PREFIX}{given.commit}", result)


if __name__ == "__main__":
    main()
