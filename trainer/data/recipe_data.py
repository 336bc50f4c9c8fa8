"""Data sets of recipes: windows, beats as published, or beats as a live monitor sees them."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from ecgmon.core.errors import RecordError
from ecgmon.records.fetch import obtain
from ecgmon.records.many import each
from ecgmon.records.record import Found
from trainer.data.annotated import annotated
from trainer.data.beats.causal_beats import live_beats
from trainer.data.beats.kachuee import annotated_beats
from trainer.data.dataset import load
from trainer.data.examples import Examples
from trainer.data.labelled_windows import labelled_windows
from trainer.networks.window_networks import CardiacNet

Kind = Literal["windows", "published", "live"]


def load_examples(
    kind: Kind,
    names: Sequence[str],
    data: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
    lead: str | None = None,
    annotator: str | None = None,
    skipped: dict[str, RecordError] | None = None,
) -> tuple[Examples, dict[str, str]]:
    """Find (or fetch) records and cut them into examples.

    Parameters
    ----------
    kind : str
        *windows* of one second, *published* beats (`trainer.data.beats.kachuee`), or *live* ones
        (`trainer.data.beats.causal_beats`).
    names : sequence of str
        As the command line takes them.
    data : Path, optional
        Folder to look in first.
    progress : callable, optional
        Called with each name when it is done.
    lead, annotator : str, optional
        As `ecgmon.records.read` takes them.
    skipped : dict of str to RecordError, optional
        As `ecgmon.records.many.each` takes it.

    Returns
    -------
    tuple of Examples and dict
        And the record of each wearer.

    Raises
    ------
    RecordError
        If a record cannot be had, has no annotations or cannot be learned from; names them all.
    """
    if kind == "windows":
        sets = load(names, CardiacNet, data, progress, lead, annotator, skipped)
        return (
            Examples.joined([labelled_windows(one) for one in sets]),
            {one.wearer: one.record for one in sets},
        )
    cut = annotated_beats if kind == "published" else live_beats
    records = {}
    fetch = partial(obtain, data=data, annotator=annotator)

    def one(found: Found) -> Examples:
        record = annotated(found, lead, annotator)
        beats = cut(record)
        records[record.wearer] = record.name
        progress(record.name)
        return beats

    parts = [beats for _, beats in each(names, one, data=data, fetch=fetch, skipped=skipped)]
    return Examples.joined(parts), records
