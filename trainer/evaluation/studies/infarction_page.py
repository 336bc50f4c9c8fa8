"""The parts of the page on infarction (PTB), and study 3's search and pictures."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from ecgmon.metrics.classes import Figures
from trainer.evaluation.studies.parts import Split
from trainer.evaluation.studies.run import SystemResult
from trainer.evaluation.studies.study_jobs import OfCell
from trainer.evaluation.studies.tables import MarkdownTable, interval, mean_recall
from trainer.evaluation.transfer import infarction
from trainer.training.recipe import Recipe

SMALL: Final = (18, 11)
"""Healthy patients and those with an infarction in the part of PTB that is described."""


def systems(recipe: Recipe, judged: Sequence[tuple[OfCell, SystemResult]]) -> dict[str, Any] | None:
    """Return the table of a recipe's systems on PTB and whose records they judged, if any."""
    of = {(each.system, job.split): each for job, each in judged if job.cell.data == "ptb"}
    rows = []
    for system in dict.fromkeys(system for system, _ in of):
        accuracy = recipe.published.get(system, {}).get("PTB accuracy")
        by_beat, by_patient = (of.get((system, split)) for split in (Split.PTB_RANDOM, Split.PTB))
        rows.append(
            [
                system,
                f"{accuracy:.4f}" if accuracy else "-",
                _two(by_beat),
                _two(by_patient),
                interval(by_patient, mean_recall, by_class=True) if by_patient else "-",
            ]
        )
    head = [
        "PTB",
        "published accuracy",
        "beats at random: accuracy / mean recall",
        "by patients: accuracy / mean recall",
        "mean recall by patients, 95 %",
    ]
    if not rows:
        return None
    # Beats dealt out at random may leave a patient without one that is tested.
    everybody = max((each.per_wearer for each in of.values()), key=len)
    truths = [np.sum(counts, axis=1) for counts in everybody.values()]
    patients = tuple(np.count_nonzero(truths, axis=0).tolist())
    return {"patients": _at_hand(patients), "table": MarkdownTable(head, rows)}


def transfer(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the tables of study 3's transfer, and whose records they are of."""
    if found is None:
        return None
    rows = []
    for kind, own in found["patient-wise"].items():
        beats = found["beat-wise"][kind]
        low, high = own["intervals"]["mean recall"]
        rows.append(
            [
                kind,
                f"{beats['accuracy']:.4f} / {beats['mean recall']:.3f}",
                f"{own['accuracy']:.4f} / {own['mean recall']:.3f}",
                f"{low:.3f} to {high:.3f}",
                f"{own['patients right']} of {len(found['patients'])}",
                f"{own['seconds']:.1f}",
            ]
        )
    head = [
        "retrained",
        "beats at random: accuracy / mean recall",
        "by patients: accuracy / mean recall",
        "mean recall by patients, 95 %",
        "patients right",
        "processor s",
    ]
    patients = [
        [name, each["diagnosis"], str(each["beats"]), *_shares(found, name)]
        for name, each in found["patients"].items()
    ]
    diagnoses = [each["diagnosis"] for each in found["patients"].values()]
    return {
        "patients": _at_hand(tuple(diagnoses.count(name) for name in found["classes"])),
        "beats": sum(each["beats"] for each in found["patients"].values()),
        "published": infarction.PUBLISHED,
        "retrained": MarkdownTable(head, rows),
        "each": MarkdownTable(["patient", "is", "beats", *found["patient-wise"]], patients, left=2),
    }


def _at_hand(patients: tuple[int, ...]) -> dict[str, Any]:
    """Return what a page says of the data, from the number of patients of each class."""
    healthy, with_infarction = patients
    return {"described": patients == SMALL, "healthy": healthy, "ill": with_infarction}


def _shares(found: Mapping[str, Any], patient: str) -> list[str]:
    return [f"{own['by patient'][patient]:.2f}" for own in found["patient-wise"].values()]


def search(result: Sequence[Mapping[str, Any]] | None) -> MarkdownTable | None:
    """Return the table of study 3's search."""
    if result is None:
        return None
    rows = [
        [
            each["optimiser"],
            f"{each['learning_rate']:.1e}",
            f"{each['weight_decay']:.1e}",
            str(each["batch"]),
            f"{max(each['scores']):.4f}" + (" (stopped)" if each["stopped"] else ""),
        ]
        for each in sorted(result, key=lambda each: -max(each["scores"]))
    ]
    return MarkdownTable(["optimiser", "learning rate", "weight decay", "batch", "score"], rows)


def pictures(result: Sequence[str] | None) -> list[tuple[str, str]]:
    """Return file name and caption of each picture of study 3's network."""
    captions = {"activations.png": "What its layers make of a beat of each class"}
    other = "Test beats, by t-SNE of the last convolutional layer"
    return [(name, captions.get(name, other)) for name in result or ()]


def _two(judged: SystemResult | None) -> str:
    if judged is None:
        return "-"
    return f"{Figures(judged.counts).accuracy:.4f} / {mean_recall(judged.counts):.3f}"
