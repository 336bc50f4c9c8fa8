"""Premature beats made from a wearer's own normal ones, to learn what timing alone tells.

A supraventricular premature beat often has the shape of a normal one and only comes too early. Many
wearers show none in their first minutes. Taking a piece out of the pause before a normal beat of
a regular rhythm makes one: what follows moves forward with it, as after an atrial premature beat
that resets the sinus node.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

NORMAL_BEAT: Final = 1
ABNORMAL_BEAT: Final = 2
COUPLING: Final = (0.5, 0.82)
"""RR interval of a premature beat as a share of the usual one. A premature beat is one that comes
clearly early; from about 0.85 on it is sinus arrhythmia's range."""
REGULAR: Final = 0.12
"""RR intervals around must not differ more from their median, relatively: in an irregular rhythm
(atrial fibrillation) a short interval is nothing abnormal."""
BEFORE_S: Final = (0.1, 0.2)
"""The piece ends so long before the beat: with its P wave kept, or gone as in a junctional beat."""
AFTER_S: Final = 0.24
"""The piece starts at least so long after the beat before it: QRS and ST segment stay."""
FADE: Final = 8
"""Samples over which the two ends are blended."""
LONGEST_S: Final = 2
"""No more than this is taken out in all."""
RUN_ON: Final = 0.4
"""Chance that after a premature beat the next one comes as early too."""


@dataclass(frozen=True, eq=False, slots=True)
class Stretch:
    """A stretch of signal and what is known of it.

    Parameters
    ----------
    signal : ndarray of float32, shape (history + samples a step * n + look-ahead,)
        The signal.
    beats : ndarray of int8, shape (n,)
        For each step along time 0, `NORMAL_BEAT` or `ABNORMAL_BEAT`.
    known : ndarray of bool, shape (n,)
        Whether the step's annotations may be used.
    """

    signal: NDArray[np.float32]
    beats: NDArray[np.int8]
    known: NDArray[np.bool_]


def premature(
    stretch: Stretch,
    rate: int,
    steps: int,
    history: int,
    rng: np.random.Generator,
    run_on: float = RUN_ON,
) -> Stretch:
    """Make a normal beat of a stretch, or a run of them, come early.

    Parameters
    ----------
    stretch : Stretch
        Where beats are looked for; those that are not known are not there.
    rate, steps : int
        Samples and steps in a second.
    history : int
        Samples before the first step.
    rng : numpy.random.Generator
        Chooses the beats, how early they come and where the pieces are cut.
    run_on : float
        Chance that another early beat follows an early one.

    Returns
    -------
    Stretch
        Shorter by the pieces taken out; the same where no regular rhythm is found.
    """
    beats = np.where(stretch.known, stretch.beats, 0)
    at = np.flatnonzero(beats)
    candidates = [
        k
        for k in range(2, len(at) - 1)
        if _regular(at[k - 2 : k + 2], beats) and stretch.known[at[k - 2] : at[k + 1]].all()
    ]
    if not candidates:
        return stretch
    first = int(rng.choice(candidates))
    usual = int(at[first - 1] - at[first - 2])
    coupling, before = rng.uniform(*COUPLING), rng.uniform(*BEFORE_S)
    run = [first]
    while run[-1] + 1 in candidates and rng.random() < run_on:
        run.append(run[-1] + 1)
    labelled, gone = beats.copy(), np.zeros(len(beats), dtype=bool)
    for k in run:
        interval, stop = int(at[k] - at[k - 1]), int(at[k] - round(before * steps))
        piece = min(
            interval - round(coupling * usual),
            stop - int(at[k - 1]) - round(AFTER_S * steps),
        )
        if piece < (1 - COUPLING[1]) * usual or gone.sum() + piece > LONGEST_S * steps:
            break
        labelled[at[k]] = ABNORMAL_BEAT
        gone[stop - piece : stop] = True
    if not gone.any():
        return stretch
    return Stretch(
        _cut(stretch.signal, gone, rate // steps, history),
        labelled[~gone].astype(np.int8),
        stretch.known[~gone],
    )


def _regular(at: NDArray[np.intp], beats: NDArray[np.int8]) -> bool:
    intervals = np.diff(at)
    middle = np.median(intervals)
    return bool(
        (beats[at] == NORMAL_BEAT).all() and (np.abs(intervals - middle) <= REGULAR * middle).all()
    )


def _cut(
    signal: NDArray[np.float32], gone: NDArray[np.bool_], per_step: int, history: int
) -> NDArray[np.float32]:
    """Take out the samples of steps that are gone, and blend the ends of each piece."""
    edges = np.flatnonzero(np.diff(gone.astype(np.int8), prepend=0, append=0))
    weight = np.linspace(0, 1, FADE, dtype=np.float32)
    blended = signal.copy()
    for start, stop in (history + per_step * edges.reshape(-1, 2)).tolist():
        after = slice(stop, stop + FADE)
        blended[after] = (1 - weight) * signal[start : start + FADE] + weight * signal[after]
    keep = np.ones(len(signal), dtype=bool)
    keep[history : history + per_step * len(gone)] = ~np.repeat(gone, per_step)
    return blended[keep]
