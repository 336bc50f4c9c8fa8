"""The grid search of individual networks against the plain loop over patients and settings.

Run by ``make bench-grid``; needs the records. The plain loop trains one network after the other,
every setting to the end. The search of ``ecgmon evaluate --protocol study`` trains a group of
patients side by side and stops two settings of three at each rung. Both take turns in one run and
train for the same epochs, the plain loop on another patient of the group each time; a finished
setting is one that was decided on, stopped or trained to the end. Prints JSON.
"""

import json
import statistics
import sys
import time
from itertools import product

import numpy as np
import optuna
import torch
from torch import nn

from trainer.data.dataset import load
from trainer.data.protocol_splits import TRAIN, VALIDATION
from trainer.data.splits import STUDY
from trainer.networks.window_networks import CardiacNet
from trainer.studies.cardiacnet.patient import Patient, Score
from trainer.studies.cardiacnet.published import Published
from trainer.studies.cardiacnet.search import Method, SearchResult, search
from trainer.studies.cardiacnet.stacked import WEIGHT_DECAY, WindowTrainee
from trainer.training.fit import deterministic

ROUNDS = 3
RUNGS = (1, 3, 9)
"""A third of the protocol's epochs, at the same ratios."""
SEED = 1


def plain(patient: Patient) -> tuple[float, int]:
    """Train every setting of a patient by itself; return seconds and epochs trained."""
    inputs, truth = (torch.from_numpy(each) for each in patient.windows(TRAIN))
    judges, judged = patient.windows(VALIDATION)
    started = time.perf_counter()
    for rate, batch, weighted in product(*Published.grid.values()):
        deterministic(SEED)
        network = CardiacNet()
        optimiser = torch.optim.Adam(
            network.parameters(), rate, weight_decay=WEIGHT_DECAY, fused=True
        )
        share = torch.where(truth, 0.5 / truth.sum(), 0.5 / (~truth).sum())
        for _ in range(RUNGS[-1]):
            order = (
                torch.multinomial(share, len(truth), replacement=True)
                if weighted
                else torch.randperm(len(truth))
            )
            for which in order.split(int(batch)):
                optimiser.zero_grad()
                loss = nn.functional.binary_cross_entropy_with_logits(
                    network(inputs[which]), truth[which].float()
                )
                loss.backward()
                optimiser.step()
            with torch.inference_mode():
                probability = torch.sigmoid(network(torch.from_numpy(judges))).numpy()
            Score.of(probability, judged)
    return time.perf_counter() - started, RUNGS[-1] * SETTINGS


def searched(patients: dict[str, Patient]) -> tuple[float, int, dict[str, SearchResult]]:
    """Search a group of patients; return seconds, epochs trained and the winners."""
    made: list[WindowTrainee] = []
    published = Published(patients, SEED)

    def make(patient: Patient, setting: dict[str, float | int | bool]) -> WindowTrainee:
        made.append(published.individual(patient, setting))
        return made[-1]

    method = Method("grid", make, published.advance, RUNGS, Published.group)
    storage = optuna.storages.get_storage("sqlite:///:memory:")
    started = time.perf_counter()
    found = search(
        method, patients, dict.fromkeys(patients, Published.grid), storage, lambda _: None
    )
    seconds = time.perf_counter() - started
    return seconds, sum(len(trainee.trained.epochs) for trainee in made), found


SETTINGS = int(np.prod([len(values) for values in Published.grid.values()]))

if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    names = STUDY[: Published.group]
    patients = {s.wearer: Patient.split(s, SEED) for s in load(names, CardiacNet)}
    deterministic(SEED)
    rounds, winners = [], []
    for number in range(ROUNDS):
        alone, alone_epochs = plain(patients[names[number % len(names)]])
        group, group_epochs, found = searched(patients)
        winners.append({n: (f.setting, f.score, f.test.tolist()) for n, f in found.items()})
        rounds.append(
            {
                "plain_s_per_setting": round(alone / SETTINGS, 2),
                "search_s_per_setting": round(group / SETTINGS / len(patients), 2),
                "ratio_per_setting": round(alone / group * len(patients), 2),
                "ratio_per_epoch": round(alone / alone_epochs / (group / group_epochs), 2),
            }
        )
    ratios = [each["ratio_per_setting"] for each in rounds]
    summary = {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}
    same = all(each == winners[0] for each in winners)
    figures = {"rounds": rounds, "times_faster_per_setting": summary, "same_winners": same}
    json.dump(figures, sys.stdout, indent=2)
