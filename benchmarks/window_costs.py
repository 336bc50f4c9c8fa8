"""CPU time of window models of the wearers' own: second by second, and by their graphs.

Run by ``make window-costs``; writes docs/results/window-costs.md. Alone, all ways judge the same
seconds in turns. In the monitor, two without sockets and disk take the same frames in turns, as in
`beat_costs`; each wearer has a bundle of their own.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import torch
from beat_costs import BUILT_IN, ROOT, WEARERS, Bench, each, of_monitor, spread
from numpy.typing import NDArray
from templated import template

from ecgmon.models.bundle import Model
from ecgmon.models.window_layers import CHANNELS, FINE, GEOMETRY, LAYERS, OUTPUTS
from monitor.inference.incremental import INPUTS, NEW, IncrementalWindows
from replay.simulator.simulation import simulate
from trainer.data.dataset import record_set
from trainer.networks.window_networks import BeatNet
from trainer.training.onnx_export import restore

PAGE: Final = ROOT / "docs" / "results" / "window-costs.md"
SIZES: Final = (1, 10, 32, 100, 300)
"""Wearers judged in one call."""
SECONDS: Final = 24
WARM: Final = 4
"""Seconds that are not counted."""
ALONE: Final = ("sessions", "torch", "shared")
Way = Callable[[NDArray[np.intp], NDArray[np.float32]], None]


def signals(count: int) -> NDArray[np.float32]:
    """Return a simulated stream, as models see it, for each wearer: from another second on."""
    record = simulate("premature", seed=1, duration_s=count + SECONDS + 5).record
    stream = record_set(record, GEOMETRY, BeatNet.steps_per_second).stream
    length = INPUTS + NEW * (SECONDS - 1)
    return np.stack([stream[NEW * at : NEW * at + length] for at in range(count)])


def alone(paths: list[Path]) -> dict[str, list[float]]:
    """Return microseconds for a window of each way of judging, by second; all in turns."""
    models = [Model.load(path) for path in paths]
    networks = [restore(path)[0] for path in paths]
    judge = IncrementalWindows()

    def by_layers(rows: NDArray[np.intp], x: NDArray[np.float32]) -> None:
        judge.probability(rows, x, models)

    def in_turn(_: NDArray[np.intp], x: NDArray[np.float32]) -> None:
        for i, model in enumerate(models):
            model.probability(x[i : i + 1])

    def in_torch(_: NDArray[np.intp], x: NDArray[np.float32]) -> None:
        for i, network in enumerate(networks):
            network.probability(torch.from_numpy(x[i : i + 1]))

    def shared(_: NDArray[np.intp], x: NDArray[np.float32]) -> None:
        models[0].probability(x)

    ways: dict[str, Way] = {
        "layers": by_layers,
        "sessions": in_turn,
        "torch": in_torch,
        "shared": shared,
    }
    costs: dict[str, list[float]] = {name: [] for name in ways}
    rows, streams = np.arange(len(models)), signals(len(models))
    for second in range(SECONDS):
        x = np.ascontiguousarray(streams[:, second * NEW : second * NEW + INPUTS])
        for name, way in ways.items():
            began = time.process_time()
            way(rows, x)
            costs[name].append(1e6 * (time.process_time() - began) / len(models))
    return {name: each[WARM:] for name, each in costs.items()}


def products() -> float:
    """Return how many thousand million multiply-adds a thread does in products of matrices."""
    a, b = (np.random.default_rng(1).normal(size=(512, 512)).astype(np.float32) for _ in range(2))
    rates = []
    for _ in range(SECONDS):
        began = time.process_time()
        for _ in range(10):
            a @ b
        rates.append(10 * 512**3 / (time.process_time() - began) / 1e9)
    return statistics.median(rates)


def multiply_adds() -> int:
    """Return the multiply-adds of a second of one wearer."""
    steps, inputs, total = NEW, 1, 0
    for layer, outputs in zip(LAYERS, OUTPUTS, strict=True):
        steps //= layer.stride
        total += steps * layer.kernel * inputs * outputs
        inputs = outputs
    return total + steps * inputs * CHANNELS * FINE


def page(folder: Path) -> str:
    """Measure, and return the page."""
    bundle = (BUILT_IN / "generic.onnx").read_bytes()
    paths = {f"w{i}": folder / f"{i}.onnx" for i in range(WEARERS)}
    for path in paths.values():
        path.write_bytes(bundle)
    found = {size: alone(list(paths.values())[:size]) for size in SIZES}
    by_graph = Bench(windows=lambda wearer: paths[wearer or "w0"])
    for active in by_graph.opened:
        active.model.weights = None
    before, after, _ = of_monitor(by_graph, Bench(windows=lambda wearer: paths[wearer or "w0"]))
    rate, needed = products(), multiply_adds()
    layers = statistics.median(found[SIZES[-1]]["layers"])
    return template("window_costs.md.j2").render(
        alone=[[f"{n}", *(spread(of[way]) for way in of)] for n, of in found.items()],
        ratios=[
            [f"{n}", *(spread(each(lambda a, b: b / a, of["layers"], of[way]), 1) for way in ALONE)]
            for n, of in found.items()
        ],
        wearers=WEARERS,
        before=spread(before),
        after=spread(after),
        ratio=spread(each(lambda a, b: b / a, before, after), 2),
        difference=spread(each(lambda a, b: a - b, before, after)),
        needed=f"{needed:,}",
        rate=f"{rate:.0f}",
        limit=f"{needed / rate / 1e3:.0f}",
        fraction=f"{needed / rate / 1e3 / layers:.0%}",
    )


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as made, torch.inference_mode():
        PAGE.write_text(page(Path(made)))
