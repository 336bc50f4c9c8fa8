"""Protocol ``study``: study 1 as published, then the same splits with the project's own network."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from optuna.storages import BaseStorage

from ecgmon.core.labels import AAMI_CLASSES
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from trainer.data.dataset import RecordSet
from trainer.data.protocol_splits import TEST, VALIDATION
from trainer.data.splits import STUDY
from trainer.evaluation.results.digest import digest
from trainer.evaluation.results.network_calls import network_calls
from trainer.evaluation.results.signal_path import signal_bits
from trainer.studies.cardiacnet.own import Own
from trainer.studies.cardiacnet.patient import SHARES, TIE, Patient, Score
from trainer.studies.cardiacnet.pretrain import Pretrained, cached
from trainer.studies.cardiacnet.published import Published
from trainer.studies.cardiacnet.search import KEEP, Grid, Method, SearchResult, Setting, search
from trainer.studies.cardiacnet.stacked import STACK
from trainer.training import batches, fit
from trainer.training.fit import deterministic
from trainer.training.scoring import probabilities

GENERIC: Final = "generic"
INDIVIDUAL: Final = "individual"
FINE_TUNED: Final = "fine_tuned"
SEARCHED: Final = "fine_tuned_searched"
TRACKS: Final = (Published, Own)

Progress = Callable[[str, int, int], None]
"""Called with a stage, how much of it is done, and of how much."""


@dataclass(frozen=True, eq=False, slots=True)
class Track:
    """All that came of one network.

    Parameters
    ----------
    patients : mapping of str to Patient
        As prepared for the network.
    pretrained : Pretrained
        The generic network.
    found : mapping of str to mapping of str to SearchResult
        By kind of model and patient.
    """

    patients: Mapping[str, Patient]
    pretrained: Pretrained
    found: Mapping[str, Mapping[str, SearchResult]]


PROCEDURE: Final = 1
"""Raised by hand when networks are trained, searched or judged differently with the same settings
(`trainer.evaluation.results.digest`)."""


def decided_by(seed: int, data: Path | None) -> dict[str, Any]:
    """Return what decides the results of both tracks, as data.

    Raises
    ------
    RecordError
        If a record that tells is not there.
    """
    return {
        "seed": seed,
        "procedure": PROCEDURE,
        "training": fit.DECIDED_BY,
        "batches": batches.DECIDED_BY,
        "wearers": STUDY,
        "shares": SHARES,
        "tie": TIE,
        "kept of a rung": KEEP,
        "stack": STACK,
        "tracks": {kind.name: _of_track(kind, data) for kind in TRACKS},
    }


def _of_track(kind: type[Published] | type[Own], data: Path | None) -> dict[str, Any]:
    network = kind.network
    calls = network_calls(lambda: {network.name: network()}, (network.geometry.inputs,))
    return {
        "signal": signal_bits(network.name, data, "1"),
        "network": digest(calls),
        "rungs": kind.rungs,
        "grid": kind.grid,
        "fine grid": kind.fine_grid,
        "settings": kind.settings,
    }


def run(
    kind: type[Published] | type[Own],
    sets: Mapping[str, RecordSet],
    seed: int,
    work: Path,
    storage: BaseStorage,
    progress: Progress,
) -> Track:
    """Train everything of one track; what ``work`` and ``storage`` hold is not trained again.

    Parameters
    ----------
    kind : type
        `Published` or `Own`.
    sets : mapping of str to RecordSet
        The study's records, prepared for the track's network.
    seed : int
        Of everything random.
    work : Path
        Folder of the generic networks; its name is the first part of the searches' names.
    storage : BaseStorage
        Of the searches.
    progress : callable
        See `Progress`.

    Returns
    -------
    Track
    """
    deterministic(seed)
    patients = {name: Patient.split(record, seed) for name, record in sets.items()}
    track: Any = kind(patients, seed)
    pretrained = cached(
        work / f"{kind.name}.pt",
        track.empty(),
        lambda: track.pretrain(lambda done, of: progress(f"{kind.name}: generic", done, of)),
    )

    # A search that starts from it is not shared with one that starts from another.
    weights = b"".join(p.detach().numpy().tobytes() for p in pretrained.network.parameters())
    tuned_from = f"-{hashlib.sha256(weights).hexdigest()[:8]}"

    def searched(
        stage: str,
        make: Callable[[Patient, Setting], object],
        grids: Mapping[str, Grid],
        rungs: tuple[int, ...],
        start: str = tuned_from,
    ) -> dict[str, SearchResult]:
        name = f"{work.name}/{kind.name}/{stage}{start}"
        method = Method(name, make, kind.advance, rungs, kind.group)
        done: list[str] = []

        def after(patient: str) -> None:
            done.append(patient)
            progress(f"{kind.name}: {stage}", len(done), len(patients))

        return search(method, patients, grids, storage, after)

    generic = pretrained.network
    individual = searched(
        INDIVIDUAL, track.individual, dict.fromkeys(patients, kind.grid), tuple(kind.rungs), ""
    )
    # Fine-tuning with what was found for the individual network, as published.
    same = {name: {k: (v,) for k, v in f.setting.items()} for name, f in individual.items()}
    end = (kind.rungs[-1],)
    fine_tuned = searched(
        FINE_TUNED, lambda patient, setting: track.fine_tuned(generic, patient, setting), same, end
    )
    own_search = searched(
        SEARCHED,
        lambda patient, setting: track.searched(generic, patient, setting),
        dict.fromkeys(patients, kind.fine_grid),
        tuple(kind.rungs),
    )
    found = {
        GENERIC: {
            name: _generic(pretrained, patient, track.threshold(patient))
            for name, patient in patients.items()
        },
        INDIVIDUAL: individual,
        FINE_TUNED: fine_tuned,
        SEARCHED: own_search,
    }
    return Track(patients, pretrained, found)


def beat_symbols(names: Sequence[str], data: Path | None) -> dict[str, int]:
    """Count the beat annotations of records by symbol, the most frequent first."""
    counts: Counter[str] = Counter()
    for name in names:
        annotations = read(obtain(name, data=data)).annotations
        if annotations is not None:
            counts.update(s for s in annotations.symbols if s in AAMI_CLASSES)
    return dict(counts.most_common())


def _generic(pretrained: Pretrained, patient: Patient, threshold: float) -> SearchResult:
    inputs, truth = patient.windows(VALIDATION)
    validation = probabilities(pretrained.network, inputs)
    test = probabilities(pretrained.network, patient.windows(TEST)[0])
    score = Score.of(validation, truth, threshold).balanced_accuracy
    return SearchResult({}, score, pretrained.epochs, pretrained.best, validation, test)
