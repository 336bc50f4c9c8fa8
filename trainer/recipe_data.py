"""What recipes learn from: windows, beats as published, or beats as a live monitor sees them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from trainer.beats.kachuee import annotated_beats
from trainer.beats.live import live_beats
from trainer.dataset import load
from trainer.examples import Examples
from trainer.networks import CardiacNet
from trainer.windows import labelled_windows

Kind = Literal["windows", "published", "live"]


def load_examples(
    kind: Kind,
    names: Sequence[str],
    data: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
    lead: str | None = None,
    annotator: str | None = None,
) -> tuple[Examples, dict[str, str]]:
    """Find (or fetch) records and cut them into examples.

    Parameters
    ----------
    kind : str
        *windows* of one second, *published* beats (`trainer.beats.kachuee`), or *live* ones
        (`trainer.beats.live`).
    names : sequence of str
        As the command line takes them.
    data : Path, optional
        Folder to look in first.
    progress : callable, optional
        Called with each name when it is done.
    lead, annotator : str, optional
        As `ecgmon.records.read` takes them.

    Returns
    -------
    tuple of Examples and dict
        And the record of each wearer.

    Raises
    ------
    RecordError
        If a record cannot be had or has no annotations.
    """
    if kind == "windows":
        sets = load(names, CardiacNet, data, progress, lead, annotator)
        return (
            Examples.joined([labelled_windows(each) for each in sets]),
            {each.wearer: each.record for each in sets},
        )
    cut = annotated_beats if kind == "published" else live_beats
    parts, records = [], {}
    for name in names:
        found = obtain(name, data=data, annotator=annotator)
        record = read(found, lead=lead, annotator=annotator)
        parts.append(cut(record))
        records[record.wearer] = record.name
        progress(name)
    return Examples.joined(parts), records
