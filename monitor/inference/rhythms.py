"""Classification of rhythms: one batch for each model a tick."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np

from ecgmon.core.rhythm_verdict import RhythmVerdict
from ecgmon.models.atrial_bundle import AtrialModel
from ecgmon.models.rhythm_bundle import RhythmModel
from ecgmon.signal.types import RhythmInputs
from monitor.inference.judge import Judge

SURE: Final = 0.5
"""Probability of a ventricular rhythm from which on a second is *abnormal*."""
DOUBTFUL: Final = 0.3
"""Probability from which on a second is not *normal*: at most 3 % of the seconds of tachycardia and
fibrillation of people not trained on were to stay below it (docs/results/rhythms.md)."""


class AtrialVerdict(NamedTuple):
    """Probability of atrial fibrillation, None where it is not known."""

    fibrillation: float | None


def classify_rhythms(
    inputs: RhythmInputs, models: Mapping[int, RhythmModel]
) -> Iterator[tuple[int, int, RhythmVerdict | None]]:
    """Judge seconds, each with its wearer's model; in the order in which they come.

    Parameters
    ----------
    inputs : RhythmInputs
        As they came from a signal chain.
    models : mapping of int to RhythmModel
        Model of each row; a row without one is left out.

    Yields
    ------
    tuple of int, int, RhythmVerdict or None
        Row, stream index, and verdict; None where the model was not asked.
    """
    for row, end, said in _each(inputs, models):
        yield row, end, None if said is None else RhythmVerdict(end, said[1], said[2])


def _each(
    inputs: RhythmInputs, models: Mapping[int, Judge]
) -> Iterator[tuple[int, int, list[float] | None]]:
    """Yield row, stream index and probabilities of each input, None where nobody was asked."""
    rows, ends = inputs.rows.tolist(), inputs.end.tolist()
    of_model: dict[int, list[int]] = defaultdict(list)
    for i in np.flatnonzero(inputs.settled).tolist():
        if rows[i] in models:
            of_model[id(models[rows[i]])].append(i)
    found: dict[int, list[float]] = {}
    for mine in of_model.values():
        said = models[rows[mine[0]]].probability(inputs.inputs[mine])
        found |= dict(zip(mine, said.tolist(), strict=True))
    for i, (row, end) in enumerate(zip(rows, ends, strict=True)):
        if row in models:
            yield row, end, found.get(i)


def classify_atrial(
    inputs: RhythmInputs, models: Mapping[int, AtrialModel]
) -> Iterator[tuple[int, int, AtrialVerdict]]:
    """Judge the last beats, each with its wearer's model; as `classify_rhythms`."""
    for row, end, said in _each(inputs, models):
        yield row, end, AtrialVerdict(None if said is None else said[1])
