"""Our own beats for the report: each is taught as it is scored."""

from dataclasses import replace

import numpy as np
import pytest

from ecgmon.errors import RecordError
from replay.simulated import simulate
from trainer.beats.live import live_beats
from trainer.evaluation.studies.annotating import _beats

NORMAL, SUPRAVENTRICULAR = 0, 1


@pytest.fixture(scope="module")
def record():
    return simulate("normal", duration_s=20).record


def test_escape_beats_are_taught_as_supraventricular_ones(record):
    said = record.annotations
    beats = np.flatnonzero([symbol == "N" for symbol in said.symbols])
    escapes = dict(zip(beats[[3, 5, 8]].tolist(), "eje", strict=True))
    symbols = tuple(escapes.get(i, symbol) for i, symbol in enumerate(said.symbols))
    escaping = replace(record, annotations=replace(said, symbols=symbols))
    labels = _beats(escaping).labels
    assert np.flatnonzero(labels == SUPRAVENTRICULAR).tolist() == [3, 5, 8]
    assert (live_beats(escaping).labels == NORMAL).all()


def test_without_annotations_it_is_said(record):
    with pytest.raises(RecordError, match="no annotations to learn from"):
        _beats(replace(record, annotations=None))
