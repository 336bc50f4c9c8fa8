"""The provenance of a job's result: while it stays the same, the result is valid."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from ecgmon.core.constants import RATE
from ecgmon.core.errors import RecordError
from ecgmon.signal import beat_segments
from trainer import recipes
from trainer.data.beats import causal_beats, kachuee, ptb
from trainer.data.examples import Examples
from trainer.data.labelled_windows import CLASSES as WINDOW_CLASSES
from trainer.data.labelled_windows import LENGTH as WINDOW_LENGTH
from trainer.evaluation.results.digest import digest
from trainer.evaluation.results.network_calls import network_calls
from trainer.evaluation.results.signal_path import signal_bits
from trainer.evaluation.results.store import ResultStore
from trainer.evaluation.studies.data import records_of
from trainer.evaluation.studies.parts import Mask, Split, parts
from trainer.evaluation.studies.run import Experiment
from trainer.evaluation.studies.study_jobs import JOBS, Job
from trainer.evaluation.transfer.folds import FOLDS
from trainer.training import fit
from trainer.training.recipe import REHEARSED

_EACH = 12
"""Examples of each class and wearer that show how a split deals them out."""
_HALF_HOUR = 30 * 60 * RATE
_SHAPES = {
    "published": (1, beat_segments.LENGTH, kachuee.CLASSES),
    "live": (causal_beats.CHANNELS, beat_segments.LENGTH, kachuee.CLASSES),
    "windows": (1, WINDOW_LENGTH, WINDOW_CLASSES),
    "ptb": (1, beat_segments.LENGTH, ptb.CLASSES),
}
"""Channels, length and classes of examples, by what they are."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Seed and digest of a job.

    Parameters
    ----------
    job : str
        Its name.
    networks : str
        Name of the folder for the networks of its recipe.
    seed : int
        Of everything random.
    digest : str
        Of all that decides the result.
    """

    job: str
    networks: str
    seed: int
    digest: str

    @classmethod
    def of(cls, job: Job, seed: int, data: Path | None) -> Self:
        """Return what would decide a job's result now.

        Raises
        ------
        RecordError
            If a record that tells is not there.
        """
        networks = _networks(job.cell, seed, data)
        judged_on = (
            job.cell if job.split == job.cell.split else Experiment(job.recipe, job.split, "ptb")
        )
        result = networks | {
            "split": _membership(judged_on, seed, data),
            "judged": {kind: signal_bits(kind, data) for kind in job.signals},
            "job": job.settings,
        }
        folder = f"studies-{job.recipe}-{seed}-{digest(networks)}"
        return cls(job.name, folder, seed, digest(result))

    @property
    def own(self) -> str:
        """Name of the folder for what is the job's alone, under that of the networks."""
        return f"{self.job}-{self.digest}"


def digests(folder: Path, data: Path | None) -> dict[str, str]:
    """Return the digest that each kept result would have if it were made now, by job.

    A job is left out whose records are not all there: nothing can then be said of its result.
    """
    found = {}
    store = ResultStore(folder)
    for job in JOBS:
        if stored := store.get(job.name):
            try:
                found[job.name] = Provenance.of(job, stored.seed, data).digest
            except RecordError:
                continue
    return found


def _networks(cell: Experiment, seed: int, data: Path | None) -> dict[str, Any]:
    """Return what decides a cell's networks."""
    recipe = recipes.recipe(cell.recipe)
    lead = None if cell.data == "ptb" else records_of(cell)[1]
    base = Split.INTER_PATIENT if cell.split == Split.PATIENT_SPECIFIC else cell.split
    return {
        "seed": seed,
        "signal": signal_bits(cell.data, data, lead),
        "parts": _membership(Experiment(cell.recipe, base, cell.data), seed, data),
        "training": fit.DECIDED_BY,
        "recipe": {
            "procedure": recipe.procedure,
            "settings": recipe.settings,
            "networks": _calls(cell.recipe, cell.data),
            "adaptation": asdict(recipe.adaptation),
            "batch": recipe.batch,
            "rehearsed": REHEARSED,
        },
    }


@lru_cache
def _calls(recipe: str, kind: str) -> str:
    channels, length, classes = _SHAPES[kind]
    make = recipes.recipe(recipe).networks
    return digest(network_calls(lambda: make(channels, length, len(classes)), (channels, length)))


@lru_cache
def _membership(cell: Experiment, seed: int, data: Path | None) -> dict[str, Any]:
    """Return who and what is on which side of a cell's split.

    It is told by examples without signal, a few of each class over half an hour of each wearer; of
    PTB, whose patients may be added to, by the records there are.
    """
    if cell.data == "ptb":
        return {"split": cell.split, "folds": FOLDS, "records": _headers(ptb.records(data))}
    wearers, lead = records_of(cell)
    classes = _SHAPES[cell.data][2]
    each = len(classes) * _EACH
    examples = Examples(
        np.zeros((len(wearers) * each, 1, 1), dtype=np.float32),
        np.tile(np.arange(len(classes), dtype=np.int8), len(wearers) * _EACH),
        np.repeat(np.array(wearers), each),
        np.tile(np.linspace(0, _HALF_HOUR, each).astype(np.int64), len(wearers)),
        classes,
    )
    return {
        "wearers": list(wearers),
        "lead": lead,
        "parts": [
            [
                [_bits(one) for one in (part.training, part.validation, part.test)],
                {name: [_bits(one) for one in own] for name, own in part.own.items()},
            ]
            for part in parts(examples, cell.split, seed)
        ],
    }


def _bits(mask: Mask) -> str:
    return np.packbits(mask).tobytes().hex()


def _headers(patients: Sequence[ptb.Diagnosed]) -> str:
    """Return a digest of the names and headers of records of PTB, to which some may be added."""
    found = hashlib.sha256()
    for record in patients:
        found.update(record.found.name.encode())
        found.update(record.found.path.with_suffix(".hea").read_bytes())
    return found.hexdigest()[:12]
