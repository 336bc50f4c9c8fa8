"""The parts of the page on infarction (PTB), and study 3's search and pictures."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from ecgmon.metrics.classes import Figures
from trainer.evaluation.studies.jobs import OfCell
from trainer.evaluation.studies.parts import Split
from trainer.evaluation.studies.run import SystemResult
from trainer.evaluation.studies.tables import interval, mean_recall, table
from trainer.evaluation.transfer import infarction
from trainer.training.recipe import Recipe

SMALL: Final = (18, 11)
"""Healthy patients and those with an infarction in the part of PTB that is described."""
_SMALL: Final = """The data at hand is a small part of PTB: 14 infarction records of 11 patients, 27
of 18 healthy ones, most of ten seconds. And it is confounded: the only long records are of four
infarction patients (001, 002, 003, 012), so a network may tell recordings apart instead of hearts.
Only the figures by patient say anything of new patients, and their intervals are wide; beats split
at random say how well a network remembers patients.
"""
_OTHER: Final = """The data at hand is PTB's records of {} healthy patients and {} with an
infarction. Only the figures by patient say anything of new patients; beats split at random say how
well a network remembers patients.
"""


def systems(recipe: Recipe, judged: Sequence[tuple[OfCell, SystemResult]]) -> str:
    """Return the table of a recipe's systems on PTB."""
    of = {(each.system, job.split): each for job, each in judged if job.cell.data == "ptb"}
    rows = []
    for system in dict.fromkeys(system for system, _ in of):
        said = recipe.published.get(system, {}).get("PTB accuracy")
        by_beat, by_patient = (of.get((system, split)) for split in (Split.PTB_RANDOM, Split.PTB))
        rows.append(
            [
                system,
                f"{said:.4f}" if said else "-",
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
        return ""
    # Beats dealt out at random may leave a patient without one that is tested.
    everybody = max((each.per_wearer for each in of.values()), key=len)
    truths = [np.sum(counts, axis=1) for counts in everybody.values()]
    patients = tuple(np.count_nonzero(truths, axis=0).tolist())
    return f"### Infarction\n\n{_at_hand(patients)}\n{table(head, rows)}"


def transfer(found: Mapping[str, Any] | None) -> str:
    """Return the table of study 3's transfer."""
    if found is None:
        return ""
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
    said = infarction.PUBLISHED
    patients = [
        [name, each["diagnosis"], str(each["beats"]), *_shares(found, name)]
        for name, each in found["patients"].items()
    ]
    beats = sum(each["beats"] for each in found["patients"].values())
    diagnoses = [each["diagnosis"] for each in found["patients"].values()]
    at_hand = _at_hand(tuple(diagnoses.count(name) for name in found["classes"]))
    return (
        f"### Transfer to infarction\n\n{at_hand}\n{beats} beats; published, at random: "
        f"{said['accuracy']:.4f} / {said['mean recall']:.3f}. *Patients right* have more than half "
        f"of their beats called right.\n\n{table(head, rows)}\n"
        "Share of each patient's beats called right, by networks that never saw the patient:\n\n"
        + table(["patient", "is", "beats", *found["patient-wise"]], patients)
    )


def _at_hand(patients: tuple[int, ...]) -> str:
    """Return what to know of the data, from the number of patients of each class."""
    return _SMALL if patients == SMALL else _OTHER.format(*patients)


def _shares(found: Mapping[str, Any], patient: str) -> list[str]:
    return [f"{own['by patient'][patient]:.2f}" for own in found["patient-wise"].values()]


def search(result: Sequence[Mapping[str, Any]] | None) -> str:
    """Return the table of study 3's search."""
    if result is None:
        return ""
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
    head = ["optimiser", "learning rate", "weight decay", "batch", "score"]
    return (
        "### The search\n\nTen trials over the publication's ranges, on a part of the random "
        "split's training beats, judged on validation beats by the mean of accuracy and mean "
        "recall. The publication's best, which the recipe has: rmsprop, 3.0e-04, 2.0e-04, 87. A "
        "trial that calls every beat V has 0.1331, and Q 0.1367.\n\n" + table(head, rows)
    )


def pictures(result: Sequence[str] | None) -> str:
    """Return the pictures of study 3's network."""
    if result is None:
        return ""
    names = {"activations.png": "What its layers make of a beat of each class"}
    shown = [
        f"![{names.get(name, 'Test beats, by t-SNE of the last convolutional layer')}]"
        f"(studies/{name})"
        for name in result
    ]
    return "### What it sees\n\n" + "\n\n".join(shown) + "\n"


def _two(judged: SystemResult | None) -> str:
    if judged is None:
        return "-"
    return f"{Figures(judged.counts).accuracy:.4f} / {mean_recall(judged.counts):.3f}"
