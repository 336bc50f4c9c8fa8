"""Training many small networks side by side: one vectorised step for a whole stack of them.

A network as small as CardiacNet on a batch of four keeps a core busy with bookkeeping, not with
arithmetic. `torch.func.vmap` runs one step of many such networks, each with weights, data and
optimiser of its own, in the calls that one would take.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.utils import parameters_to_vector

from trainer.data.protocol_splits import TRAIN, VALIDATION
from trainer.networks.window_networks import WindowNetwork
from trainer.studies.cardiacnet.patient import Patient, Score, TrainedPatient

STACK: Final = 18
"""Most networks in one call: more no longer fit the processor's cache and gain nothing."""
WEIGHT_DECAY: Final = 1e-4
"""Of Adam (Kingma & Ba 2015), as published."""


@dataclass(frozen=True, slots=True)
class WindowSetting:
    """Hyper-parameters of the published search.

    Parameters
    ----------
    learning_rate : float
        Of Adam.
    batch : int
        Windows in a batch.
    weighted : bool
        Whether both classes are drawn equally often; otherwise each window in its turn.
    """

    learning_rate: float
    batch: int
    weighted: bool


class WindowTrainee:
    """One network, learning from one patient's training windows.

    Where the windows are not drawn so that both classes are as frequent, the network's
    probabilities are corrected to classes that are (Saerens et al. 2002): balanced accuracy and
    the threshold 0.5 ask for that.

    Parameters
    ----------
    network : WindowNetwork
        Starting point; it is not changed.
    patient : Patient
        Whose windows.
    setting : WindowSetting
        How.
    seed : int
        Of the order of the windows.
    """

    def __init__(
        self, network: WindowNetwork, patient: Patient, setting: WindowSetting, seed: int
    ) -> None:
        self.setting = setting
        self.trained = TrainedPatient()
        self.network = network
        self.weights = nn.Parameter(parameters_to_vector(network.parameters()).detach().clone())
        self.best = self.weights.detach().clone()
        self.optimiser = torch.optim.Adam(
            [self.weights], setting.learning_rate, weight_decay=WEIGHT_DECAY, fused=True
        )
        self.inputs, self.truth = patient.windows(TRAIN)
        drawn = 0.5 if setting.weighted else patient.share
        self._odds = math.log(drawn / (1 - drawn))
        self._judges = patient.windows(VALIDATION)
        self._rng = np.random.default_rng(seed)
        self._left = np.zeros(0, dtype=np.intp)

    def draw(self, windows: int) -> NDArray[np.intp]:
        """Return which windows come next."""
        if self.setting.weighted:
            share = np.where(self.truth, 0.5 / self.truth.sum(), 0.5 / (~self.truth).sum())
            return self._rng.choice(len(self.truth), windows, p=share)
        while len(self._left) < windows:
            self._left = np.concatenate([self._left, self._rng.permutation(len(self.truth))])
        now, self._left = np.split(self._left, [windows])
        return now

    def probability(self, inputs: NDArray[np.float32], weights: Tensor) -> NDArray[np.float32]:
        """Return the probability of *abnormal* of windows with given weights."""
        with torch.inference_mode():
            logits = _call(self.network, weights, torch.from_numpy(inputs))
            result: NDArray[np.float32] = torch.sigmoid(logits - self._odds).numpy()
        return result

    def judge(self, loss: float) -> None:
        """End an epoch: score it on the validation windows, keep the weights of the best."""
        inputs, truth = self._judges
        score = Score.of(self.probability(inputs, self.weights), truth)
        if self.trained.add(loss, score):
            self.best = self.weights.detach().clone()

    def outcome(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probability of *abnormal* of windows by the best epoch's network."""
        return self.probability(inputs, self.best)


def advance(trainees: Sequence[WindowTrainee], epoch: int) -> None:
    """Train networks of one kind up to an epoch, those with the same batch size in stacks."""
    for _ in range(len(trainees[0].trained.epochs), epoch):
        for stack in _stacks(trainees):
            losses = _epoch(stack)
            for trainee, loss in zip(stack, losses, strict=True):
                trainee.judge(loss)


def _stacks(trainees: Sequence[WindowTrainee]) -> Iterator[list[WindowTrainee]]:
    for batch in sorted({trainee.setting.batch for trainee in trainees}):
        same = [trainee for trainee in trainees if trainee.setting.batch == batch]
        for at in range(0, len(same), STACK):
            yield same[at : at + STACK]


def _epoch(stack: Sequence[WindowTrainee]) -> list[float]:
    """Train for as many batches as hold the longest record's windows once."""
    batch = stack[0].setting.batch
    network = stack[0].network
    steps = max(len(trainee.truth) for trainee in stack) // batch
    which = [trainee.draw(steps * batch) for trainee in stack]
    pairs = list(zip(stack, which, strict=True))
    inputs = torch.from_numpy(np.stack([t.inputs[w].reshape(steps, batch, -1) for t, w in pairs]))
    truth = torch.from_numpy(np.stack([t.truth[w].reshape(steps, batch) for t, w in pairs])).float()

    def loss(weights: Tensor, inputs: Tensor, truth: Tensor) -> Tensor:
        logits = _call(network, weights, inputs)
        return nn.functional.binary_cross_entropy_with_logits(logits, truth)

    total = torch.zeros(len(stack))
    for step in range(steps):
        weights = torch.stack([trainee.weights for trainee in stack])
        losses = vmap(loss)(weights, inputs[:, step], truth[:, step])
        losses.sum().backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        for trainee in stack:
            trainee.optimiser.step()
            trainee.optimiser.zero_grad()
        total += losses.detach()
    return [float(each) for each in total / steps]


def _call(network: WindowNetwork, weights: Tensor, inputs: Tensor) -> Tensor:
    """Call a network with its parameters taken from one vector."""
    own = dict(network.named_parameters())
    parts = torch.split(weights, [p.numel() for p in own.values()])
    named = {name: part.view(p.shape) for (name, p), part in zip(own.items(), parts, strict=True)}
    result: Tensor = functional_call(network, named, (inputs,))
    return result
