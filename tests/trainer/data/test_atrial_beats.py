"""Inputs of models of atrial rhythms, labelled by rhythm notes or by a table."""

import numpy as np
import pytest

from ecgmon.core.constants import RATE
from ecgmon.core.labels import UNLABELLED
from ecgmon.core.rhythm_notes import rhythm_spans
from ecgmon.records.converted import read_converted
from ecgmon.signal import SignalChain
from ecgmon.signal.geometry import RHYTHM
from trainer.data.atrial_beats import ATRIAL_FIBRILLATION, OTHER_ATRIAL, SEEN_S, atrial_inputs
from trainer.data.people import Person

pytestmark = pytest.mark.thorough


def test_of_a_real_record_they_are_what_a_monitor_cuts(mitdb, tmp_path):
    """202 turns from sinus rhythm to flutter and fibrillation."""
    person = Person("mitdb", ("mitdb/202",), chooses=False, fold=0)
    (found,) = atrial_inputs(person, tmp_path, mitdb.parent)
    record = read_converted("mitdb/202", lead="1", data=mitdb.parent)
    chain = SignalChain(RHYTHM, 1)
    seen = chain.push(np.zeros(1, dtype=np.intp), record.millivolts()[None]).atrial
    np.testing.assert_array_equal(found.inputs, seen.inputs.astype(np.float16))
    np.testing.assert_array_equal(found.settled, seen.settled)
    rhythm = np.full(len(record.samples), "other", dtype=object)
    for start, stop, name in rhythm_spans(record.annotations, len(record.samples)):
        rhythm[start:stop] = name
    for end, label in zip(found.end.tolist(), found.labels.tolist(), strict=True):
        before = rhythm[max(end - SEEN_S * RATE, 0) : end]
        share = (before == "atrial-fibrillation").mean()
        if (before == "atrial-flutter").any():
            assert label == UNLABELLED
        elif label != UNLABELLED:
            assert share > 0.8 if label == ATRIAL_FIBRILLATION else share < 0.2
        else:
            assert 0.05 < share < 0.95
    assert {OTHER_ATRIAL, ATRIAL_FIBRILLATION, UNLABELLED} == {*found.labels.tolist()}
    (again,) = atrial_inputs(person, tmp_path, mitdb.parent)
    np.testing.assert_array_equal(again.inputs, found.inputs)


def test_a_short_recording_has_the_rhythm_of_the_table(mitdb, tmp_path):
    if not (mitdb.parent / "cinc2017").is_dir():
        pytest.skip("needs cinc2017 beside mitdb")
    labels = {}
    for name in ("A00001", "A00005", "A00008"):  # N, A, O
        person = Person("cinc2017", (f"cinc2017/{name}",), chooses=False, fold=0)
        (found,) = atrial_inputs(person, tmp_path, mitdb.parent)
        labels[name] = {*found.labels.tolist()}
    assert labels == {
        "A00001": {OTHER_ATRIAL},
        "A00005": {ATRIAL_FIBRILLATION},
        "A00008": {OTHER_ATRIAL},
    }
