"""CPU time of the monitor with and without a model of beats, and of the model alone.

Run by ``make beat-costs``; writes docs/results/beat-costs.md. Two monitors without sockets and disk
take the same frames in turns, second by second, so that a change of the machine's speed meets
both: one whose wearers have no model of beats, and one where the built-in generic model judges
them.
"""

import math
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.models.beat_bundle import BeatModel
from ecgmon.signal.beat_segments import VALUES
from ecgmon.wire import Frame, messages
from monitor.inference.judge import Judge
from monitor.wearers.active_stream import ActiveStream
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from replay.simulator.simulation import simulate
from trainer.training.own_beats import SHARED

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "results" / "beat-costs.md"
BUILT_IN: Final = ROOT / "ecgmon" / "models" / "built_in"
WEARERS: Final = 300
SIGNALS: Final = 20
"""Simulated signals; the wearers share them, each from another moment on."""
TICK: Final = RATE // 10
"""Samples between two ticks of the monitor."""
FRAMES: Final = (25, 36, 73)
WARM_S: Final = 120
"""Seconds that are not measured, until the context of every beat is full (128 beats)."""
MEASURED_S: Final = 40
ROUND_S: Final = 4
BATCH: Final = 300
REPEATS: Final = 30
"""The model judges this many batches in a round."""

Tick = list[tuple[int, bytes]]


def signals() -> list[NDArray[np.int16]]:
    """Return simulated signals with premature beats, of different lengths of beats and noise."""
    length = WARM_S + MEASURED_S + 5
    return [
        simulate("premature", seed=seed, duration_s=length).record.samples
        for seed in range(1, SIGNALS + 1)
    ]


def ticks() -> Iterator[Tick]:
    """Yield the encoded frames of each tick: wearers out of step, frames of several lengths."""
    rng = np.random.default_rng(1)
    begins, frame = rng.integers(0, RATE, WEARERS), rng.choice(FRAMES, WEARERS)
    of_wearer, done = signals(), np.zeros(WEARERS, dtype=np.int64)
    for now in range(TICK, (WARM_S + MEASURED_S) * RATE + 1, TICK):
        came = np.maximum(now - begins, 0) // frame * frame
        tick: Tick = []
        for wearer in np.flatnonzero(came > done).tolist():
            first, stop = int(done[wearer]), int(came[wearer])
            samples = of_wearer[wearer % SIGNALS][first:stop]
            encoded = Frame(wearer, first, 0, RATE * 1000, 200.0, "II", samples).encode()
            tick.append((wearer, encoded))
        done = came
        yield tick


class Bench:
    """A monitor's wearers, given encoded frames; what it publishes is encoded.

    Parameters
    ----------
    beats, rhythms, atrial : Path or None
        Bundles that judge their beats and rhythms.
    windows : callable
        Gives the bundle that judges a wearer's windows.

    Attributes
    ----------
    opened : list of ActiveStream
        The wearers' streams.
    """

    def __init__(
        self,
        beats: Path | None = None,
        rhythms: Path | None = None,
        atrial: Path | None = None,
        windows: Callable[[str | None], Path] = lambda _: BUILT_IN / "generic.onnx",
    ) -> None:
        policy = WearerPolicy(
            windows,
            resolve_beats=lambda _: beats,
            resolve_rhythms=lambda _: rhythms,
            resolve_atrial=lambda _: atrial,
            capacity=WEARERS,
        )
        self._registry = WearerRegistry(policy)
        self.opened = [self._open(wearer) for wearer in range(WEARERS)]
        self._now = 0.0
        self.beats = 0

    def _open(self, wearer: int) -> ActiveStream:
        hello = messages.Hello(
            wearer=f"w{wearer}", stream=messages.stream_id(wearer), rate=float(RATE), leads=["II"]
        )
        self._registry.claim(hello, 0.0)
        return self._registry.open(hello, None, 0.0)[0]

    def push(self, second: list[Tick]) -> float:
        """Process the ticks of a second; return the CPU time, in seconds."""
        began = time.process_time()
        for tick in second:
            self._now += TICK / RATE
            for wearer, data in tick:
                self.opened[wearer].stream.accept(Frame.decode(data), self._now)
            published = self._registry.advance(lambda _: False)
            self._publish(published)
        self._publish(self._registry.check(self._now))
        return time.process_time() - began

    def _publish(self, published: list[messages.Published]) -> None:
        for message in published:
            messages.encode(message)
            self.beats += isinstance(message, messages.Beat)


def of_monitor(without: Bench, judging: Bench) -> tuple[list[float], list[float], float]:
    """Return microseconds for a wearer-second in two monitors, by round, and beats a second."""
    before: list[float] = []
    after: list[float] = []
    second: list[Tick] = []
    counted = 0
    for tick in ticks():
        second.append(tick)
        if len(second) * TICK < RATE:
            continue
        before.append(without.push(second))
        after.append(judging.push(second))
        second = []
        if len(before) == WARM_S:
            counted = judging.beats
    wearers = 1e6 / (WEARERS * ROUND_S)
    rounds = range(WARM_S, WARM_S + MEASURED_S, ROUND_S)
    costs = [[wearers * sum(of[at : at + ROUND_S]) for at in rounds] for of in (before, after)]
    return costs[0], costs[1], (judging.beats - counted) / (WEARERS * MEASURED_S)


def of_model(model: Judge, shape: tuple[int, ...], rounds: int = 12) -> list[float]:
    """Return microseconds for an input in one batch, on one thread, of a model alone."""
    inputs = np.random.default_rng(1).normal(size=(BATCH, *shape)).astype(np.float32)
    model.probability(inputs)
    costs = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(REPEATS):
            model.probability(inputs)
        costs.append(1e6 * (time.process_time() - began) / (REPEATS * BATCH))
    return costs


def multiply_adds(graph: onnx.GraphProto) -> int:
    """Return the multiply-adds of a graph for one beat: those of its weights."""
    inferred = onnx.shape_inference.infer_shapes(onnx.helper.make_model(graph)).graph
    lengths = {
        one.name: one.type.tensor_type.shape.dim[-1].dim_value for one in inferred.value_info
    }
    sizes = {one.name: list(one.dims) for one in graph.initializer}
    total = 0
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm"):
            places = lengths[node.output[0]] if node.op_type == "Conv" else 1
            total += places * math.prod(sizes[node.input[1]])
        elif node.op_type == "BatchNormalization":
            total += math.prod(sizes[node.input[1]])
        elif node.op_type == "MatMul":
            raise ValueError(f"{node.op_type} is not counted: extend multiply_adds.")
    return total


def own_bytes(graph: onnx.GraphProto) -> tuple[int, int]:
    """Return the bytes of weights that an enrolled wearer's model has for itself, and of all."""
    sizes = {
        one.name.removeprefix("network."): 4 * math.prod(one.dims)
        for one in graph.initializer
        if one.data_type == onnx.TensorProto.FLOAT
    }
    own = sum(size for name, size in sizes.items() if not name.startswith(SHARED))
    return own, sum(sizes.values())


def spread(values: list[float], digits: int = 0) -> str:
    """Return the median and the range as text."""
    low, middle, high = (
        f"{value:,.{digits}f}" for value in (min(values), statistics.median(values), max(values))
    )
    return f"{middle} ({low} to {high})"


def verdict(value: float, most: float) -> str:
    """Tell whether a figure is within its target."""
    return "met" if value <= most else "**missed**"


def each(
    what: Callable[[float, float], float], one: list[float], other: list[float]
) -> list[float]:
    """Return a figure of each round."""
    return [what(a, b) for a, b in zip(one, other, strict=True)]


def page() -> str:
    """Measure, and return the page."""
    before, after, per_second = of_monitor(Bench(), Bench(BUILT_IN / "beats.onnx"))
    model = of_model(BeatModel.load(BUILT_IN / "beats.onnx"), (VALUES,))
    graph = onnx.load(BUILT_IN / "beats.onnx").graph
    operations, (own, weights) = multiply_adds(graph), own_bytes(graph)
    difference = each(lambda a, b: b - a, before, after)
    beat = [cost / per_second for cost in difference]
    return f"""# What beats cost

CPU time of a wearer-second with and without a model of beats, and size and cost of the model.

    make beat-costs

| | target | measured | result |
|---|---:|---:|---|
| a beat in one batch of {BATCH}, one thread, the model alone, us | 40 | {spread(model, 1)} | \
{verdict(statistics.median(model), 40)} |
| multiply-adds a beat | 800,000 | {operations:,} | {verdict(operations, 800_000)} |
| weights that are an enrolled wearer's own, kB | 150 | {own / 1000:.0f} | \
{verdict(own, 150_000)} |

All weights are {weights / 1000:.0f} kB; the convolutions and the normalisation are shared by all
wearers.

| CPU microseconds for a second of one wearer | |
|---|---:|
| no model of beats | {spread(before)} |
| the built-in generic model of beats | {spread(after)} |
| the second over the first | {spread(each(lambda a, b: b / a, before, after), 2)} |
| difference | {spread(difference)} |
| difference for one beat | {spread(beat)} |

- **Path**: from the encoded frame to encoded messages: order, rate, filter, beats, window model,
  alarm conditions; with a model of beats also their inputs, classes and named rhythms. Sockets and
  disk are left out.
- **Signal**: {WEARERS} wearers out of step, frames of {", ".join(map(str, FRAMES))} samples mixed,
  a tick each 0.1 s; simulated with premature beats, {per_second:.2f} published beats a second.
- **Runs**: both in turns in one process, second by second; {MEASURED_S // ROUND_S} rounds of
  {ROUND_S} s, after {WARM_S} s, when the context of each beat is full. Median (smallest to
  largest). Load of the machine, by all users: {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores.
- A wearer without a model of beats pays for none: the chain hands on nothing, and no beat is cut.
"""


def main() -> None:
    """Measure and write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
