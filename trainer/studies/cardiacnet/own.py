"""Study 1's splits with the project's own network."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

import numpy as np

from trainer.networks.window_networks import BeatNet, WindowNetwork
from trainer.studies.cardiacnet.patient import Patient
from trainer.studies.cardiacnet.pretrain import Epochs, Pretrained, Progress, judge
from trainer.studies.cardiacnet.search import Grid, Setting
from trainer.studies.cardiacnet.stretches import SegmentSetting, SegmentTrainee, advance
from trainer.studies.cardiacnet.trainings import Trainings
from trainer.training.batches import Group, SegmentBatches
from trainer.training.fit import Epoch, FitSettings, deterministic, fit

EPOCHS: Final = 40
LEARNING_RATE: Final = 3e-3
BATCH: Final = 32
"""Of pre-training: stretches in a batch."""
STRETCHES: Final = 16
"""In a batch of one patient's training."""


class Own(Trainings):
    """The same trainings with `BeatNet`.

    Every patient's threshold is `Patient.share`. No rhythms are made: all patients here
    have labelled examples from the whole of their record.
    """

    name = "own"
    network = BeatNet
    rungs = (10, 30)
    group = 1
    grid: ClassVar[Grid] = {"learning_rate": (0.001, 0.003, 0.01)}
    fine_grid: ClassVar[Grid] = {"learning_rate": (0.0003, 0.001, 0.003), "others": (0, 8)}
    advance = staticmethod(advance)
    settings: ClassVar = {
        "epochs": EPOCHS,
        "learning rate": LEARNING_RATE,
        "batch": BATCH,
        "stretches": STRETCHES,
    }

    def __init__(self, patients: Mapping[str, Patient], seed: int) -> None:
        super().__init__(patients, seed)
        self._training = [patient.training for patient in patients.values()]

    def threshold(self, patient: Patient) -> float:
        """Return from which probability on a patient's window is called abnormal."""
        return patient.share

    def empty(self) -> WindowNetwork:
        """Return a network to read weights into."""
        return BeatNet().folded()

    def pretrain(self, progress: Progress) -> Pretrained:
        """Train on all patients' stretches; the best balanced accuracy is kept."""
        deterministic(self._seed)
        epochs: Epochs = []
        judged: list[tuple[float, float]] = []

        def score(network: WindowNetwork) -> float:
            judged.append(judge(network, self._patients, self.threshold))
            return judged[-1][0]

        def after(epoch: Epoch) -> None:
            epochs.append((epoch.loss, *judged[-1]))
            progress(epoch.number, epoch.of)

        batches = SegmentBatches([Group(self._training, BATCH)], premature=0.0, faster=0.0)
        settings = FitSettings(EPOCHS, LEARNING_RATE, self._seed)
        network = fit(BeatNet(), batches, settings, score=score, progress=after)
        return Pretrained(network.folded(), epochs, int(np.argmax([e[1] for e in epochs])))

    def individual(self, patient: Patient, setting: Setting) -> SegmentTrainee:
        """Return a network of the patient's own, from scratch."""
        return self._trainee(BeatNet, patient, float(setting["learning_rate"]), 0)

    def fine_tuned(
        self, generic: WindowNetwork, patient: Patient, setting: Setting
    ) -> SegmentTrainee:
        """Return the pre-trained network, trained with the individual's learning rate."""
        rate = float(setting["learning_rate"])
        return self._trainee(generic.folded, patient, rate, STRETCHES // 2)

    def searched(
        self, generic: WindowNetwork, patient: Patient, setting: Setting
    ) -> SegmentTrainee:
        """Return the pre-trained network, trained with a setting of its own."""
        rate, others = float(setting["learning_rate"]), int(setting["others"])
        return self._trainee(generic.folded, patient, rate, others)

    def _trainee(
        self, start: Callable[[], WindowNetwork], patient: Patient, rate: float, others: int
    ) -> SegmentTrainee:
        setting = SegmentSetting(rate, STRETCHES - others, others)
        return SegmentTrainee(start, patient, self._training, setting, self._seed)
