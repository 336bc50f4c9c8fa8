"""Study 1's result file, page and plots, under docs/results."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from trainer.data.protocol_splits import TEST, TRAIN, VALIDATION
from trainer.data.rhythms import ABNORMAL_BEAT
from trainer.data.splits import MODEL_SELECTION
from trainer.evaluation import study_page, study_plots
from trainer.evaluation.figures import JudgedWindows, calibration, pooled
from trainer.evaluation.study import FINE_TUNED, INDIVIDUAL, SEARCHED, Track
from trainer.studies.cardiacnet import publication
from trainer.studies.cardiacnet.patient import Patient

PUBLISHED: Final = "published"
OWN: Final = "own"
THRESHOLD: Final = 0.5
"""Of the published network, corrected (`trainer.studies.cardiacnet.stacked`); the own
one's is the share."""
NEAR_MS: Final = (17, 50, 100)
MATCHED: Final = 0.0005
"""The publication gives three decimals."""
TARGETS: Final = (
    (PUBLISHED, "mean", 0.965),
    (OWN, "mean", 0.988),
    (OWN, "worst", 0.93),
    (OWN, "at_least_individual", 26),
)
"""The project's own, for fine-tuned networks: which network, which figure, what it must reach."""


def write(
    tracks: Mapping[str, Track],
    folder: Path,
    seed: int,
    seconds: float | None,
    symbols: Mapping[str, int],
) -> dict[str, Any]:
    """Write ``result.json``, ``README.md`` and the plots of study 1.

    Parameters
    ----------
    tracks : mapping of str to Track
        ``published`` and ``own``, of the same patients and splits. Every patient has windows of
        both classes in every part.
    folder : Path
        Where to; it is made where there is none.
    seed : int
        The tracks' seed.
    seconds : float or None
        How long the work took, all runs together; None where that is not known.
    symbols : mapping of str to int
        How many beats of each annotation symbol the records hold.

    Returns
    -------
    dict
        What is in the result file.
    """
    judged = {
        name: {kind: _judged(name, track, kind) for kind in track.found}
        for name, track in tracks.items()
    }
    models = {
        name: {kind: _model(track, kind, judged[name]) for kind in track.found}
        for name, track in tracks.items()
    }
    result = {
        "protocol": "study",
        "seed": seed,
        "seconds": seconds,
        "verdicts": verdicts(models),
        "models": models,
        "windows": {name: _windows(patient) for name, patient in tracks[OWN].patients.items()},
        "symbols": dict(symbols),
        "pretraining": {
            name: {"epochs": track.pretrained.epochs, "best": track.pretrained.best}
            for name, track in tracks.items()
        },
        "errors": _errors(tracks[OWN], judged[OWN][SEARCHED]),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    study_plots.draw(tracks, judged, result, folder)
    (folder / "README.md").write_text(study_page.page(result))
    return result


def verdicts(models: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Compare figures with the publication and with the project's targets.

    Parameters
    ----------
    models : mapping
        Figures by network and kind of model, as in the result file.

    Returns
    -------
    list of dict
        ``network``, ``kind``, ``figure``, its ``value``, what it is compared ``with``, and the
        ``verdict``: *beaten*, *matched* (to three decimals) or *not matched* for the publication,
        *met* or *missed* for a target.
    """
    rows = []
    for network in models:
        for kind, reported in (
            (INDIVIDUAL, publication.MEAN_INDIVIDUAL),
            (FINE_TUNED, publication.MEAN_FINE_TUNED),
            (SEARCHED, publication.MEAN_FINE_TUNED),
        ):
            value = models[network][kind]["mean"]
            verdict = "beaten" if value > reported else "not matched"
            if abs(value - reported) <= MATCHED:
                verdict = "matched"
            rows.append((network, kind, "mean", value, reported, verdict))
    for network, figure, target in TARGETS:
        for kind in (FINE_TUNED, SEARCHED):
            value = models[network][kind][figure]
            rows.append(
                (network, kind, figure, value, target, "met" if value >= target else "missed")
            )
    keys = ("network", "kind", "figure", "value", "with", "verdict")
    return [dict(zip(keys, row, strict=True)) for row in rows]


def edge_ms(patient: Patient, window: int) -> float | None:
    """Return how far from the window's edges its label is decided, in ms.

    Beats are known to a step of the record's ``beats``; the middle of the step counts.

    Parameters
    ----------
    patient : Patient
        Who.
    window : int
        Which window of the record.

    Returns
    -------
    float or None
        Of a window with abnormal beats, the distance to the nearest edge of the one that lies
        best inside. Of one without, the distance from the nearest edge to the nearest abnormal
        beat outside; None where there is none within a second.
    """
    beats = patient.record.beats
    steps = beats.shape[1]
    near = beats[max(window - 1, 0) : window + 2].ravel() == ABNORMAL_BEAT
    at = np.flatnonzero(near) + 0.5 - steps * min(window, 1)
    depth = np.minimum(at, steps - at)
    if not len(depth):
        return None
    return float(abs(depth.max()) * 1000 / steps)


def _judged(network: str, track: Track, kind: str) -> dict[str, JudgedWindows]:
    judged = {}
    for name, patient in track.patients.items():
        threshold = THRESHOLD if network == PUBLISHED else patient.share
        labels = patient.record.labels[patient.part == TEST]
        judged[name] = JudgedWindows(labels, track.found[kind][name].test, threshold)
    return judged


def _balanced(judged: Mapping[str, JudgedWindows]) -> dict[str, float]:
    figures = {name: j.confusion.balanced_accuracy for name, j in judged.items()}
    return {name: figure for name, figure in figures.items() if figure is not None}


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _model(
    track: Track, kind: str, judged: Mapping[str, Mapping[str, JudgedWindows]]
) -> dict[str, Any]:
    mine = judged[kind]
    balanced, individual = _balanced(mine), _balanced(judged[INDIVIDUAL])
    worst = min(balanced, key=lambda name: balanced[name])
    all_windows = pooled([j.confusion for j in mine.values()])
    return {
        "threshold": {name: j.threshold for name, j in mine.items()},
        "mean": _mean(balanced.values()),
        "mean_without_choosing": _mean(b for n, b in balanced.items() if n not in MODEL_SELECTION),
        "worst": balanced[worst],
        "worst_record": worst,
        "above_95": sum(b > 0.95 for b in balanced.values()),
        "at_least_individual": sum(b >= individual[name] for name, b in balanced.items()),
        **{name: all_windows[name] for name in ("f1", "sensitivity", "ppv")},
        "calibration": calibration(list(mine.values())),
        "per_patient": balanced,
        "settings": {name: found.setting for name, found in track.found[kind].items()},
        "validation": {name: found.score for name, found in track.found[kind].items()},
    }


def _windows(patient: Patient) -> dict[str, float | int]:
    parts = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
    truth = np.concatenate([patient.windows(part)[1] for part in parts.values()])
    counts = {name: int(np.sum(patient.part == part)) for name, part in parts.items()}
    return {**counts, "positive_rate": float(truth.mean())}


def _errors(track: Track, judged: Mapping[str, JudgedWindows]) -> dict[str, Any]:
    """List the wrong test windows and where their labels are decided, beside all test windows."""
    rows: list[dict[str, Any]] = []
    for name, patient in track.patients.items():
        windows = np.flatnonzero(patient.part == TEST)
        called = judged[name].known >= judged[name].threshold
        for window, abnormal, so in zip(windows, judged[name].truth, called, strict=True):
            rows.append(
                {
                    "record": name,
                    "window": int(window),
                    "error": "missed" if abnormal else "false",
                    "edge_ms": edge_ms(patient, int(window)),
                    "wrong": bool(abnormal != so),
                }
            )
    wrong = [row for row in rows if row["wrong"]]
    near = {}
    for error, all_of in (("missed", "abnormal"), ("false", "normal")):
        near[error] = _near([row for row in wrong if row["error"] == error])
        near[all_of] = _near([row for row in rows if row["error"] == error])
    most = {name: sum(row["record"] == name for row in wrong) for name in track.patients}
    return {
        "resolution_ms": 1000 / next(iter(track.patients.values())).record.beats.shape[1],
        "tested": len(rows),
        "near_ms": near,
        "per_patient": {name: n for name, n in most.items() if n},
        "each": [{key: row[key] for key in row if key != "wrong"} for row in wrong],
    }


def _near(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    distances = [row["edge_ms"] for row in rows if row["edge_ms"] is not None]
    near = {str(limit): sum(d <= limit for d in distances) for limit in NEAR_MS}
    return {"of": len(rows)} | near
