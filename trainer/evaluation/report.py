"""Result files, pages and plots of the protocols, under docs/results."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from trainer.evaluation import new_wearer, plots
from trainer.evaluation.new_wearer import KINDS, Wearer

SHOWN: Final = "203"
"""The wearer whose whole record is drawn."""
COLUMNS: Final = (
    ("balanced accuracy", "balanced_accuracy", ".3f"),
    ("F1", "f1", ".3f"),
    ("sensitivity", "sensitivity", ".3f"),
    ("PPV", "ppv", ".3f"),
    ("false alerts / h", "false_alerts_per_hour", ".1f"),
    ("missed / h", "missed_per_hour", ".1f"),
)


def write_new_wearer(wearers: Sequence[Wearer], folder: Path, seed: int) -> dict[str, Any]:
    """Write ``result.json``, ``README.md`` and the plots of protocol ``new-wearer``."""
    result = new_wearer.result(wearers) | {"seed": seed}
    _write_json(result, folder)
    names = sorted(result["per_wearer"])
    both = [n for n in names if _figure(result, n, "generic") is not None]
    plots.bars({k: [_figure(result, n, k) for n in both] for k in KINDS}, both, folder / "bars.png")
    judged = {k: [getattr(w, k) for w in wearers] for k in KINDS}
    plots.reliability(judged, folder / "reliability.png")
    plots.precision_recall(judged, folder / "precision-recall.png")
    shown = next(w for w in wearers if w.name == SHOWN)
    plots.timeline(
        shown.generic.labels,
        {k: getattr(shown, k).probability for k in KINDS},
        folder / f"timeline-{SHOWN}.png",
    )
    (folder / "README.md").write_text(_new_wearer_page(result, names))
    return result


def _new_wearer_page(result: dict[str, Any], names: Sequence[str]) -> str:
    rows = [
        _row(f"{how}, {kind}", result[how][kind]) for how in ("pooled", "mean") for kind in KINDS
    ]
    rows += [
        _row(f"{how}, {kind}, without the wearers who chose", result["unchosen"][how][kind])
        for how in ("pooled", "mean")
        for kind in KINDS
    ]
    each = [
        _row(f"{name} | {kind}", result["per_wearer"][name][kind])
        for name in names
        for kind in KINDS
    ]
    error = {k: result["calibration"][k]["expected_calibration_error"] for k in KINDS}
    scored = sum(result["pooled"]["generic"][count] for count in ("tp", "fp", "tn", "fn"))
    head = " | ".join(name for name, _, _ in COLUMNS)
    rule = "---:|" * len(COLUMNS)
    return f"""# Protocol new-wearer

Recomputed by `ecgmon evaluate --protocol new-wearer`.

The 44 non-paced records of the MIT-BIH Arrhythmia Database in five folds of wearers (201 and 202
are one person, in one fold). The generic model of a fold never saw its wearers; each is enrolled on
the record's first five minutes and its annotations, and scored on the rest, {scored:,} labelled
windows, which nothing looks at before. Label and window are study 1's. A *false alert* is a normal
window called abnormal, *missed* an abnormal one called normal. *Mean* is over the wearers that have
the figure: {result["mean"]["generic"]["balanced_accuracy_wearers"]} of 44 have both classes.

Network and training were chosen on {", ".join(result["unchosen"]["left_out"])}, each of
whom is a stranger in some fold: the figures without them stand beside.

A scored window's history may reach back into the enrolment's signal, never to a label of the scored
part; the last enrolment window's look-ahead reaches half a second past the fifth minute.

| | {head} |
|---|{rule}
{"".join(rows)}
Expected calibration error of the probability: generic {error["generic"]:.3f}, enrolled
{error["enrolled"]:.3f}.

![balanced accuracy of each wearer](bars.png)
![reliability](reliability.png) ![precision and recall](precision-recall.png)
![truth and probability of {SHOWN}](timeline-{SHOWN}.png)

| wearer | model | {head} |
|---|---|{rule}
{"".join(each)}"""


def _figure(result: dict[str, Any], name: str, kind: str) -> float | None:
    value: float | None = result["per_wearer"][name][kind]["balanced_accuracy"]
    return value


def _row(head: str, figures: dict[str, Any]) -> str:
    cells = [
        "-" if figures[name] is None else format(figures[name], form) for _, name, form in COLUMNS
    ]
    return f"| {head} | {' | '.join(cells)} |\n"


def _write_json(result: dict[str, Any], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")
