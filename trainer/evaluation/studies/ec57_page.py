"""The part of the page on our own beats, compared beat by beat as EC57 asks."""

from collections.abc import Mapping
from typing import Any, Final

from trainer.evaluation.ec57.page import COLUMNS, percent
from trainer.evaluation.studies.tables import table

_INTRODUCTION: Final = """The 44 records in two halves: a network of DS1's wearers judges DS2, and
one of DS2's judges DS1. Beats are those that the monitor's detector finds, the first five minutes
do not count, and all of it is as `docs/results/ec57` says. *Strangers* are judged by a network that
never saw them (201 and 202, one person, are fitted to by neither); *fitted* by that network fitted
to the first five minutes of the wearer, with their annotations. Escape beats (e, j), 243 of 2,745,
count as S here, and are taught as N, as the publications have them: so S Se can hardly be above 91.
What others published comes after. The recipe's settings were compared on DS1, half of the wearers
judged here: only DS2's figures in the table above are free of that. In %.
"""
_REFERENCES: Final = (
    ("Malik et al. (2022), first five minutes", "V F1", "93.7", "S F1", "76.6"),
    ("Kiranyaz (2016), the same, 24 records", "V F1", "92.2", "S F1", "63.3"),
    ("EP Limited's classifier, no labels", "V Se", "93.8", "V +P", "96.6", "V F1", "95.2"),
)
"""What others have published, by column."""


def beat_by_beat(result: Mapping[str, Any] | None, recipe: str) -> str:
    """Return the gross figures of `trainer.evaluation.studies.annotating`."""
    if result is None:
        return ""
    rows = [
        [
            f"[{kind}](ec57/{recipe}-{kind}/README.md)",
            *(percent(gross[label], name) for label, name, _ in COLUMNS),
        ]
        for kind, gross in result.items()
    ]
    names = [name for _, _, name in COLUMNS]
    for who, *said in _REFERENCES:
        figures = dict(zip(said[::2], said[1::2], strict=True))
        rows.append([who, *(figures.get(name, "-") for name in names)])
    head = ["wearers", *names]
    return f"### Beat by beat\n\n{_INTRODUCTION}\n{table(head, rows)}"
