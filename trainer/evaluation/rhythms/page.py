"""The page and the result file of episodes of rhythms."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from ecgmon.core.constants import RATE
from ecgmon.records import Record
from trainer.evaluation.rhythms.episodes import EpisodeCounts, delays, touched
from trainer.evaluation.rhythms.record import (
    ASYSTOLE,
    ATRIAL,
    FIBRILLATION,
    LONG,
    TACHYCARDIA,
    RhythmRecord,
)
from trainer.evaluation.worst_cases import WorstCase, draw_all
from trainer.pages import page

KINDS: Final[dict[str | None, str]] = {
    FIBRILLATION: "ventricular fibrillation and flutter",
    TACHYCARDIA: "ventricular tachycardia",
    None: "either as one",
    ATRIAL: "atrial fibrillation",
    ASYSTOLE: "asystole",
}
"""Rhythms that are counted, None for both ventricular ones as one, and their names."""
COLUMNS: Final = (
    "",
    "annotated",
    "found",
    "announced",
    "true",
    "sensitivity, %",
    "predictivity, %",
    "duration: sensitivity, %",
    "predictivity, %",
)


def counts(record: RhythmRecord, kind: str | None) -> EpisodeCounts:
    """Count the episodes of a record; what is announced in annotated noise alone does not count."""
    if kind is None:
        return EpisodeCounts.of(record.ventricular, record.alarms, record.noise)
    announced = record.atrial if kind == ATRIAL else record.announced[kind]
    return EpisodeCounts.of(record.annotated[kind], announced, record.noise)


def burdens(records: Sequence[RhythmRecord]) -> list[list[str]]:
    """Return the cells of each record with atrial fibrillation, as `COLUMNS` and two burdens."""
    return [
        [
            *row(one.name, counts(one, ATRIAL)),
            f"{100 * one.burden(one.annotated[ATRIAL]):.1f}",
            f"{100 * one.burden(one.atrial):.1f}",
        ]
        for one in records
        if one.annotated[ATRIAL] or one.atrial
    ]


def gross(records: Sequence[RhythmRecord]) -> list[list[str]]:
    """Return the cells of each kind over all records, as `COLUMNS`."""
    noted = any(one.annotated[ASYSTOLE] for one in records)  # beats tell of it elsewhere
    return [
        row(name, sum((counts(one, kind) for one in records), EpisodeCounts()))
        for kind, name in KINDS.items()
        if kind != ASYSTOLE or noted
    ]


def asystoles(records: Sequence[RhythmRecord]) -> list[list[str]]:
    """Return the cells of each annotated asystole: its record, when, how long, alarmed after."""
    found = []
    for one in records:
        for start, stop in one.annotated[ASYSTOLE]:
            late = delays([(start, stop)], one.announced[ASYSTOLE])
            cells = (f"{start / RATE:.0f}", f"{(stop - start) / RATE:.0f}")
            found.append([one.name, *cells, f"{late[0]:.1f}" if late else "-"])
    return found


def row(name: str, of: EpisodeCounts) -> list[str]:
    """Return the cells of some episodes, as `COLUMNS`."""
    shares = (of.sensitivity, of.predictivity, of.duration_sensitivity, of.duration_predictivity)
    return [
        name,
        f"{of.found + of.missed:,}",
        f"{of.found:,}",
        f"{of.true + of.false:,}",
        f"{of.true:,}",
        *("-" if share is None else f"{100 * share:.1f}" for share in shares),
    ]


def worst(records: Sequence[RhythmRecord]) -> list[WorstCase]:
    """Return what is missed or false, the longest first; short episodes are not asked for."""
    cases = []
    for one in records:
        sides = {
            "ventricular rhythm": (one.ventricular, one.alarms, LONG),
            "atrial fibrillation": (one.annotated[ATRIAL], one.atrial, LONG),
            "asystole": (one.annotated[ASYSTOLE], one.announced[ASYSTOLE], 0),
        }
        for what, (annotated, announced, least) in sides.items():
            missed = [s for s in annotated if s[1] - s[0] >= least and not touched(s, announced)]
            false = [s for s in announced if not touched(s, [*annotated, *one.noise])]
            cases += [
                WorstCase(one.name, f"{what}, {how}", span, annotated, announced)
                for how, spans in (
                    ("not alarmed", missed),
                    ("false alarm", false if what != "asystole" else []),  # beats tell of it
                )
                for span in spans
            ]
    return sorted(cases, key=lambda case: case.span[0] - case.span[1])


def write(
    folder: Path,
    name: str,
    command: str,
    records: Sequence[RhythmRecord],
    read: Callable[[str], Record],
) -> None:
    """Write ``result.json`` and ``README.md``.

    Parameters
    ----------
    folder : Path
        Where they are written.
    name : str
        The database.
    command : str
        What recomputes them.
    records : sequence of RhythmRecord
        The records.
    read : callable
        Gives a record at 360 Hz by its name.

    Raises
    ------
    RecordError
        If a record whose worst case is to be drawn cannot be read any more.
    OSError
        If they cannot be written.
    """
    false = [(one.name, start, stop) for one in records for start, stop in one.false]
    result: dict[str, Any] = {
        "protocol": "rhythm",
        "database": name,
        "kinds": {
            kind or "either": asdict(sum((counts(one, kind) for one in records), EpisodeCounts()))
            for kind in KINDS
        },
        "per_record": {
            one.name: {
                "annotated": one.annotated,
                "announced": one.announced,
                "delays_s": delays(one.ventricular, one.alarms),
                "atrial_delays_s": delays(one.annotated[ATRIAL], one.atrial),
                "atrial_burden": one.burden(one.annotated[ATRIAL]),
                "atrial_burden_announced": one.burden(one.atrial),
            }
            for one in records
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "README.md").write_text(
        page(
            "rhythm_episodes.md.j2",
            name=name,
            command=command,
            columns=COLUMNS,
            gross=gross(records),
            records=[row(one.name, counts(one, None)) for one in records],
            atrial_columns=(*COLUMNS, "burden: annotated, %", "announced, %"),
            atrial=burdens(records),
            asystoles=asystoles(records),
            wrong=[
                [record, f"{start / RATE:.0f}", f"{(stop - start) / RATE:.0f}"]
                for record, start, stop in false
            ],
            hours=sum(one.outside_hours for one in records),
            drawn=draw_all(folder, worst(records), read),
        )
    )
