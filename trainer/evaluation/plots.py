"""Plots of results, as PNG files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from ecgmon.core.labels import ABNORMAL
from trainer.evaluation.figures import JudgedWindows, calibration

mpl.use("agg")  # files, never a window
COLOURS: Final = ("#8a8f98", "#1b9e77", "#7570b3", "#d95f02", "#e7298a")


def bars(values: Mapping[str, Sequence[float | None]], names: Sequence[str], path: Path) -> None:
    """Draw a figure of each wearer, one bar for each kind of model.

    Parameters
    ----------
    values : mapping of str to sequence
        Balanced accuracies by kind of model, None where a wearer lacks a class.
    names : sequence of str
        The wearers.
    path : Path
        The file to write.
    """
    figure, axes = plt.subplots(figsize=(max(8, 0.28 * len(names)), 3.6), layout="constrained")
    width = 0.8 / len(values)
    for number, (kind, each) in enumerate(values.items()):
        heights = [np.nan if value is None else value for value in each]
        at = np.arange(len(names)) + number * width
        axes.bar(at, heights, width, label=kind, color=COLOURS[number])
    axes.set_xticks(np.arange(len(names)) + 0.4 - width / 2, names, rotation=90)
    axes.set(ylabel="balanced accuracy", ylim=(0.4, 1.0))
    axes.margins(x=0.01)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(values), frameon=False)
    _save(figure, path)


def reliability(judged: Mapping[str, Sequence[JudgedWindows]], path: Path) -> None:
    """Draw the share of abnormal windows against the probability given, by kind of model."""
    figure, axes = plt.subplots(figsize=(4.2, 4), layout="constrained")
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle=":")
    for (kind, each), colour in zip(judged.items(), COLOURS, strict=False):
        points = np.array(calibration(each)["bins"])
        axes.plot(points[:, 0], points[:, 1], marker="o", label=kind, color=colour)
    axes.set(xlabel="probability of abnormal", ylabel="share abnormal", xlim=(0, 1), ylim=(0, 1))
    axes.legend()
    _save(figure, path)


def precision_recall(judged: Mapping[str, Sequence[JudgedWindows]], path: Path) -> None:
    """Draw positive predictive value against sensitivity over all thresholds, windows pooled."""
    figure, axes = plt.subplots(figsize=(4.2, 4), layout="constrained")
    for (kind, each), colour in zip(judged.items(), COLOURS, strict=False):
        probability = np.concatenate([j.known for j in each])
        truth = np.concatenate([j.truth for j in each])[np.argsort(-probability)]
        found = np.cumsum(truth)
        axes.plot(found / found[-1], found / np.arange(1, len(truth) + 1), label=kind, color=colour)
    axes.set(
        xlabel="sensitivity", ylabel="positive predictive value", xlim=(0.4, 1), ylim=(0.4, 1.01)
    )
    axes.legend(loc="lower left")
    _save(figure, path)


def timeline(judged: Mapping[str, JudgedWindows], path: Path) -> None:
    """Draw truth and probability of one wearer's windows over time, by kind of model."""
    rows_drawn = 1 + len(judged)
    figure, rows = plt.subplots(
        rows_drawn, 1, figsize=(10, 1.2 * rows_drawn), sharex=True, layout="constrained"
    )
    truth = next(iter(judged.values())).labels == ABNORMAL
    minutes = np.arange(len(truth)) / 60
    rows[0].fill_between(minutes, truth, step="post", color="black", linewidth=0)
    rows[0].set(ylabel="truth", yticks=[])
    for axes, (kind, each), colour in zip(rows[1:], judged.items(), COLOURS, strict=False):
        axes.fill_between(minutes, each.probability, step="post", color=colour, linewidth=0)
        axes.set(ylabel=kind, ylim=(0, 1))
    rows[-1].set_xlabel("minutes of what is scored")
    _save(figure, path)


def worst(judged: Mapping[str, Mapping[str, JudgedWindows]], path: Path) -> None:
    """Draw truth and probabilities over time of some wearers, one row for each.

    Parameters
    ----------
    judged : mapping of str to mapping of str to JudgedWindows
        Windows by kind of model, by wearer.
    path : Path
        The file to write.
    """
    figure, rows = plt.subplots(
        len(judged), 1, figsize=(10, 0.9 * len(judged)), layout="constrained", squeeze=False
    )
    for axes, (wearer, kinds) in zip(rows[:, 0], judged.items(), strict=True):
        labels = next(iter(kinds.values())).labels
        minutes = np.arange(len(labels)) / 60
        truth = (labels == ABNORMAL) * 0.15
        axes.fill_between(minutes, 1.05, 1.05 + truth, step="post", color="black", linewidth=0)
        for (kind, each), colour in zip(kinds.items(), COLOURS, strict=False):
            axes.plot(minutes, each.probability, color=colour, linewidth=0.4, label=kind)
            axes.axhline(each.threshold, color=colour, linewidth=0.4, linestyle=":")
        axes.set(ylabel=wearer, ylim=(0, 1.2), yticks=[0, 1])
        axes.margins(x=0)
    rows[0, 0].legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4, frameon=False)
    rows[-1, 0].set_xlabel("minutes of what is scored; truth on top, dotted: threshold")
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
