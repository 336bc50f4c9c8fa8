"""The page of study 1, from its result file's figures."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from trainer import pages
from trainer.data.splits import MODEL_SELECTION
from trainer.evaluation.study import FINE_TUNED, INDIVIDUAL, SEARCHED
from trainer.evaluation.study_plots import KINDS, NETWORKS
from trainer.studies.cardiacnet import publication
from trainer.studies.cardiacnet.own import STRETCHES, Own
from trainer.studies.cardiacnet.patient import SHARES
from trainer.studies.cardiacnet.published import Published

FIGURES: Final = {
    "mean": "mean balanced accuracy",
    "worst": "worst patient",
    "at_least_individual": "patients at least as good as individual",
}
VERDICTS: Final = ("beaten", "matched", "not matched", "met", "missed")
AGAINST: Final = {"mean": ".4f", "worst": ".4f", "at_least_individual": "d"}
COLUMNS: Final = tuple(
    (network, kind) for network in NETWORKS for kind in (INDIVIDUAL, FINE_TUNED, SEARCHED)
)
SEARCHES: Final = tuple(column for column in COLUMNS if column[1] != FINE_TUNED)
NEAR: Final = {
    "missed": "missed",
    "abnormal": "all abnormal",
    "false": "false alerts",
    "normal": "all normal",
}
_Models = Mapping[str, Mapping[str, Mapping[str, Any]]]


def page(result: Mapping[str, Any]) -> str:
    """Return the page in Markdown.

    Parameters
    ----------
    result : mapping
        What is in the result file.
    """
    counts = result["windows"].values()
    models, errors = result["models"], result["errors"]
    verdicts = Counter(row["verdict"] for row in result["verdicts"])
    limits = [key for key in errors["near_ms"]["missed"] if key != "of"]
    most = sorted(errors["per_patient"].items(), key=lambda item: -item[1])[:8]
    reported = [row.balanced_accuracy for row in publication.INDIVIDUAL.values()]
    return pages.page(
        "study.md.j2",
        seed=result["seed"],
        seconds=result["seconds"],
        verdicts={name: verdicts[name] for name in VERDICTS},
        compared=[_compared(row) for row in result["verdicts"]],
        patients=len(counts),
        windows=sum(each["train"] + each["validation"] + each["test"] for each in counts),
        published=publication.WINDOWS,
        samples=Published.network.geometry.inputs,
        lowest=SHARES[0],
        highest=SHARES[1],
        history=Own.network.geometry.history_s,
        look_ahead=Own.network.geometry.look_ahead_s,
        choosing=MODEL_SELECTION,
        summary_head=[
            *("network", "model", "mean", f"without the {len(MODEL_SELECTION)}", "worst", "> 0.95"),
            *("≥ individual", "F1", "sensitivity", "PPV", "ECE"),
        ],
        summary=_summary(models),
        columns=_names(COLUMNS),
        each_patient=_patients(models),
        publication=publication,
        reported_mean=sum(reported) / len(reported),
        reported_above=sum(each > 0.95 for each in reported),
        stretches=STRETCHES,
        searches=_names(SEARCHES),
        each_setting=_settings(models),
        errors=errors,
        most_errors=[f"{name} {n}" for name, n in most],
        near_head=["windows", "number", *(f"within {limit} ms" for limit in limits)],
        near=[
            [NEAR[name], each["of"], *(each[limit] for limit in limits)]
            for name, each in errors["near_ms"].items()
        ],
    )


def _compared(row: Mapping[str, Any]) -> list[str]:
    verdict, figure = row["verdict"], row["figure"]
    whose = "target" if verdict in ("met", "missed") else "publication"
    return [
        NETWORKS[row["network"]],
        KINDS[row["kind"]],
        FIGURES[figure],
        f"{row['value']:{AGAINST[figure]}}",
        f"{whose} {row['with']}",
        f"**{verdict}**",
    ]


def _summary(models: _Models) -> list[list[object]]:
    paper = publication
    individual = [f"{paper.MEAN_INDIVIDUAL:.3f}", "", "0.713 (100)", paper.ABOVE_INDIVIDUAL]
    fine_tuned = [f"{paper.MEAN_FINE_TUNED:.3f}", "", "0.65 to 0.70", paper.ABOVE_FINE_TUNED]
    rows: list[list[object]] = [
        ["publication", "individual", *individual, *[""] * 5],
        ["publication", "fine-tuned", *fine_tuned, *[""] * 5],
    ]
    for network, by_kind in models.items():
        for kind, m in by_kind.items():
            shares = (
                *(f"{m[name]:.3f}" for name in ("f1", "sensitivity", "ppv")),
                f"{m['calibration']['expected_calibration_error']:.3f}",
            )
            rows.append(
                [
                    NETWORKS[network],
                    KINDS[kind],
                    f"{m['mean']:.4f}",
                    f"{m['mean_without_choosing']:.4f}",
                    f"{m['worst']:.3f} ({m['worst_record']})",
                    m["above_95"],
                    m["at_least_individual"],
                    *shares,
                ]
            )
    return rows


def _patients(models: _Models) -> list[list[str]]:
    rows = []
    for name in models["own"][INDIVIDUAL]["per_patient"]:
        reported = publication.INDIVIDUAL.get(name)
        own = (f"{models[network][kind]['per_patient'][name]:.3f}" for network, kind in COLUMNS)
        rows.append([name, f"{reported.balanced_accuracy:.3f}" if reported else "-", *own])
    return rows


def _settings(models: _Models) -> list[list[str]]:
    rows = []
    for name in models["own"][INDIVIDUAL]["settings"]:
        reported = publication.INDIVIDUAL.get(name)
        own = (_setting(models[network][kind]["settings"][name]) for network, kind in SEARCHES)
        rows.append([name, _setting(reported._asdict()) if reported else "-", *own])
    return rows


def _setting(setting: Mapping[str, Any]) -> str:
    parts = [f"{setting['learning_rate']:g}"]
    parts += [str(setting[key]) for key in ("batch", "others") if key in setting]
    return ", ".join(parts) + (" w" if setting.get("weighted") else "")


def _names(columns: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{network}: {KINDS[kind]}" for network, kind in columns]
