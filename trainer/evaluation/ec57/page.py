"""The page and the result file of a comparison, under docs/results/ec57."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from trainer.data.protocols import PACED
from trainer.evaluation.ec57.counts import BEATS, LABELS, Counts, average, gross
from trainer.evaluation.ec57.files import Annotator

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
Figures = Mapping[str, Mapping[str, float | None]]
Columns = tuple[tuple[str, str, str], ...]


def write(
    tested: Annotator,
    records: Mapping[str, Counts],
    folder: Path,
    command: str,
    about: str = "",
) -> dict[str, Any]:
    """Write ``result.json`` and ``README.md``.

    Parameters
    ----------
    tested : Annotator
        Whose annotations are compared.
    records : mapping of str to Counts
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
        "average": average(records),
        "per_record": {name: counts.everything() for name, counts in records.items()},
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


def _page(tested: Annotator, records: Mapping[str, Counts], command: str, about: str) -> str:
    total = gross(records)
    left_out = (
        f"**Not scored, for want of a file: {', '.join(tested.missing)}.**\n\n"
        if tested.missing
        else ""
    )
    matrix = "".join(
        f"| **{label}** | {' | '.join(f'{cell:,}' for cell in row)} |\n"
        for label, row in zip(LABELS, total.matrix.tolist(), strict=True)
    )
    summary = _row("gross", total.figures(), SUMMARY) + _row("average", average(records), SUMMARY)
    each = "".join(
        _row(f"{name} | {_counts(counts)}", counts.figures(), COLUMNS, _seconds(counts))
        for name, counts in records.items()
    )
    last = _row(f"**gross** | {_counts(total)}", total.figures(), COLUMNS, _seconds(total))
    return f"""# EC57: {tested.name}

Recomputed by `{command}`.{about and f" {about}"}

Beat by beat against the reference annotations of the MIT-BIH Arrhythmia Database, as ANSI/AAMI EC57
asks for and bxb of the WFDB software does: a beat is found within 150 ms, the first five minutes do
not count, episodes of ventricular flutter are left out, and so are {", ".join(PACED)}, which are
paced. Supraventricular escape beats are S. Compared are {total.beats():,} beats of {len(records)}
of the 44 records, {total.beats("V"):,} of them V and {total.beats("S"):,} S.

{left_out}In %. *Se* is sensitivity, *+P* positive predictive value, *FPR* the share of other beats
that were called so. A fusion beat called V is neither right nor wrong, nor is an unclassifiable one
called V or S. *Gross* is of the sums over records, *average* the mean over those that have the
figure.

{_head("", SUMMARY)}{summary}
Rows are what is true, columns what was said; **O** is no beat, **X** none where that side calls the
signal unreadable.

| | {" | ".join(LABELS.lower())} |
|---|{"---:|" * len(LABELS)}
{matrix}
*Shutdown* is how long the tested annotator calls the signal unreadable, learning time included.

{_head("record | beats | V | S", COLUMNS, "shutdown, s")}{each}{last}"""


def _head(first: str, columns: Columns, *last: str) -> str:
    cells = [first, *(name for _, _, name in columns), *last]
    rule = "---:|" * (len(cells) - 1 + first.count("|"))
    return f"| {' | '.join(cells)} |\n|---|{rule}\n"


def _row(first: str, figures: Figures, columns: Columns, *last: str) -> str:
    cells = [first, *(percent(figures[label], name) for label, name, _ in columns), *last]
    return f"| {' | '.join(cells)} |\n"


def _counts(counts: Counts) -> str:
    return " | ".join(f"{counts.beats(label):,}" for label in (BEATS, "V", "S"))


def _seconds(counts: Counts) -> str:
    return f"{counts.shutdown_s:.0f}"
