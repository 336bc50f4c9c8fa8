"""Plot of an enrolment's beats drawn over each other, which shows a wrongly labelled beat."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.core.labels import ABNORMAL, NORMAL, UNLABELLED
from trainer.enrolment.drawing import COLOURS
from trainer.enrolment.labelled import beat_labels
from trainer.enrolment.signal import EnrolmentSignal

HEIGHT: Final = 3.2
"""Height of the plot, in inches."""
BEFORE: Final = round(0.25 * RATE)
"""A beat is drawn from this many samples before it on."""
AFTER: Final = round(0.42 * RATE)
"""A beat is drawn up to this many samples after it."""
WITHIN: Final = slice(BEFORE - round(0.1 * RATE), BEFORE + round(0.25 * RATE))
"""Beats are compared in this part of the drawn samples, which excludes the next beat."""
MOST: Final = 60
"""At most this many beats of a label are drawn, among them those least like their mean."""
Kind = tuple[str, int, str]
"""Name of a label, the label, and its colour in `COLOURS`."""
NO_LABEL: Final[Kind] = ("no label", UNLABELLED, "faint")
KINDS: Final[tuple[Kind, ...]] = (
    ("normal", NORMAL, "normal"),
    ("abnormal", ABNORMAL, "abnormal"),
    NO_LABEL,
)
"""Labels of beats in an enrolment of a model of windows."""


def draw(figure: Figure, signal: EnrolmentSignal) -> None:
    """Draw the beats of an enrolment of a model of windows; see `draw_beats`."""
    draw_beats(figure, signal.beats, signal.filtered, beat_labels(signal), KINDS)


def draw_beats(
    figure: Figure,
    beats: NDArray[np.int64],
    filtered: NDArray[np.float32],
    every: NDArray[np.int8],
    kinds: Sequence[Kind],
) -> None:
    """Draw the beats of each label with their mean, and the mean of the normal beats.

    Parameters
    ----------
    figure : Figure
        Figure to draw into.
    beats : ndarray of int64, shape (n,)
        Sample index of each beat.
    filtered : ndarray of float32, shape (samples,)
        The band-passed signal in mV.
    every : ndarray of int8, shape (n,)
        The label of each beat that was fitted to.
    kinds : sequence of Kind
        Labels, each drawn in a panel of its own.
    """
    reach = np.arange(-BEFORE, AFTER)
    complete = (beats >= BEFORE) & (beats < len(filtered) - AFTER)
    waves = filtered[beats[complete, None] + reach]
    labels = every[complete]  # a beat at the very end is counted but not drawn
    panels = figure.subplots(1, len(kinds), sharex=True, sharey=True)
    for axes, (name, label, colour) in zip(panels, kinds, strict=True):
        of_label = waves[labels == label]
        if len(of_label):
            _overlaid(axes, reach / RATE, of_label, COLOURS[colour])
        if label != NORMAL and np.any(labels == NORMAL):
            usual = waves[labels == NORMAL].mean(axis=0)
            axes.plot(reach / RATE, usual, color=COLOURS["normal"], linewidth=1.5, linestyle="--")
        axes.set_title(f"{name}: {np.sum(every == label)} beats", fontsize=10)
        axes.set_xlabel("seconds")
    panels[0].set_ylabel("mV")


def _overlaid(
    axes: Axes, seconds: NDArray[np.float64], waves: NDArray[np.float32], colour: str
) -> None:
    """Draw beats as thin lines, and their mean as a bold one."""
    mean = waves.mean(axis=0)
    by_distance = np.argsort(-np.linalg.norm((waves - mean)[:, WITHIN], axis=1), kind="stable")
    far, others = np.split(by_distance, [min(MOST // 2, len(waves))])
    spread = np.linspace(0, len(others) - 1, min(MOST - MOST // 2, len(others))).round()
    drawn = waves[[*far, *others[spread.astype(int)]], ::2]
    lines = [np.column_stack([seconds[::2], wave]) for wave in drawn]
    axes.add_collection(LineCollection(lines, colors=colour, linewidths=0.5, alpha=0.45))
    axes.plot(seconds, mean, color=COLOURS["paper"], linewidth=5)
    axes.plot(seconds, mean, color=colour, linewidth=2.5)
    axes.autoscale_view()
