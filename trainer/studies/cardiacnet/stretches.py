"""Training the project's own network for a patient, on stretches of signal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.data.dataset import RecordSet
from trainer.data.protocol_splits import VALIDATION
from trainer.networks.window_networks import WindowNetwork
from trainer.studies.cardiacnet.patient import Patient, Score, TrainedPatient
from trainer.training.batches import Group, SegmentBatches
from trainer.training.fit import FitSettings, deterministic, fit
from trainer.training.scoring import probabilities


@dataclass(frozen=True, slots=True)
class SegmentSetting:
    """Hyper-parameters of the project's own network.

    Parameters
    ----------
    learning_rate : float
        Peak of the one-cycle schedule.
    own : int
        Stretches of every batch that are the patient's.
    others : int
        Stretches of all patients, against forgetting.
    """

    learning_rate: float
    own: int
    others: int = 0


class SegmentTrainee:
    """One network for one patient.

    Parameters
    ----------
    start : callable
        Returns the network to start from.
    patient : Patient
        Who.
    others : sequence of RecordSet
        All patients, with their training labels.
    setting : SegmentSetting
        How.
    seed : int
        Of everything random.
    """

    def __init__(
        self,
        start: Callable[[], WindowNetwork],
        patient: Patient,
        others: Sequence[RecordSet],
        setting: SegmentSetting,
        seed: int,
    ) -> None:
        self.trained = TrainedPatient()
        self._start, self._seed, self._setting = start, seed, setting
        groups = [Group([patient.training], setting.own)]
        if setting.others:
            groups.append(Group(others, setting.others))
        self._batches = SegmentBatches(groups, premature=0.0, faster=0.0)
        self._threshold = patient.share
        self._judges = patient.windows(VALIDATION)
        self._best = start()

    def train(self, epoch: int) -> None:
        """Train from the start with a schedule that ends after ``epoch`` times ten batches.

        A one-cycle schedule is judged at its end, so a longer one is another training, not the
        same one continued.
        """
        deterministic(self._seed)
        losses: list[float] = []
        settings = FitSettings(1, self._setting.learning_rate, self._seed, steps=10 * epoch)
        network = fit(
            self._start(), self._batches, settings, progress=lambda e: losses.append(e.loss)
        ).folded()
        inputs, truth = self._judges
        score = Score.of(probabilities(network.eval(), inputs), truth, self._threshold)
        if self.trained.add(losses[-1], score):
            self._best = network

    def outcome(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probability of *abnormal* of windows by the best network."""
        return probabilities(self._best, inputs)


def advance(trainees: Sequence[SegmentTrainee], epoch: int) -> None:
    """Train each up to an epoch."""
    for trainee in trainees:
        trainee.train(epoch)
