"""Rhythms made from a wearer's own: premature beats and a faster heart.

A supraventricular premature beat often has the shape of a normal one and only comes too early. Many
wearers show none in their first minutes. Taking a piece out of the pause before a normal beat of
a regular rhythm makes one: what follows moves forward with it, as after an atrial premature beat
that resets the sinus node.

Nor is the rate of the first minutes that of the whole day. Taking pieces out of all pauses alike
makes the same rhythm faster, and what was normal stays normal.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

NORMAL_BEAT: Final = 1
ABNORMAL_BEAT: Final = 2
ABNORMAL_RHYTHM: Final = 3
"""Marks all steps of a second of fibrillation, flutter or ventricular tachycardia in which no beats
are named: it is abnormal, wherever its beats are."""
NORMAL_RHYTHM: Final = 4
"""The same of a second of a normal rhythm in which no beats are named."""
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
FASTER: Final = (0.72, 1.0)
"""RR interval of the faster rhythm as a share of the wearer's."""
VARIATION: Final = 0.02
"""Standard deviation of that share from beat to beat."""
BEFORE_P_S: Final = (0.15, 0.25)
"""The pieces end so long before each beat: at its P wave."""
AFTER_T_S: Final = 0.28
"""And they start at least so long after the beat before."""
SHORTER_S: Final = 5
"""No more than this is taken out in all."""
DECIDED_BY: Final = {
    "coupling": COUPLING,
    "regular": REGULAR,
    "before, s": BEFORE_S,
    "after, s": AFTER_S,
    "fade": FADE,
    "longest, s": LONGEST_S,
    "faster": FASTER,
    "variation": VARIATION,
    "before_p, s": BEFORE_P_S,
    "after_t, s": AFTER_T_S,
    "shorter, s": SHORTER_S,
}
"""What decides how rhythms are made."""


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
    labelled, gone = beats.astype(np.int8), np.zeros(len(beats), dtype=bool)
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
    return _without(stretch, gone, labelled, rate // steps, history)


def faster(
    stretch: Stretch, rate: int, steps: int, history: int, rng: np.random.Generator
) -> Stretch:
    """Shorten the pauses before the normal beats of a stretch, all by about the same share.

    Parameters
    ----------
    stretch, rate, steps, history
        As `premature` takes them.
    rng : numpy.random.Generator
        Chooses how much faster and where the pieces are cut.

    Returns
    -------
    Stretch
        Shorter by the pieces taken out, `SHORTER_S` at most; the labels of its beats are the same.
    """
    beats = np.where(stretch.known, stretch.beats, 0)
    at = np.flatnonzero(beats)
    interval, before = rng.uniform(*FASTER), rng.uniform(*BEFORE_P_S)
    gone = np.zeros(len(beats), dtype=bool)
    for previous, beat in pairwise(at.tolist()):
        normal = beats[previous] == beats[beat] == NORMAL_BEAT
        if not (normal and stretch.known[previous:beat].all()):
            continue
        stop = beat - round(before * steps)
        share = min(interval + rng.normal(0, VARIATION), 1)
        piece = min(
            beat - previous - round(share * (beat - previous)),
            stop - previous - round(AFTER_T_S * steps),
        )
        if piece > 0 and gone.sum() + piece <= SHORTER_S * steps:
            gone[stop - piece : stop] = True
    return _without(stretch, gone, stretch.beats, rate // steps, history)


def _without(
    stretch: Stretch,
    gone: NDArray[np.bool_],
    beats: NDArray[np.int8],
    per_step: int,
    history: int,
) -> Stretch:
    if not gone.any():
        return stretch
    signal = _cut(stretch.signal, gone, per_step, history)
    return Stretch(signal, beats[~gone], stretch.known[~gone])


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
