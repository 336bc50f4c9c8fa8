"""What worker processes cost: one process and two workers behind a front, in turns.

    python benchmarks/worker_costs.py --wearers 200 --seconds 40 --rounds 3

The same live wearers (`load`) on all cores of the machine, of which load and viewer need a share.
The work for a second of CPU time is that of all processes of the monitor together. Writes
docs/results/performance/worker-costs.json.
"""

import argparse
import sys
from typing import Any, Final

from build_costs import THREADS
from measurements import store, summary
from rounds import LiveRound, measured

WORKERS: Final = (0, 2)
"""One process without workers, and a front with two."""


def compared(rounds: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """Return costs by thread of both ways, and the work for a second of CPU time of the second."""
    one, two = ([each[i] for each in rounds] for i in (0, 1))
    return {
        "one": {name: summary(each["cpu"][name] for each in one) for name in THREADS},
        "two": {name: summary(each["cpu"][name] for each in two) for name in THREADS},
        "work": summary(a["cpu"]["all"] / b["cpu"]["all"] for a, b in zip(one, two, strict=True)),
        "latency": {"one": [r["latency"] for r in one], "two": [r["latency"] for r in two]},
        "pss_mb": {
            "one": summary(r["pss_mb"] for r in one),
            "two": summary(r["pss_mb"] for r in two),
        },
        "load_cores": summary(
            each["load"]["cpu_us"] * each["wearers"] / 1e6 for way in (one, two) for each in way
        ),
        "held": all(each["held"] for way in (one, two) for each in way),
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--wearers", type=int, nargs="+", default=[200])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--warm", type=float, default=15.0)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    result: dict[str, Any] = {"rounds": given.rounds, "seconds": given.seconds, "wearers": {}}
    for wearers in given.wearers:
        rounds = []
        for _ in range(given.rounds):
            rounds.append(
                [
                    measured(LiveRound(wearers, given.warm, given.seconds, workers=workers))
                    for workers in WORKERS
                ]
            )
            sys.stdout.write(f"{wearers}: {[each['cpu'] for each in rounds[-1]]}\n")
            sys.stdout.flush()
        result["wearers"][str(wearers)] = compared(rounds)
        store("worker-costs", result)


if __name__ == "__main__":
    main()
