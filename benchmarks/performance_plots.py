"""Plots of the performance page, as PNG files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

mpl.use("agg")  # files, never a window
COLOURS: Final = ("#1b9e77", "#d95f02", "#7570b3", "#e7298a")


def delays(rounds: Sequence[Mapping[str, Any]], most_ms: float, path: Path) -> None:
    """Draw median and 99th percentile of the delay of verdicts against the number of wearers.

    Parameters
    ----------
    rounds : sequence of mapping
        Rounds of `capacity` that have a delay.
    most_ms : float
        The bound that is drawn.
    path : Path
        The file to write.
    """
    figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for kind, colour in zip(dict.fromkeys(r["frames"] for r in rounds), COLOURS, strict=False):
        mine = sorted((r for r in rounds if r["frames"] == kind), key=lambda r: int(r["wearers"]))
        wearers = [r["wearers"] for r in mine]
        for name, style in (("p50", ":"), ("p99", "-")):
            values = [r["latency"][name] for r in mine]
            label = f"{kind}, {name}"
            axes.plot(wearers, values, style, marker=".", color=colour, label=label)
    axes.axhline(most_ms, color="black", linewidth=0.8)
    axes.set(xlabel="wearers", ylabel="delay of a verdict, ms", yscale="log")
    axes.legend(frameon=False)
    _save(figure, path)


def stages(costs: Mapping[str, float], path: Path) -> None:
    """Draw the cost of each stage, largest first, in microseconds for a wearer-second."""
    figure, axes = plt.subplots(figsize=(7, 0.9 + 0.22 * len(costs)), layout="constrained")
    names = sorted(costs, key=lambda name: costs[name])
    axes.barh(names, [costs[name] for name in names], color=COLOURS[0])
    axes.set(xlabel="CPU microseconds for a second of one wearer")
    axes.margins(y=0.01)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    """Write a figure, the same bytes for the same data."""
    figure.savefig(path, dpi=100, metadata={"Software": None})
    plt.close(figure)
