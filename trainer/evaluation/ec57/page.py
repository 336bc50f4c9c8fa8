"""The page and the result file of a comparison, under docs/results/ec57."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from trainer.data.protocol_splits import PACED
from trainer.evaluation.ec57.comparison import Comparison, gross
from trainer.evaluation.ec57.counts import BEATS, LABELS, Counts, average
from trainer.evaluation.ec57.files import Annotator
from trainer.pages import page

COLUMNS: Final = (
    ("QRS", "sensitivity", "QRS Se"),
    ("QRS", "ppv", "QRS +P"),
    ("V", "sensitivity", "V Se"),
    ("V", "ppv", "V +P"),
    ("V", "f1", "V F1"),
    ("S", "sensitivity", "S Se"),
    ("S", "ppv", "S +P"),
    ("S", "f1", "S F1"),
)
SUMMARY: Final = (
    *COLUMNS[:4],
    ("V", "false_positive_rate", "V FPR"),
    *COLUMNS[4:7],
    ("S", "false_positive_rate", "S FPR"),
    *COLUMNS[7:],
)
RUNS: Final = ("annotated", "of them found", "Se", "told", "of them true", "+P")
NAMES: Final = {"V": "ventricular", "S": "supraventricular"}
Figures = Mapping[str, Mapping[str, float | None]]
Columns = tuple[tuple[str, str, str], ...]


def write(
    tested: Annotator,
    records: Mapping[str, Comparison],
    folder: Path,
    command: str,
    about: str = "",
) -> dict[str, Any]:
    """Write ``result.json`` and ``README.md``.

    Parameters
    ----------
    tested : Annotator
        Whose annotations are compared.
    records : mapping of str to Comparison
        What came of each record.
    folder : Path
        Where they are written.
    command : str
        What recomputes them.
    about : str
        What a reader must know of the annotations.

    Returns
    -------
    dict
        What is in the result file.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    result = {
        "protocol": "ec57",
        "annotations": tested.folder.resolve().name,
        "extension": tested.extension,
        "records": len(records),
        "missing": list(tested.missing),
        "gross": gross(records).everything(),
        "average": average(_counts(records)),
        "per_record": {name: one.everything() for name, one in records.items()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "README.md").write_text(_page(tested, records, command, about))
    return result


def percent(figures: Mapping[str, float | None], name: str) -> str:
    """Return a figure as it is printed, with bxb's digits; ``-`` where there is none."""
    value = figures[name]
    digits = 3 if name == "false_positive_rate" else 2
    return "-" if value is None else f"{100 * value:.{digits}f}"


def _page(tested: Annotator, records: Mapping[str, Comparison], command: str, about: str) -> str:
    everything = gross(records)
    total = everything.counts
    matrix = zip(LABELS, total.matrix.tolist(), strict=True)
    return page(
        "ec57.md.j2",
        name=tested.name,
        command=command,
        about=about,
        paced=PACED,
        total=total,
        records=len(records),
        missing=tested.missing,
        summary_head=["", *_names(SUMMARY)],
        summary=[
            ["gross", *_cells(total.figures(), SUMMARY)],
            ["average", *_cells(average(_counts(records)), SUMMARY)],
        ],
        matrix_head=["", *LABELS.lower()],
        matrix=[[f"**{label}**", *(f"{cell:,}" for cell in row)] for label, row in matrix],
        each_head=["record", "beats", "V", "S", *_names(COLUMNS), "shutdown, s"],
        each=[
            *(_record(name, counts) for name, counts in _counts(records).items()),
            _record("**gross**", total),
        ],
        runs_head=["", *RUNS],
        runs=[
            [f"{NAMES[kind]} {length}s", *run_cells(figures)]
            for kind, runs in everything.runs.items()
            for length, figures in runs.figures().items()
        ],
        rates=everything.rates,
    )


def run_cells(figures: Mapping[str, float | None]) -> list[str]:
    """Return the cells of `RUNS` from the figures of a class of runs."""
    counts = {name: f"{figures[name]:,}" for name in ("runs", "found", "told", "true")}
    return [
        *(counts["runs"], counts["found"], percent(figures, "sensitivity")),
        *(counts["told"], counts["true"], percent(figures, "ppv")),
    ]


def _counts(records: Mapping[str, Comparison]) -> dict[str, Counts]:
    return {name: one.counts for name, one in records.items()}


def _names(columns: Columns) -> list[str]:
    return [name for _, _, name in columns]


def _cells(figures: Figures, columns: Columns) -> list[str]:
    return [percent(figures[label], name) for label, name, _ in columns]


def _record(name: str, counts: Counts) -> list[str]:
    beats = (f"{counts.beats(label):,}" for label in (BEATS, "V", "S"))
    return [name, *beats, *_cells(counts.figures(), COLUMNS), f"{counts.shutdown_s:.0f}"]
