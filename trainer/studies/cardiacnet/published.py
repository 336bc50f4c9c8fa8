"""Study 1 as published (Vavekanand et al. 2024): CardiacNet on single windows."""

import copy
from typing import ClassVar, Final

import numpy as np
import torch
from torch import nn

from trainer.data.protocol_splits import TRAIN
from trainer.networks.window_networks import CardiacNet
from trainer.studies.cardiacnet.patient import Patient
from trainer.studies.cardiacnet.pretrain import Epochs, Pretrained, Progress, judge
from trainer.studies.cardiacnet.search import Grid, Setting
from trainer.studies.cardiacnet.stacked import WEIGHT_DECAY, WindowSetting, WindowTrainee, advance
from trainer.studies.cardiacnet.trainings import Trainings
from trainer.training.fit import deterministic

EPOCHS: Final = 30
BATCH: Final = 32
LEARNING_RATE: Final = 1e-3
PATIENCE: Final = 2
"""Of pre-training; the study names all but the patience."""


class Published(Trainings):
    """The published trainings."""

    name = "published"
    network = CardiacNet
    rungs = (3, 9, 27)
    group = 5
    grid: ClassVar[Grid] = {
        "learning_rate": (0.001, 0.01, 0.1),
        "batch": (4, 16, 32),
        "weighted": (False, True),
    }
    fine_grid: ClassVar[Grid] = {
        "learning_rate": (0.0001, 0.0003, 0.001),
        "batch": (16, 32),
        "weighted": (False, True),
    }
    """For fine-tuning itself: smaller steps from where pre-training ended."""
    advance = staticmethod(advance)
    settings: ClassVar = {
        "epochs": EPOCHS,
        "learning rate": LEARNING_RATE,
        "batch": BATCH,
        "patience": PATIENCE,
        "weight decay": WEIGHT_DECAY,
    }

    def threshold(self, _: Patient) -> float:
        """Return from which probability on a patient's window is called abnormal."""
        return 0.5

    def empty(self) -> CardiacNet:
        """Return a network to read weights into."""
        return CardiacNet()

    def pretrain(self, progress: Progress) -> Pretrained:
        """Train on all patients' training windows; the lowest validation loss is kept."""
        deterministic(self._seed)
        network = CardiacNet()
        parts = [patient.windows(TRAIN) for patient in self._patients.values()]
        inputs = torch.from_numpy(np.concatenate([each for each, _ in parts]))
        truth = torch.from_numpy(np.concatenate([each for _, each in parts])).float()
        optimiser = torch.optim.Adam(
            network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True
        )
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, patience=PATIENCE)
        rng = np.random.default_rng(self._seed)
        epochs: Epochs = []
        best, lowest = 0, np.inf
        best_network = network
        for number in range(EPOCHS):
            network.train()
            total = 0.0
            batches = torch.from_numpy(rng.permutation(len(truth))).split(BATCH)  # type: ignore[no-untyped-call]  # torch leaves it untyped
            for which in batches:
                optimiser.zero_grad()
                loss = nn.functional.binary_cross_entropy_with_logits(
                    network(inputs[which]), truth[which]
                )
                loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
                optimiser.step()
                total += loss.item()
            balanced, judged = judge(network.eval(), self._patients)
            epochs.append((total / len(batches), balanced, judged))
            if judged < lowest:
                best, lowest, best_network = number, judged, copy.deepcopy(network)
            plateau.step(judged)
            progress(number + 1, EPOCHS)
        return Pretrained(best_network, epochs, best)

    def individual(self, patient: Patient, setting: Setting) -> WindowTrainee:
        """Return a network of the patient's own, from scratch."""
        return self._trainee(self._new(), patient, setting)

    def fine_tuned(self, generic: CardiacNet, patient: Patient, setting: Setting) -> WindowTrainee:
        """Return the pre-trained encoder with a new head, as published."""
        network, new = copy.deepcopy(generic), self._new()
        network.hidden, network.output = new.hidden, new.output
        return self._trainee(network, patient, setting)

    def searched(self, generic: CardiacNet, patient: Patient, setting: Setting) -> WindowTrainee:
        """Return the pre-trained network, head and all."""
        return self._trainee(generic, patient, setting)

    def _new(self) -> CardiacNet:
        deterministic(self._seed)
        return CardiacNet()

    def _trainee(self, network: CardiacNet, patient: Patient, setting: Setting) -> WindowTrainee:
        chosen = WindowSetting(
            float(setting["learning_rate"]), int(setting["batch"]), bool(setting["weighted"])
        )
        return WindowTrainee(network, patient, chosen, self._seed)
