"""The page and the result file of alarms with a known truth."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ecgmon.core.constants import RATE
from ecgmon.records import Record
from trainer.evaluation.alarm_truths.score import AlarmCounts, by_kind
from trainer.evaluation.alarm_truths.truths import FROM_S, UNTIL_S, AlarmTruth
from trainer.evaluation.worst_cases import WorstCase, draw_all
from trainer.pages import page


def worst(judged: Sequence[tuple[AlarmTruth, bool]]) -> list[WorstCase]:
    """Return what is decided wrong: true alarms that are missed first, which cost most."""
    return [
        WorstCase(
            truth.found.name,
            f"{named(truth.kind)}, {'not alarmed' if truth.is_true else 'false alarm'}",
            (FROM_S * RATE, UNTIL_S * RATE),
        )
        for truth, raised in sorted(judged, key=lambda one: not one[0].is_true)
        if truth.is_true != raised
    ]


def write(
    folder: Path,
    name: str,
    command: str,
    judged: Sequence[tuple[AlarmTruth, bool]],
    read: Callable[[str], Record],
) -> dict[str, Any]:
    """Write ``result.json`` and ``README.md``.

    Parameters
    ----------
    folder : Path
        Where they are written.
    name : str
        The database.
    command : str
        What recomputes them.
    judged : sequence of (AlarmTruth, bool)
        Each record's truth, and whether we raised that alarm.
    read : callable
        Gives a record at 360 Hz by its name.

    Returns
    -------
    dict
        What is in the result file.

    Raises
    ------
    RecordError
        If a record whose alarm is to be drawn cannot be read any more.
    OSError
        If they cannot be written.
    """
    counts = counted(judged)
    result = {
        "protocol": "alarms",
        "database": name,
        "kinds": {kind: _figures(each) for kind, each in counts.items()},
        "per_record": {
            truth.found.name: {"kind": truth.kind, "true": truth.is_true, "raised": raised}
            for truth, raised in judged
        },
    }
    wrong = [
        [
            truth.found.name,
            named(truth.kind),
            "true" if truth.is_true else "false",
            "raised" if raised else "not raised",
        ]
        for truth, raised in judged
        if truth.is_true != raised
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "README.md").write_text(
        page(
            "alarm_truths.md.j2",
            name=name,
            command=command,
            records=len(judged),
            rows=rows(counts),
            wrong=wrong,
            drawn=draw_all(folder, worst(judged), read),
        )
    )
    return result


def counted(judged: Sequence[tuple[AlarmTruth, bool]]) -> dict[str, AlarmCounts]:
    """Return the counts of each kind that there is, and of all together."""
    results: dict[str, list[tuple[bool, bool]]] = {}
    for truth, raised in judged:
        results.setdefault(truth.kind, []).append((truth.is_true, raised))
    return by_kind(results)


def rows(counts: Mapping[str, AlarmCounts]) -> list[list[str]]:
    """Return the cells of each kind: true, found, share; false, suppressed, share; score."""
    return [
        [
            named(kind),
            f"{each.found + each.missed:,}",
            f"{each.found:,}",
            _percent(each.sensitivity),
            f"{each.raised + each.suppressed:,}",
            f"{each.suppressed:,}",
            _percent(each.suppression),
            "-" if each.score is None else f"{each.score:.3f}",
        ]
        for kind, each in counts.items()
    ]


def named(kind: str) -> str:
    """Return a kind of theirs in words."""
    return {"Ventricular_Flutter_Fib": "ventricular fibrillation"}.get(
        kind, kind.replace("_", " ").lower()
    )


def _figures(counts: AlarmCounts) -> dict[str, float | None]:
    return asdict(counts) | {
        "sensitivity": counts.sensitivity,
        "suppression": counts.suppression,
        "score": counts.score,
    }


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"
