"""Inputs that decide the models and figures of the protocols of the built-in networks."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from trainer.data import people
from trainer.data.protocol_splits import DS1, DS1_MODEL_SELECTION, DS2, FOLDS, wearer_folds
from trainer.data.splits import ENROLMENT_S
from trainer.data.window_people import BLOCKED, KINDS
from trainer.enrolment import baseline, beats, labelled, questions, signal
from trainer.enrolment.enrol import HELD_OUT_S
from trainer.evaluation import enrolment
from trainer.evaluation.results.digest import digest
from trainer.evaluation.results.network_calls import network_calls
from trainer.evaluation.results.signal_path import noise_bits, signal_bits
from trainer.networks.window_networks import NETWORKS
from trainer.training import fit, window_trainings

PROCEDURES: Final = {"new-wearer": 2, "inter-patient": 2}
"""Of the protocols by the name of their work; raised by hand when one trains, enrols or judges
differently with the same settings."""


def decided_by(work: str, network: str, seed: int, data: Path | None) -> dict[str, Any]:
    """Return what decides the models of a protocol, as data.

    Parameters
    ----------
    work : str
        Name of the protocol whose models it has: *new-wearer*, which *enrolment* shares, or
        *inter-patient*.
    network : str
        Name of a built-in network.
    seed : int
        Of everything random.
    data : Path or None
        Folder of databases to look in first.

    Raises
    ------
    RecordError
        If a record that tells is not there.
    """
    return {
        "seed": seed,
        "procedure": PROCEDURES[work],
        "signal": signal_bits(network, data),
        "noise": noise_bits(network, data),
        "network": window_network(network),
        "training": fit.DECIDED_BY,
        "settings": window_trainings.decided_by(network),
        "wearers": _of_wearers() if work == "new-wearer" else [DS1, DS1_MODEL_SELECTION, DS2],
        "beside": _beside(work, network),
    }


def window_network(name: str) -> str:
    """Return a digest of a built-in network as it is trained."""
    make = window_trainings.TRAININGS[name].network
    return digest(network_calls(lambda: {name: make()}, (NETWORKS[name].geometry.inputs,)))


def _beside(work: str, network: str) -> list[list[list[str]]]:
    """Return who teaches and who chooses beside mitdb's people in each model of a protocol."""
    kinds = window_trainings.TRAININGS[network].beside
    databases = {database for kind in kinds for database in KINDS[kind]}
    folded = work == "new-wearer"
    splits = [people.fold(n) for n in range(FOLDS)] if folded else [people.inter_patient()]
    return [
        [
            [
                name
                for name in people.record_names(p for p in side if p.database in databases)
                if name not in BLOCKED
            ]
            for side in (sides.training, sides.choosing)
        ]
        for sides in splits
    ]


def _of_wearers() -> dict[str, Any]:
    """Return who is enrolled, and what decides each way of enrolling."""
    return {
        "folds": [asdict(fold) for fold in wearer_folds()],
        "enrolment, s": ENROLMENT_S,
        "held out, s": HELD_OUT_S,
        "shortest, s": signal.SHORTEST,
        "match, samples": labelled.MATCH,
        "wrong": enrolment.WRONG,
        "ways": enrolment.WAYS,
        "baseline": baseline.DECIDED_BY,
        "beats": beats.DECIDED_BY,
        "questions": questions.DECIDED_BY,
    }
