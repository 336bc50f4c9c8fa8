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
BEFORE_S: Final = (0.06, 0.2)
"""The piece ends so long before the beat: with its P wave kept, or gone as in a junctional beat."""
AFTER_S: Final = 0.24
"""The piece starts at least so long after the beat before it: QRS and ST segment stay."""
FADE: Final = 8
"""Samples over which the two ends are blended."""
LONGEST_S: Final = 1
"""No longer piece is taken out."""


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
    stretch: Stretch, rate: int, steps: int, history: int, rng: np.random.Generator
) -> Stretch:
    """Make one normal beat of a stretch come early.

    Parameters
    ----------
    stretch : Stretch
        Where the beat is looked for; beats that are not known are not there.
    rate, steps : int
        Samples and steps in a second.
    history : int
        Samples before the first step.
    rng : numpy.random.Generator
        Chooses the beat, how early it comes and where the piece is cut.

    Returns
    -------
    Stretch
        Shorter by the piece taken out; the same where no regular rhythm is found.
    """
    beats = np.where(stretch.known, stretch.beats, 0)
    at = np.flatnonzero(beats)
    candidates = [k for k in range(2, len(at) - 1) if _regular(at[k - 2 : k + 2], beats)]
    if not candidates:
        return stretch
    k = int(rng.choice(candidates))
    usual = int(at[k - 1] - at[k - 2])
    coupling, before = rng.uniform(*COUPLING), rng.uniform(*BEFORE_S)
    stop = int(at[k] - round(before * steps))
    piece = min(
        LONGEST_S * steps,
        int(at[k] - at[k - 1]) - round(coupling * usual),
        stop - int(at[k - 1]) - round(AFTER_S * steps),
    )
    if piece < (1 - COUPLING[1]) * usual:
        return stretch
    labelled = beats.copy()
    labelled[at[k]] = ABNORMAL_BEAT
    gone = np.arange(stop - piece, stop)
    per_step = rate // steps
    return Stretch(
        _cut(stretch.signal, history + per_step * (stop - piece), per_step * piece),
        np.delete(labelled, gone).astype(np.int8),
        np.delete(stretch.known, gone),
    )


def _regular(at: NDArray[np.intp], beats: NDArray[np.int8]) -> bool:
    intervals = np.diff(at)
    middle = np.median(intervals)
    return bool(
        (beats[at] == NORMAL_BEAT).all() and (np.abs(intervals - middle) <= REGULAR * middle).all()
    )


def _cut(signal: NDArray[np.float32], at: int, length: int) -> NDArray[np.float32]:
    """Take samples out and blend the ends."""
    weight = np.linspace(0, 1, FADE, dtype=np.float32)
    blended = (1 - weight) * signal[at : at + FADE]
    blended += weight * signal[at + length : at + length + FADE]
    return np.concatenate([signal[:at], blended, signal[at + length + FADE :]])
