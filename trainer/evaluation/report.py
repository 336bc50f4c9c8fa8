"""A protocol's result file, page and plots, under docs/results."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from trainer.data.splits import MODEL_SELECTION
from trainer.evaluation import plots
from trainer.evaluation.figures import JudgedWindows
from trainer.evaluation.outcome import Evaluation, Outcome, kinds, result, summary
from trainer.pages import page

SHOWN: Final = ("203", "233")
"""The wearer whose record is drawn: the first of these that is among those scored, or else the
first of all."""
WORST: Final = 10
"""Wearers with the lowest balanced accuracy by the last kind of model, who are drawn, too."""
COLUMNS: Final = (
    ("balanced accuracy", "balanced_accuracy", ".3f"),
    ("F1", "f1", ".3f"),
    ("sensitivity", "sensitivity", ".3f"),
    ("PPV", "ppv", ".3f"),
    ("false alerts / h", "false_alerts_per_hour", ".1f"),
    ("missed / h", "missed_per_hour", ".1f"),
)


def write(
    evaluation: Evaluation, outcomes: Sequence[Outcome], folder: Path, seed: int
) -> dict[str, Any]:
    """Write ``result.json``, ``README.md`` and the plots of a protocol.

    Returns
    -------
    dict
        What is in the result file.
    """
    # Network and training were chosen on some wearers, who may be among those scored here.
    unchosen = [outcome for outcome in outcomes if outcome.wearer not in MODEL_SELECTION]
    figures = {"protocol": evaluation.name, "seed": seed} | result(outcomes)
    figures |= evaluation.extra
    figures["unchosen"] = summary(unchosen) | {"left_out": list(MODEL_SELECTION)}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(figures, indent=1) + "\n")
    shown = _draw(outcomes, figures, folder)
    (folder / "README.md").write_text(_page(evaluation, figures, shown))
    return figures


def _draw(outcomes: Sequence[Outcome], figures: dict[str, Any], folder: Path) -> str:
    each = figures["per_wearer"]
    both = [n for n, f in each.items() if f[kinds(outcomes)[0]]["balanced_accuracy"] is not None]
    judged = {kind: [o.judged[kind] for o in outcomes] for kind in kinds(outcomes)}
    values = {kind: [each[n][kind]["balanced_accuracy"] for n in both] for kind in judged}
    plots.bars(values, both, folder / "bars.png")
    plots.reliability(judged, folder / "reliability.png")
    plots.precision_recall(judged, folder / "precision-recall.png")
    by_wearer = {outcome.wearer: outcome for outcome in outcomes}
    shown = next((by_wearer[name] for name in SHOWN if name in by_wearer), outcomes[0])
    plots.timeline(shown.judged, folder / "timeline.png")
    last = kinds(outcomes)[-1]
    ranked = sorted(both, key=lambda name: each[name][last]["balanced_accuracy"])[:WORST]
    drawn = {name: _first_and_last(by_wearer[name]) for name in ranked}
    plots.worst(drawn, folder / "worst.png")
    return shown.wearer


def _page(evaluation: Evaluation, figures: dict[str, Any], shown: str) -> str:
    names = list(figures["pooled"])
    counts = figures["pooled"][names[0]]
    calibrated = figures["calibration"]
    choosing = [name for name in MODEL_SELECTION if name in figures["per_wearer"]]
    parts = [(figures, ""), (figures["unchosen"], ", without those who chose")]
    return page(
        "protocol.md.j2",
        name=evaluation.name,
        command=evaluation.command,
        seed=figures["seed"],
        about=evaluation.about,
        scored=sum(counts[count] for count in ("tp", "fp", "tn", "fn")),
        wearers=figures["wearers"],
        left_out=figures["left_out"],
        both_classes=figures["mean"][names[0]]["balanced_accuracy_wearers"],
        choosing=choosing,
        head=[name for name, _, _ in COLUMNS],
        rows=[
            [f"{how}, {kind}{note}", *_cells(part[how][kind])]
            for part, note in (parts if choosing else parts[:1])
            for how in ("pooled", "mean")
            for kind in names
        ],
        remarks=evaluation.remarks(figures),
        errors=[f"{kind} {calibrated[kind]['expected_calibration_error']:.3f}" for kind in names],
        shown=shown,
        each=[
            [wearer, kind, *_cells(by_kind[kind])]
            for wearer, by_kind in figures["per_wearer"].items()
            for kind in names
        ],
    )


def _first_and_last(outcome: Outcome) -> dict[str, JudgedWindows]:
    names = list(outcome.judged)
    return {name: outcome.judged[name] for name in dict.fromkeys((names[0], names[-1]))}


def _cells(figures: dict[str, Any]) -> list[str]:
    return [
        "-" if figures[name] is None else format(figures[name], form) for _, name, form in COLUMNS
    ]
