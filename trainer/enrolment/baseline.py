"""Enrolment without labels, for a wearer whose rhythm is assumed to be normal.

No weights are trained, so the generic network loses nothing. Its features of the wearer's own
seconds are summarised in a code book. The distance of a second from the code book, its *novelty*,
is added to the network's logit. The threshold is set from the logits of the wearer's own seconds.
The amplitude scale is that of the signal chain, which follows every wearer.
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
"""The distance from the code book is averaged over this many successive steps, 0.1 s in all."""
# Chosen on the people of mitdb and svdb who choose, and `DOUBTED` with them: so that no mean and no
# pooled figure is below the generic model's.
WEIGHT: Final = 0.3
"""Novelty is multiplied by this before it is added to the logit."""
FARTHEST: Final = 6.0
"""Novelty is limited to this. It is the distance from the code book minus the median distance of
the wearer's own seconds, in units of their spread."""
ABOVE: Final = 3.0
"""The threshold's logit is this far above the median logit of the wearer's own seconds, but never
below the generic model's."""
DOUBTED: Final = 0.25
"""Enrolment is refused if the generic model calls more than this share of the seconds abnormal: a
bundle branch block would be assumed normal, and its beats would never be found."""
DECIDED_BY: Final = {
    "codes": CODES,
    "steps": STEPS,
    "weight": WEIGHT,
    "farthest": FARTHEST,
    "above": ABOVE,
    "doubted": DOUBTED,
}
"""Settings that decide a network that is fitted without labels."""


class NotUsualError(UsageError):
    """The signal cannot be assumed normal."""


class BaselineNet(WindowNetwork):
    """A generic network with a code book of one wearer's usual windows.

    Parameters
    ----------
    generic : BeatNet
        The generic network, folded and in evaluation mode.
    threshold : float
        Threshold of the generic network, as a probability.
    usual : ndarray of float32, shape (n, geometry.inputs)
        The wearer's usual windows.
    seed : int
        Seed of the code book.

    Attributes
    ----------
    called : float
        Share of the usual windows that the generic network calls abnormal.
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
        """Return the generic network's logits of windows, shape (n,)."""
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
    """Calibrate a generic model on a wearer's signal that is assumed to be normal.

    The method's ``fitted`` raises `NotUsualError` if the generic model calls more than `DOUBTED` of
    the seconds abnormal.

    Parameters
    ----------
    generic : Path
        Bundle of the generic model.
    signal : EnrolmentSignal
        Signal of the enrolment.
    seed : int
        Seed of the code book.

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
