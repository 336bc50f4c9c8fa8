"""How alike beats are to a beat network: shape, rhythm, and what the network makes of them."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from torch import Tensor

from ecgmon.signal.beat_segments import BEAT_RATE, LENGTH
from trainer.data.beats.kachuee import CLASSES
from trainer.data.beats.leads import LeadBeats
from trainer.enrolment.beats import AROUND, NEXT, PREVIOUS, SEEN, SHAPE, SHIFT, rhythm, shapes
from trainer.networks.beat_context_net import BeatContextNet

ASKED: Final = ("N", "S", "V")
"""Classes that a clinician can name, by their numbers in `CLASSES`."""
_R_PEAK: Final = BEAT_RATE
"""Sample of an input at which the R peak is: a second of signal lies before it."""


def alike(
    network: BeatContextNet, beats: LeadBeats
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Describe beats by a generic network.

    Parameters
    ----------
    network : BeatContextNet
        In evaluation mode.
    beats : LeadBeats
        All of them are described.

    Returns
    -------
    ndarray of float64, shape (n, n)
        Distance between beats, as `trainer.enrolment.beats.WearerBeats` has it.
    ndarray of float64, shape (n, classes of `ASKED`)
        The network's probability of each class; that of a fusion beat counts as ventricular.
    """
    seen: list[Tensor] = []
    hook = network.output[-1].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    try:
        with torch.inference_mode():
            every = torch.softmax(network(torch.from_numpy(beats.inputs)), dim=1).double().numpy()
    finally:
        hook.remove()
    features = seen[0].double().numpy()
    reach = np.arange(-AROUND - SHIFT, AROUND + SHIFT)
    waves = beats.inputs[:, :LENGTH][:, _R_PEAK + reach].astype(np.float64)
    intervals = rhythm(beats.samples)
    described = [
        SHAPE * shapes(waves),
        PREVIOUS * intervals[:, :1],
        NEXT * intervals[:, 1:],
        SEEN * features / max(float(np.std(features)), 1e-3) / np.sqrt(features.shape[1]),
    ]
    everything = np.concatenate(described, axis=1)
    probabilities = every[:, [CLASSES.index(name) for name in ASKED]]
    probabilities[:, ASKED.index("V")] += every[:, CLASSES.index("F")]
    return cdist(everything, everything), probabilities
