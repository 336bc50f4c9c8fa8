"""Timeline plot of an enrolment: each second's label, and the probabilities of two models."""

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ecgmon.core.labels import ABNORMAL, NORMAL, UNLABELLED
from ecgmon.signal.quality import ABSENT, NOISY
from trainer.enrolment.drawing import COLOURS
from trainer.enrolment.enrol import HELD_OUT_S
from trainer.enrolment.enrolled import Enrolled

ROW_S: Final = 300
"""A plot shows at most this many seconds."""
HEIGHT: Final = 3.6
"""Height of a plot, in inches."""
TOP: Final = 1.25
"""Upper limit of the probability axis; crosses are drawn between 1 and this."""


def draw(
    figure: Figure,
    done: Enrolled,
    old: NDArray[np.float32],
    new: NDArray[np.float32],
    start: int,
) -> None:
    """Draw up to `ROW_S` seconds of an enrolment.

    Parameters
    ----------
    figure : Figure
        Figure to draw into.
    done : Enrolled
        The enrolment.
    old, new : ndarray of float32, shape (seconds,)
        Probabilities of the two models (`Enrolled.probability`).
    start : int
        First second of the plot.
    """
    part = slice(start, min(start + ROW_S, done.signal.seconds))
    labels, minute = done.signal.record.labels[part], done.signal.seconds - HELD_OUT_S
    lanes, before, after = figure.subplots(3, 1, sharex=True, height_ratios=(1.2, 1, 1))
    _lanes(lanes, labels, done.signal.state[part], start)
    _probability(before, old[part], labels, done.old.card.threshold, start)
    _probability(after, new[part], labels, done.new.card.threshold, start)
    before.set_ylabel("old model")
    after.set_ylabel("new model")
    if part.start <= minute < part.stop:
        for axes in (lanes, before, after):
            axes.axvline(minute, color=COLOURS["ink"], linewidth=1, linestyle=":")
        lanes.text(minute + 1, 5.1, "the last minute", fontsize=8)
    ticks = np.arange(start, start + ROW_S + 1, 30)
    after.set_xticks(ticks, [f"{tick // 60}:{tick % 60:02}" for tick in ticks.tolist()])
    after.set(xlim=(start, start + min(ROW_S, done.signal.seconds)))


def _lanes(axes: Axes, labels: NDArray[np.int8], state: NDArray[np.int8], start: int) -> None:
    """Draw each second in the lane of its state or label, so that it is known without colour."""
    lanes = (
        ("no signal", state == ABSENT, "unusable"),
        ("noisy", state == NOISY, "unusable"),
        ("no label", labels == UNLABELLED, "faint"),
        ("normal", labels == NORMAL, "normal"),
        ("abnormal", labels == ABNORMAL, "abnormal"),
    )
    edges = start + np.arange(len(labels) + 1)
    for lane, (_, which, colour) in enumerate(lanes):
        top = np.where(which, lane + 0.9, np.nan)
        axes.stairs(top, edges, baseline=lane + 0.1, fill=True, color=COLOURS[colour])
        axes.axhline(lane, color=COLOURS["unusable"], linewidth=0.4)
    axes.set_yticks(np.arange(len(lanes)) + 0.5, [name for name, _, _ in lanes])
    axes.tick_params(length=0)
    axes.set(ylim=(0, len(lanes)))


def _probability(
    axes: Axes,
    probabilities: NDArray[np.float32],
    labels: NDArray[np.int8],
    threshold: float,
    start: int,
) -> None:
    """Draw a bar for each second, the threshold, and a cross over each wrong second."""
    edges = start + np.arange(len(probabilities) + 1)
    asked, abnormal = np.isfinite(probabilities), probabilities >= threshold
    height = np.maximum(probabilities, 0.02)  # so that a probability of about 0 is visible
    for colour, which in (("normal", asked & ~abnormal), ("abnormal", abnormal)):
        drawn = np.where(which, height, np.nan)
        axes.stairs(drawn, edges, fill=True, color=COLOURS[colour])
    veil = np.where(asked, np.nan, TOP)
    axes.stairs(veil, edges, fill=True, color=COLOURS["unusable"], alpha=0.4)
    axes.axhline(threshold, color=COLOURS["ink"], linewidth=0.8, linestyle="--")
    beside = axes.get_yaxis_transform()
    axes.text(1.004, threshold, f"{threshold:.2f}", transform=beside, va="center", fontsize=8)
    wrong = np.flatnonzero(asked & (labels != UNLABELLED) & (abnormal != (labels == ABNORMAL)))
    crosses = start + wrong + 0.5, np.full(len(wrong), TOP - 0.1)
    axes.plot(*crosses, "x", color=COLOURS["ink"], markersize=4)
    axes.set(ylim=(0, TOP), yticks=(0, 0.5, 1))
