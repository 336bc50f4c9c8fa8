"""What a second of signal costs in the chain, alone and in a stack of wearers.

Run by ``make bench``. Frames of 0.1 s, as devices send them; the stack sizes take turns in one run,
so that a change of the machine's speed meets all of them. Prints JSON.
"""

import json
import statistics
import sys
import time

import numpy as np

from ecgmon.core.constants import RATE
from ecgmon.signal import Geometry, SignalChain

FRAME = RATE // 10
SECONDS = 4
ROUNDS = 7
GEOMETRY = Geometry(history_s=3, look_ahead_s=0.5, rate=120)


def microseconds(wearers: int, rng: np.random.Generator) -> float:
    """Return CPU microseconds for a second of one wearer's signal."""
    chain = SignalChain(GEOMETRY, wearers)
    rows = np.arange(wearers)
    signal = rng.normal(0, 0.3, (wearers, SECONDS * RATE))
    started = time.process_time()
    for at in range(0, SECONDS * RATE, FRAME):
        chain.push(rows, signal[:, at : at + FRAME])
    return 1e6 * (time.process_time() - started) / SECONDS / wearers


if __name__ == "__main__":
    rng = np.random.default_rng(1)
    runs: dict[int, list[float]] = {1: [], 30: [], 300: []}
    for _ in range(ROUNDS):
        for wearers, costs in runs.items():
            costs.append(microseconds(wearers, rng))
    alone = statistics.median(runs[1])
    json.dump(
        {
            f"{wearers} wearers": {
                "us_per_second_of_signal": {
                    "min": round(min(costs), 1),
                    "median": round(statistics.median(costs), 1),
                    "max": round(max(costs), 1),
                },
                "times_cheaper_than_alone": round(alone / statistics.median(costs), 1),
            }
            for wearers, costs in runs.items()
        },
        sys.stdout,
        indent=2,
    )
