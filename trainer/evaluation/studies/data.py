"""The examples of each cell of the table."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from trainer.data import splits
from trainer.data.beats import ptb
from trainer.data.examples import Examples
from trainer.data.protocol_splits import DS1, DS2
from trainer.data.recipe_data import Kind, load_examples
from trainer.evaluation.studies.parts import Split, parts
from trainer.evaluation.studies.run import Experiment


def examples_of(cell: Experiment, data: Path | None) -> Examples:
    """Return the examples of a cell.

    Windows of the publications' split are of their 29 records' first lead; beats of that split are
    of all 48 records, everything else of DS1 and DS2. From lead II where no lead is published.
    """
    if cell.data == "ptb":
        return ptb.beats(data)
    names, lead = records_of(cell)
    kind: Any = cell.data
    return _examples(kind, names, data, lead)


def records_of(cell: Experiment) -> tuple[Sequence[str], str | None]:
    """Return the records of MIT-BIH whose examples a cell has, and the lead to take, if not II."""
    if cell.split != Split.RANDOM:
        return (*DS1, *DS2), None
    if cell.data == "windows":
        return splits.STUDY, "1"
    return splits.RECORDS, None


@lru_cache(maxsize=1)  # the next job mostly needs others, and live beats take 400 MB
def _examples(kind: Kind, names: Sequence[str], data: Path | None, lead: str | None) -> Examples:
    return load_examples(kind, names, data, lead=lead)[0]


def sides(cell: Experiment, data: Path | None, seed: int) -> tuple[Examples, Examples, Examples]:
    """Return training, validation and test examples of a cell without folds."""
    examples = examples_of(cell, data)
    (part,) = parts(examples, cell.split, seed)
    return examples[part.training], examples[part.validation], examples[part.test]
