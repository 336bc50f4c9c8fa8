"""CPU time of a second of signal in the chain: in step, out of step, and one by one.

Run by ``make bench`` for this build; ``make bench-against BASE=commit`` runs it for another build
too (`benchmarks.against`). Wearers are pushed as the monitor does: every 0.1 s, whatever has
arrived of all of them. Prints JSON: CPU microseconds for a second of one wearer's signal, and for
the bookkeeping of one window where each wearer has a model of its own.
"""

import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from ecgmon.signal import Geometry, SignalChain, Windows

try:
    from monitor.inference.engine import classify
except ModuleNotFoundError:  # its place in 4ca67f9
    from monitor.classify import classify  # type: ignore[no-redef]
try:
    from monitor.inference.incremental import IncrementalWindows

    JUDGES = (IncrementalWindows(),)
except ModuleNotFoundError:  # before windows were judged second by second
    JUDGES = ()  # type: ignore[assignment]

RATE = 360
TICK = RATE // 10
FRAMES = (25, 36, 73)
SECONDS = 4
"""Measured; one more comes first, in which everything is new."""
SEEDS = (1, 2, 3)
WEARERS = 300
GEOMETRY = Geometry(history_s=3, look_ahead_s=0.5, rate=120)

Tick = list[tuple[int, NDArray[np.float64]]]


def ecg(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return beats with T waves and some noise in mV."""
    n = (SECONDS + 1) * RATE
    signal = rng.normal(0, 0.01, (WEARERS, n))
    rr = rng.integers(200, 400, (WEARERS, 1))
    t = (np.arange(n) + rng.integers(0, 400, (WEARERS, 1))) % rr - 50
    return signal + np.exp(-((t / 5) ** 2)) + 0.2 * np.exp(-(((t - 100) / 25) ** 2))


def noise(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return noise in mV, which makes more peaks than any heart."""
    return rng.normal(0, 0.3, (WEARERS, (SECONDS + 1) * RATE))


def in_step(signal: NDArray[np.float64], _: np.random.Generator) -> Iterator[Tick]:
    """Give frames of a tick that all begin together."""
    for at in range(0, signal.shape[1], TICK):
        yield list(enumerate(signal[:, at : at + TICK]))


def out_of_step(signal: NDArray[np.float64], rng: np.random.Generator) -> Iterator[Tick]:
    """Give frames of several lengths, each row's sent at a moment of its own."""
    frame = rng.choice(FRAMES, len(signal))
    phase = rng.integers(0, frame)
    done = np.zeros(len(signal), dtype=np.int64)
    for now in range(TICK, signal.shape[1] + 1, TICK):
        came = (now + phase) // frame * frame
        came = np.minimum(came, signal.shape[1])
        yield [(row, signal[row, done[row] : came[row]]) for row in np.flatnonzero(came > done)]
        done = came


def one_by_one(signal: NDArray[np.float64], _: np.random.Generator) -> Iterator[Tick]:
    """Give the frames of a tick one after the other, of a tenth of the rows."""
    for at in range(0, signal.shape[1], TICK):
        for row in range(0, len(signal), 10):
            yield [(row, signal[row, at : at + TICK])]


def takes_lengths() -> bool:
    """Tell whether a chain takes rows of several lengths in one call."""
    try:
        SignalChain(GEOMETRY, 2).push(np.arange(2), [np.zeros(1), np.zeros(2)])
    except AttributeError:
        return False
    return True


def push(chain: SignalChain, tick: Tick, lengths: bool) -> None:
    """Push a tick as the monitor of this build does."""
    groups: dict[int, Tick] = defaultdict(list)
    for row, samples in tick:
        groups[0 if lengths else len(samples)].append((row, samples))
    for group in groups.values():
        rows = np.array([row for row, _ in group], dtype=np.intp)
        pieces = [samples for _, samples in group]
        chain.push(rows, pieces if lengths else np.stack(pieces))


def of_signal(
    signal: Callable[[np.random.Generator], NDArray[np.float64]],
    ticks: Callable[[NDArray[np.float64], np.random.Generator], Iterator[Tick]],
    seed: int,
    lengths: bool,
) -> float:
    """Return CPU microseconds for a second of one wearer's signal."""
    rng = np.random.default_rng(seed)
    samples, chain = signal(rng), SignalChain(GEOMETRY, WEARERS)
    if ticks is out_of_step:
        for row, first in enumerate(rng.integers(0, RATE, WEARERS)):
            chain.reset(row, int(first))
    schedule = list(ticks(samples, rng))
    warm = len(schedule) // (SECONDS + 1)
    for tick in schedule[:warm]:
        push(chain, tick, lengths)
    pushed = sum(len(part) for tick in schedule[warm:] for _, part in tick)
    started = time.process_time()
    for tick in schedule[warm:]:
        push(chain, tick, lengths)
    return 1e6 * (time.process_time() - started) / pushed * RATE


def of_models(wearers: int) -> float:
    """Return CPU microseconds for the bookkeeping of one window, each with a model of its own."""
    columns = {name: np.zeros(wearers) for name in Windows.__slots__}
    columns["rows"] = np.arange(wearers)
    columns["inputs"] = np.zeros((wearers, GEOMETRY.inputs), dtype=np.float32)
    columns["settled"] = np.ones(wearers, dtype=bool)
    windows = Windows(**{name: columns[name] for name in Windows.__slots__})
    models = {
        row: SimpleNamespace(probability=lambda inputs: inputs[:, 0], weights=None)
        for row in range(wearers)
    }
    started = time.process_time()
    classify(windows, models, *JUDGES)
    return 1e6 * (time.process_time() - started) / wearers


def measure(seed: int) -> dict[str, float]:
    """Measure everything once."""
    lengths = takes_lengths()
    costs = {
        f"{name}, {how.__name__.replace('_', ' ')}": of_signal(signal, how, seed, lengths)
        for name, signal in {"ECG": ecg, "noise": noise}.items()
        for how in (in_step, out_of_step, one_by_one)
    }
    return costs | {f"{n} models": of_models(n) for n in (400, 4000)}


def main() -> None:
    """Measure with every seed, or with the one that is given."""
    seeds = [int(seed) for seed in sys.argv[1:]] or SEEDS
    runs = [measure(seed) for seed in seeds]
    costs = {
        name: {
            "min": round(min(values), 1),
            "median": round(statistics.median(values), 1),
            "max": round(max(values), 1),
        }
        for name in runs[0]
        for values in [[run[name] for run in runs]]
    }
    json.dump(costs, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
