"""The page of study 1, from its result file's figures."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

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
AGAINST: Final = {"mean": ".4f", "worst": ".4f", "at_least_individual": "d"}
COLUMNS: Final = tuple(
    (network, kind) for network in NETWORKS for kind in (INDIVIDUAL, FINE_TUNED, SEARCHED)
)
SEARCHES: Final = tuple(column for column in COLUMNS if column[1] != FINE_TUNED)

PROTOCOL: Final = """## Protocol

A window is one second; it is abnormal if it holds any beat other than `N`. The {patients} records
of the publication hold {windows:,} windows by our count, {published:,} as published. Each patient's
are split at random, stratified by class, into 64 % training, 16 % validation and 20 % test. The
generic network learns from all patients' training windows. An *individual* network learns from one
patient's training windows from scratch, with hyper-parameters searched for each patient. The
*fine-tuned* one starts from the generic network and takes over the individual's hyper-parameters,
as published (the published network with a new head); *fine-tuned, searched* keeps the head and has
a search of its own. Epoch and hyper-parameters are chosen on validation windows; test windows
never choose anything.

The published network sees one second, {samples} samples; the own one sees {history:g} s before the
window and {look_ahead:g} s after it as well. A network that learns from windows as they come is
judged against the share of abnormal ones among the patient's training windows, but no less than
{lowest:g} and no more than {highest:g}: for a probability that is right, the share gives the best
balanced accuracy, and on validation windows it is better than 0.5. The own networks take it as
threshold; those of the published network have their probability corrected by it and keep 0.5, as do
those that draw both classes equally often, and the generic one, which is judged at 0.5 as it is.
The publication names no threshold. Without the correction the means of the published network were
0.9445 (individual), 0.9537 (fine-tuned) and 0.9582 (fine-tuned, searched) in an earlier run.

Windows that share samples through history count as one place: signal may overlap between parts,
labels never. Each training target follows from the window's own beats alone, so no test label is in
any training target. What overlaps is the unlabelled signal.

Different from the publication: signals are band-passed and scaled causally, by the monitor's own
chain, while the publication scales each recording to [0, 1] by its minimum and maximum. A search
stops the worse settings early (successive halving); the publication trains all of them to the end.
An epoch of a patient is as long as that of the longest record trained beside it.
*Fine-tuned, searched*, the own network, its history, its threshold and the training windows of all
patients in its fine-tuning are additions.
"""
LIMITS: Final = """## What the figures cannot tell

A random split of one half hour puts windows of the same minute on both sides. The figures say how
well a network learns a recording of which it has seen two thirds, not how it does on a later day
or on a patient whose beats nobody has annotated. What a bedside sees is nearer to
[new-wearer](../new-wearer/README.md). Some patients have few abnormal windows: where three are
tested, one missed costs a sixth of the balanced accuracy. 201 and 202 are one person, counted as
two as in the publication. The own network's design was chosen earlier on whole recordings of
{choosing},
all of them among the patients here; the means without them stand beside.
"""


def page(result: Mapping[str, Any]) -> str:
    """Return the page in Markdown.

    Parameters
    ----------
    result : mapping
        What is in the result file.
    """
    counts = result["windows"].values()
    protocol = PROTOCOL.format(
        patients=len(counts),
        windows=sum(each["train"] + each["validation"] + each["test"] for each in counts),
        published=publication.WINDOWS,
        samples=Published.network.geometry.inputs,
        lowest=SHARES[0],
        highest=SHARES[1],
        history=Own.network.geometry.history_s,
        look_ahead=Own.network.geometry.look_ahead_s,
    )
    return f"""# Protocol study: CardiacNet (Vavekanand et al. 2024)

{_verdicts(result["verdicts"])}
Recomputed by `ecgmon evaluate --protocol study`, seed {result["seed"]}{_took(result["seconds"])}.

{protocol}
{LIMITS.format(choosing=", ".join(MODEL_SELECTION))}
## Summary

Test windows. Balanced accuracy is per patient; F1, sensitivity, PPV and the expected calibration
error (ECE) are of all windows together.

{_summary(result["models"])}
## Each patient

{_patients(result["models"])}
The publication's column has a mean of {_reported_mean():.3f} and {_reported_above()} patients above
0.95; its text says {publication.MEAN_INDIVIDUAL} and {publication.ABOVE_INDIVIDUAL}, with which we
compare. For its fine-tuned networks it gives no figures of single patients.

![balanced accuracy of each patient, published network](bars-published.png)

![balanced accuracy of each patient, own network](bars-own.png)

![histograms of balanced accuracy](histograms.png)

Chosen hyper-parameters: learning rate; batch and w for weighted sampling, or how many of a batch's
{STRETCHES} stretches are drawn from all patients. The own network's *fine-tuned* draws half of them
so.

{_settings(result["models"])}
## Data and training

![beats by annotation symbol](symbols.png)

![windows of each patient and share of abnormal ones](windows.png)

![pre-training](pretraining.png)

One patient's networks (published network):

![loss and balanced accuracy by epoch](curves.png)

## Probabilities and errors of the own network

![reliability](reliability.png) ![precision and recall](precision-recall.png)

{_errors(result["errors"])}"""


def _took(seconds: float | None) -> str:
    return "" if seconds is None else f"; all of it took {seconds / 3600:.1f} hours"


def _verdicts(rows: Iterable[Mapping[str, Any]]) -> str:
    counts: dict[str, int] = {}
    lines = []
    for row in rows:
        verdict, figure = row["verdict"], row["figure"]
        counts[verdict] = counts.get(verdict, 0) + 1
        whose = "target" if verdict in ("met", "missed") else "publication"
        lines.append(
            f"{NETWORKS[row['network']]} | {KINDS[row['kind']]} | {FIGURES[figure]} | "
            f"{row['value']:{AGAINST[figure]}} | {whose} {row['with']} | **{verdict}**"
        )
    beaten, matched, not_matched, met, missed = (
        counts.get(name, 0) for name in ("beaten", "matched", "not matched", "met", "missed")
    )
    return f"""Compared with the publication: {beaten} beaten, {matched} matched, {not_matched} not
matched. Compared with the project's own targets: {met} met, {missed} missed.

{_table("network | model | figure | here | against | verdict", lines, left=3)}"""


def _summary(models: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    lines = [
        f"publication | individual | {publication.MEAN_INDIVIDUAL:.3f} | | 0.713 (100) | "
        f"{publication.ABOVE_INDIVIDUAL} | | | | |",
        f"publication | fine-tuned | {publication.MEAN_FINE_TUNED:.3f} | | 0.65 to 0.70 | "
        f"{publication.ABOVE_FINE_TUNED} | | | | |",
    ]
    for network, by_kind in models.items():
        for kind, m in by_kind.items():
            lines.append(
                f"{NETWORKS[network]} | {KINDS[kind]} | {m['mean']:.4f} | "
                f"{m['mean_without_choosing']:.4f} | {m['worst']:.3f} ({m['worst_record']}) | "
                f"{m['above_95']} | {m['at_least_individual']} | "
                f"{m['f1']:.3f} | {m['sensitivity']:.3f} | {m['ppv']:.3f} | "
                f"{m['calibration']['expected_calibration_error']:.3f}"
            )
    head = (
        f"network | model | mean | without the {len(MODEL_SELECTION)} | worst | > 0.95 | "
        "≥ individual | F1 | sensitivity | PPV | ECE"
    )
    return _table(head, lines, left=2)


def _patients(models: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    lines = []
    for name in models["own"][INDIVIDUAL]["per_patient"]:
        reported = publication.INDIVIDUAL.get(name)
        cells = [f"{reported.balanced_accuracy:.3f}" if reported else "-"]
        cells += [f"{models[network][kind]['per_patient'][name]:.3f}" for network, kind in COLUMNS]
        lines.append(f"{name} | {' | '.join(cells)}")
    return _table(f"patient | publication, individual | {_head(COLUMNS)}", lines)


def _settings(models: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    lines = []
    for name in models["own"][INDIVIDUAL]["settings"]:
        reported = publication.INDIVIDUAL.get(name)
        cells = [_setting(reported._asdict()) if reported else "-"]
        cells += [_setting(models[network][kind]["settings"][name]) for network, kind in SEARCHES]
        lines.append(f"{name} | {' | '.join(cells)}")
    return _table(f"patient | publication, individual | {_head(SEARCHES)}", lines)


def _setting(setting: Mapping[str, Any]) -> str:
    parts = [f"{setting['learning_rate']:g}"]
    parts += [str(setting[key]) for key in ("batch", "others") if key in setting]
    return ", ".join(parts) + (" w" if setting.get("weighted") else "")


def _errors(errors: Mapping[str, Any]) -> str:
    near = errors["near_ms"]
    limits = [key for key in near["missed"] if key != "of"]
    names = {
        "missed": "missed",
        "abnormal": "all abnormal",
        "false": "false alerts",
        "normal": "all normal",
    }
    lines = [
        " | ".join([names[name], str(each["of"]), *(str(each[limit]) for limit in limits)])
        for name, each in near.items()
    ]
    most = sorted(errors["per_patient"].items(), key=lambda item: -item[1])[:8]
    held = ", ".join(f"{name} {n}" for name, n in most)
    head = " | ".join(["windows", "number", *(f"within {limit} ms" for limit in limits)])
    return f"""Of {errors["tested"]:,} test windows {len(errors["each"])} are judged wrong by the
fine-tuned, searched networks. Most are of: {held or "nobody"}.

Which second a beat near the edge of two belongs to follows from where its annotation was put. The
table counts windows by how far from an edge the label is decided: for an abnormal window, how far
inside lies the abnormal beat that lies best inside; for a normal one, how far outside lies the
nearest abnormal beat, if there is one within a second. Beats are placed to 1/60 s
({errors["resolution_ms"]:.1f} ms), and the middle of that counts.

{_table(head, lines)}"""


def _head(columns: Iterable[tuple[str, str]]) -> str:
    return " | ".join(f"{network}: {KINDS[kind]}" for network, kind in columns)


def _table(head: str, lines: Iterable[str], left: int = 1) -> str:
    columns = head.count("|") + 1
    rule = "---|" * left + "---:|" * (columns - left)
    return "\n".join([f"| {head} |", f"|{rule}", *(f"| {line} |" for line in lines)]) + "\n"


def _reported_mean() -> float:
    rows = publication.INDIVIDUAL.values()
    return sum(row.balanced_accuracy for row in rows) / len(rows)


def _reported_above() -> int:
    return sum(row.balanced_accuracy > 0.95 for row in publication.INDIVIDUAL.values())
