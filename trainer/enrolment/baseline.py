"""Enrolment of a wearer who is declared to be in the usual rhythm: nothing abnormal is known.

Nothing is fitted to labels: the generic network keeps all it knows. What the wearer's own seconds
look like inside it becomes a code book, and how far a second is from it, its *novelty*, is added
to the network's logit. The threshold follows what the network says of the usual seconds. The
amplitude scale is the signal chain's, which follows every wearer.
"""

import math
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans
from torch import Tensor
from torch.nn import functional

from ecgmon.core.errors import BundleError, UsageError
from trainer.enrolment.enrol import EnrolmentMethod
from trainer.enrolment.signal import EnrolmentSignal
from trainer.networks.window_networks import BeatNet, WindowNetwork
from trainer.training import onnx_export as export

CODES: Final = 32
"""Entries of the code book."""
STEPS: Final = 3
"""Steps in a row, 0.1 s in all, over which the distance from the code book is averaged."""
# Chosen on splits.CHOOSING.
WEIGHT: Final = 0.5
FARTHEST: Final = 6.0
"""Novelty counts from the usual second's distance on, in units of the usual spread, and at most so
far; `WEIGHT` turns it into a logit."""
ABOVE: Final = 3.0
"""The threshold's logit lies so far above the usual second's, and never below the generic
model's."""
DOUBTED: Final = 0.5
"""If the generic model calls more of the seconds abnormal, they are not taken for usual: a bundle
branch block would be declared normal, and nothing of it ever be found."""
DECIDED_BY: Final = {
    "codes": CODES,
    "steps": STEPS,
    "weight": WEIGHT,
    "farthest": FARTHEST,
    "above": ABOVE,
    "doubted": DOUBTED,
}
"""What decides a network that is fitted without labels."""


class NotUsualError(UsageError):
    """The signal cannot be taken for usual."""


class BaselineNet(WindowNetwork):
    """A generic network that knows what is usual in one wearer.

    Parameters
    ----------
    generic : BeatNet
        Folded, in evaluation mode.
    threshold : float
        That goes with it.
    usual : ndarray of float32, shape (n, geometry.inputs)
        The wearer's usual windows.
    seed : int
        Of the code book.

    Attributes
    ----------
    called : float
        Share of them that the generic network calls abnormal.
    """

    name = "beatnet-baseline"
    geometry = BeatNet.geometry
    spread: Tensor
    codes: Tensor

    def __init__(
        self, generic: BeatNet, threshold: float, usual: NDArray[np.float32], seed: int
    ) -> None:
        super().__init__()
        self.generic = generic
        with torch.no_grad():
            features = generic.features(torch.from_numpy(usual))
            steps = features.transpose(1, 2).flatten(0, 1).numpy().astype(np.float64)
            spread = steps.std(axis=0) + 1e-3
            codes, _ = kmeans(steps / spread, CODES, iter=1, rng=seed)
            self.register_buffer("spread", torch.tensor(spread[:, None], dtype=torch.float32))
            self.register_buffer("codes", torch.tensor(codes[..., None], dtype=torch.float32))
            distance = self._distance(features).numpy()
            self.middle = float(np.median(distance))
            self.width = 1.5 * float(np.median(np.abs(distance - self.middle))) + 1e-3
            usual_logit = float(np.median(self._raised(features).numpy()))
            generic_logit = math.log(threshold / (1 - threshold))
            called = self._logits(features) >= generic_logit
        self.offset = max(usual_logit + ABOVE, generic_logit)
        self.called = float(called.float().mean())

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of windows, shape (n,); 0 is the wearer's threshold."""
        return self._raised(self.generic.features(x)) - self.offset

    def _logits(self, features: Tensor) -> Tensor:
        """Return what the generic network says of windows."""
        return self.generic.of_windows(self.generic.outputs(features)[:, 0])[:, 0]

    def _raised(self, features: Tensor) -> Tensor:
        """Return the generic logits of windows, raised by their novelty."""
        novelty = (self._distance(features) - self.middle) / self.width
        return self._logits(features) + WEIGHT * novelty.clamp(0.0, FARTHEST)

    def _distance(self, features: Tensor) -> Tensor:
        """Return the largest distance from the code book in windows, shape (n,)."""
        steps = features / self.spread
        # |a - b|^2 = |a|^2 - 2 ab + |b|^2, for all codes at once.
        inner = functional.conv1d(steps, self.codes)
        squares = (self.codes**2).sum(dim=1) - 2 * inner
        nearest = squares.amin(dim=1) + (steps**2).sum(dim=1)
        distance = torch.relu(nearest).sqrt()
        return functional.avg_pool1d(distance[:, None], STEPS, 1)[:, 0].amax(dim=1)


def assumed_normal(generic: Path, signal: EnrolmentSignal, seed: int) -> EnrolmentMethod:
    """Calibrate a generic model on a wearer's signal that is declared normal.

    Making the network raises `NotUsualError` where the generic model calls too much of it abnormal.

    Parameters
    ----------
    generic : Path
        Bundle to start from.
    signal : EnrolmentSignal
        Of the enrolment.
    seed : int
        Of the code book.

    Raises
    ------
    BundleError
        If the bundle's network has no features along time.
    """
    network, card = export.restore(generic)
    if not isinstance(network, BeatNet):
        raise BundleError(f"{generic} holds {card.network}: only beatnet can be calibrated.")

    def fitted(seconds: int) -> WindowNetwork:
        usual = signal.record.inputs[:seconds][signal.usable[:seconds]]
        calibrated = BaselineNet(network, card.threshold, usual, seed)
        if calibrated.called > DOUBTED:
            raise NotUsualError(
                f"{card.name} calls {calibrated.called:.0%} of the seconds of "
                f"{signal.record.record} abnormal, so they cannot be assumed normal: let a "
                "clinician judge with --review."
            )
        return calibrated.eval()

    return EnrolmentMethod(fitted, 0.5, "assumed normal")
