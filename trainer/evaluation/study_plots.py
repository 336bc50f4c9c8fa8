"""Plots of study 1, as PNG files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from trainer.evaluation import plots
from trainer.evaluation.figures import JudgedWindows
from trainer.evaluation.study import FINE_TUNED, GENERIC, INDIVIDUAL, SEARCHED, Track
from trainer.studies.cardiacnet import publication

NETWORKS: Final = MappingProxyType({"published": "published network", "own": "own network"})
KINDS: Final = MappingProxyType(
    {
        GENERIC: "generic",
        INDIVIDUAL: "individual",
        FINE_TUNED: "fine-tuned",
        SEARCHED: "fine-tuned, searched",
    }
)
COLOURS: Final = MappingProxyType(dict(zip(KINDS, plots.COLOURS, strict=False)))
TRAINING: Final = "#8a8f98"
VALIDATION: Final = "#d95f02"
SHOWN: Final = "203"
"""Whose curves are drawn."""
BIN: Final = MappingProxyType({"published": 0.05, "own": 0.01})
"""Width of the histograms' bins."""


def draw(
    tracks: Mapping[str, Track],
    judged: Mapping[str, Mapping[str, Mapping[str, JudgedWindows]]],
    result: Mapping[str, Any],
    folder: Path,
) -> None:
    """Draw everything the page shows.

    Parameters
    ----------
    tracks : mapping of str to Track
        By network.
    judged : mapping
        Test windows by network, kind of model and patient.
    result : mapping
        What is in the result file.
    folder : Path
        Where to.
    """
    symbols(result["symbols"], folder / "symbols.png")
    windows(result["windows"], folder / "windows.png")
    pretraining(tracks, folder / "pretraining.png")
    curves(tracks["published"], folder / "curves.png")
    histograms(result["models"], folder / "histograms.png")
    reported = {name: row.balanced_accuracy for name, row in publication.INDIVIDUAL.items()}
    for network, reference in (("published", reported), ("own", {})):
        patients(result["models"][network], reference, folder / f"bars-{network}.png")
    own = {KINDS[kind]: list(each.values()) for kind, each in judged["own"].items()}
    plots.reliability(own, folder / "reliability.png")
    plots.precision_recall(own, folder / "precision-recall.png")


def symbols(counts: Mapping[str, int], path: Path) -> None:
    """Draw how many beats there are of each annotation symbol."""
    names = sorted(counts, key=lambda name: -counts[name])
    figure, axes = plt.subplots(figsize=(8, 3.2), layout="constrained")
    colours = [TRAINING if name == "N" else VALIDATION for name in names]
    drawn = axes.bar(names, [counts[name] for name in names], color=colours)
    axes.bar_label(drawn, [f"{counts[name]:,}" for name in names], fontsize=8)
    axes.set(xlabel="annotation symbol (grey: normal)", ylabel="beats", yscale="log")
    axes.margins(y=0.1)
    plots._save(figure, path)


def windows(counts: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Draw every patient's windows by part, and the share of abnormal ones."""
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(10, 4.6), sharex=True, layout="constrained", height_ratios=(3, 2)
    )
    bottom = np.zeros(len(counts))
    for part, colour in zip(("train", "validation", "test"), plots.COLOURS, strict=False):
        heights = np.array([each[part] for each in counts.values()])
        above.bar(list(counts), heights, bottom=bottom, label=part, color=colour)
        bottom += heights
    above.set(ylabel="windows", ylim=(0, 1.25 * bottom.max()))
    above.legend(loc="upper right", ncols=3)
    below.bar(list(counts), [each["positive_rate"] for each in counts.values()], color=VALIDATION)
    below.set(ylabel="share abnormal", ylim=(0, 1))
    below.tick_params("x", rotation=90)
    below.margins(x=0.01)
    plots._save(figure, path)


def pretraining(tracks: Mapping[str, Track], path: Path) -> None:
    """Draw loss and balanced accuracy of the generic networks, with the epoch that was kept."""
    figure, rows = plt.subplots(
        2, len(tracks), figsize=(10, 5), sharex="col", layout="constrained", squeeze=False
    )
    for column, (name, track) in zip(rows.T, tracks.items(), strict=True):
        _epochs(column, track.pretrained.epochs, track.pretrained.best)
        column[0].set_title(NETWORKS[name])
    rows[0][0].legend()
    plots._save(figure, path)


def curves(track: Track, path: Path) -> None:
    """Draw loss and balanced accuracy of one patient's networks, with the epoch that was kept."""
    kinds = (INDIVIDUAL, SEARCHED)
    figure, rows = plt.subplots(
        2, len(kinds), figsize=(10, 5), sharex="col", sharey="row", layout="constrained"
    )
    for column, kind in zip(rows.T, kinds, strict=True):
        found = track.found[kind][shown(track)]
        _epochs(column, found.epochs, found.best)
        column[0].set_title(f"{shown(track)}, {KINDS[kind]}")
    rows[0][0].legend()
    plots._save(figure, path)


def shown(track: Track) -> str:
    """Return whose curves are drawn: `SHOWN`, or the first patient where that one is missing."""
    return SHOWN if SHOWN in track.patients else next(iter(track.patients))


def _epochs(column: Sequence[Axes], epochs: Sequence[tuple[float, ...]], best: int) -> None:
    """Draw a column of two: losses above, validation balanced accuracy below."""
    training, balanced, validation = np.array(epochs).T
    number = np.arange(1, len(epochs) + 1)
    column[0].plot(number, training, label="training", color=TRAINING, marker=".")
    column[0].plot(number, validation, label="validation", color=VALIDATION, marker=".")
    column[1].plot(number, balanced, color=VALIDATION, marker=".")
    for axes in column:
        axes.axvline(best + 1, color="black", linewidth=0.8, linestyle=":", label="kept")
    column[0].set(ylabel="loss")
    column[1].set(ylabel="balanced accuracy", xlabel="epoch")


def histograms(models: Mapping[str, Mapping[str, Mapping[str, Any]]], path: Path) -> None:
    """Draw how many patients have which balanced accuracy; dashed lines are the means."""
    kinds = (INDIVIDUAL, FINE_TUNED, SEARCHED)
    figure, row = plt.subplots(1, len(models), figsize=(10, 3.6), layout="constrained")
    for axes, (name, by_kind) in zip(row, models.items(), strict=True):
        values = [list(by_kind[kind]["per_patient"].values()) for kind in kinds]
        width = BIN[name]
        last = round(1 / width)
        first = min(np.floor(min(map(min, values)) / width), last - 1)
        edges = np.arange(first, last + 1) * width
        names, colours = [KINDS[kind] for kind in kinds], [COLOURS[kind] for kind in kinds]
        axes.hist(values, edges, label=names, color=colours)
        for kind in kinds:
            axes.axvline(by_kind[kind]["mean"], color=COLOURS[kind], linestyle="--", linewidth=1.2)
        axes.set(title=NETWORKS[name], xlabel="balanced accuracy", ylabel="patients")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xticks(edges[:: max(1, len(edges) // 8)])
        axes.legend(loc="upper left")
    plots._save(figure, path)


def patients(
    by_kind: Mapping[str, Mapping[str, Any]], reported: Mapping[str, float], path: Path
) -> None:
    """Draw every patient's balanced accuracy, one bar for each kind of model.

    Parameters
    ----------
    by_kind : mapping of str to mapping
        Figures by kind of model, as in the result file.
    reported : mapping of str to float
        What the publication reports of its individual networks; empty to leave it out.
    path : Path
        The file to write.
    """
    names = list(by_kind[INDIVIDUAL]["per_patient"])
    figure, axes = plt.subplots(figsize=(max(8, 0.42 * len(names)), 4), layout="constrained")
    width = 0.8 / len(KINDS)
    for number, (kind, label) in enumerate(KINDS.items()):
        heights = [by_kind[kind]["per_patient"][name] for name in names]
        at = np.arange(len(names)) + (number - (len(KINDS) - 1) / 2) * width
        axes.bar(at, heights, width, label=label, color=COLOURS[kind])
    places = [place for place, name in enumerate(names) if name in reported]
    if places:
        axes.hlines(
            [reported[names[place]] for place in places],
            np.array(places) - 0.45,
            np.array(places) + 0.45,
            color="black",
            label="individual as the publication reports it",
        )
    axes.set_xticks(np.arange(len(names)), names, rotation=90)
    lowest = min(min(each["per_patient"].values()) for each in by_kind.values())
    axes.set(ylabel="balanced accuracy", ylim=(min(np.floor(10 * lowest) / 10, 0.9), 1.005))
    axes.margins(x=0.01)
    figure.legend(loc="outside upper center", ncols=len(KINDS) + 1)
    plots._save(figure, path)
