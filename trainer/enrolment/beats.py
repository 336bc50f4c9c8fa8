"""Distance between two beats of a wearer: shape, rhythm and the generic network's features."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from ecgmon.core.constants import RATE
from trainer.data.dataset import RecordSet
from trainer.networks.window_networks import BeatNet

# Chosen on splits.CHOOSING, by the windows that twenty answers label wrongly.
SHAPE: Final = 4.0
"""Weight of the waveform in the distance between beats."""
PREVIOUS: Final = 3.0
"""Weight of the RR interval before a beat."""
NEXT: Final = 1.5
"""Weight of the RR interval after a beat."""
SEEN: Final = 0.5
"""Weight of the network's features."""
AROUND: Final = 36
"""The waveform is this many model samples long to each side of a beat: 0.3 s."""
SHIFT: Final = 7
"""A waveform is shifted by at most this many model samples to align it, the detector's jitter."""
NEARBY: Final = 8
"""The usual RR interval is the median of this many intervals to each side."""
STEEPEST: Final = 0.7
"""The log-ratio of an RR interval to the usual one is limited to this: half or twice as long."""
DECIDED_BY: Final = {
    "shape": SHAPE,
    "previous": PREVIOUS,
    "next": NEXT,
    "seen": SEEN,
    "around": AROUND,
    "shift": SHIFT,
    "nearby": NEARBY,
    "steepest": STEEPEST,
}
"""Settings that decide how beats are described."""


class WearerBeats:
    """Beats of a wearer, described by a generic network.

    Parameters
    ----------
    network : BeatNet
        The generic network.
    record : RecordSet
        The wearer's record.
    at : ndarray of int64, shape (n,)
        Sample index of each beat.

    Attributes
    ----------
    distance : ndarray of float64, shape (n, n)
        Distance between beats; about 1 between two different kinds of beat.
    suspicion : ndarray of float64, shape (n,)
        The generic network's probability that a beat is abnormal.
    """

    def __init__(self, network: BeatNet, record: RecordSet, at: NDArray[np.int64]) -> None:
        geometry = network.geometry
        seconds = int(at[-1]) // RATE + 1
        stop = seconds * geometry.rate + geometry.inputs - geometry.rate
        signal = record.stream[:stop]
        if geometry.unit == "window":
            signal = signal / np.median(record.scale[:seconds])
        with torch.inference_mode():
            features = network.features(torch.from_numpy(signal[None]))
            abnormal = network.outputs(features)[0, 0].numpy()
        middle = at * geometry.rate // RATE + round(geometry.history_s * geometry.rate)
        reach = np.arange(-AROUND - SHIFT, AROUND + SHIFT)
        waves = signal[np.clip(middle[:, None] + reach, 0, len(signal) - 1)]
        described = [
            SHAPE * shapes(waves.astype(np.float64)),
            PREVIOUS * rhythm(at)[:, :1],
            NEXT * rhythm(at)[:, 1:],
            SEEN * _averages(features[0].numpy(), at),
        ]
        everything = np.concatenate(described, axis=1)
        self.distance: NDArray[np.float64] = cdist(everything, everything)
        self.suspicion = 1 / (1 + np.exp(-_highest(abnormal, at, network.steps_per_second)))


def shapes(waves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Align waveforms with the median one, in units of the usual amplitude.

    Parameters
    ----------
    waves : ndarray of float64, shape (n, 2 * (AROUND + SHIFT))
        The signal around each beat.

    Returns
    -------
    ndarray of float64, shape (n, 2 * AROUND)
    """
    usual = np.median(waves, axis=0)[SHIFT:-SHIFT]
    shifted = np.lib.stride_tricks.sliding_window_view(waves, 2 * AROUND, axis=1)
    best = np.argmax(shifted @ usual, axis=1)
    aligned = shifted[np.arange(len(waves)), best]
    amplitude = float(np.median(np.ptp(aligned, axis=1)))
    result: NDArray[np.float64] = aligned / amplitude / np.sqrt(2 * AROUND)
    return result


def rhythm(at: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the log-ratio of the RR intervals before and after to the usual one, shape (n, 2)."""
    intervals = np.diff(at) / RATE
    usual = float(np.median(intervals)) if len(intervals) else 1.0
    padded = np.array([usual, *intervals, usual])
    local = np.array(
        [np.median(padded[max(i - NEARBY, 0) : i + NEARBY + 1]) for i in range(len(at))]
    )
    ratios = np.log(np.stack([padded[:-1], padded[1:]], axis=1) / local[:, None])
    clipped: NDArray[np.float64] = np.clip(ratios, -STEEPEST, STEEPEST)
    return clipped


def _averages(features: NDArray[np.float32], at: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the network's features around each beat, in units of their usual spread."""
    per_second = BeatNet.steps_per_second // BeatNet.fine
    steps = (at * per_second // RATE)[:, None] + np.arange(-1, 3)
    around = features[:, np.clip(steps, 0, features.shape[1] - 1)].mean(axis=2).T
    result: NDArray[np.float64] = around / max(float(np.std(around)), 1e-3) / np.sqrt(len(features))
    return result


def _highest(
    logits: NDArray[np.float32], at: NDArray[np.int64], per_second: int
) -> NDArray[np.float64]:
    """Return the highest output within 5 steps of each beat."""
    steps = (at * per_second // RATE)[:, None] + np.arange(-5, 6)
    highest: NDArray[np.float64] = logits[np.clip(steps, 0, len(logits) - 1)].max(axis=1)
    return highest.astype(np.float64)
