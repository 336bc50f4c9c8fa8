"""The part of the page on our own beats, compared beat by beat as EC57 asks."""

from collections.abc import Mapping
from typing import Any, Final

from trainer.evaluation.ec57.page import COLUMNS, percent
from trainer.evaluation.studies.tables import MarkdownTable

_REFERENCES: Final = (
    ("Malik et al. (2022), first five minutes", "V F1", "93.7", "S F1", "76.6"),
    ("Kiranyaz (2016), the same, 24 records", "V F1", "92.2", "S F1", "63.3"),
    ("EP Limited's classifier, no labels", "V Se", "93.8", "V +P", "96.6", "V F1", "95.2"),
)
"""What others have published, by column."""


def beat_by_beat(result: Mapping[str, Any] | None, recipe: str) -> MarkdownTable | None:
    """Return the gross figures of `trainer.evaluation.studies.annotating`."""
    if result is None:
        return None
    rows = [
        [
            f"[{kind}](ec57/{recipe}-{kind}/README.md)",
            *(percent(gross[label], name) for label, name, _ in COLUMNS),
        ]
        for kind, gross in result.items()
    ]
    names = [name for _, _, name in COLUMNS]
    for who, *pairs in _REFERENCES:
        figures = dict(zip(pairs[::2], pairs[1::2], strict=True))
        rows.append([who, *(figures.get(name, "-") for name in names)])
    return MarkdownTable(["wearers", *names], rows)
