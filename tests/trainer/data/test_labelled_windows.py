from dataclasses import replace

import numpy as np
import pytest

from ecgmon.core.constants import WINDOW
from ecgmon.core.labels import ABNORMAL, UNLABELLED
from replay.simulator.simulation import simulate
from trainer.data import splits
from trainer.data.dataset import record_set
from trainer.data.examples import Examples
from trainer.data.labelled_windows import CLASSES, LENGTH, labelled_windows, study_parts
from trainer.data.protocol_splits import TEST, TRAIN, VALIDATION
from trainer.data.recipe_data import load_examples
from trainer.networks.window_networks import CardiacNet
from trainer.studies.cardiacnet.patient import Patient


@pytest.fixture(scope="module")
def record():
    """With every seventh label hidden, where it has one."""
    made = record_set(simulate("premature", seed=2).record, CardiacNet.geometry, 1)
    hidden = np.arange(len(made)) % 7 == 3
    return replace(made, labels=np.where(hidden, UNLABELLED, made.labels).astype(np.int8))


def test_windows_are_study_1s_with_where_they_begin(record):
    windows = labelled_windows(record)
    assert windows.inputs.shape[1:] == (1, LENGTH)
    assert windows.classes == CLASSES
    assert windows.counts.all()
    seconds, rest = np.divmod(windows.samples, WINDOW)
    assert not rest.any()
    np.testing.assert_array_equal(seconds, np.flatnonzero(record.labels != UNLABELLED))
    np.testing.assert_array_equal(windows.inputs[:, 0], record.inputs[seconds])
    abnormal = windows.labels == CLASSES.index("abnormal")
    np.testing.assert_array_equal(abnormal, record.labels[seconds] == ABNORMAL)


def test_parts_are_the_very_windows_of_study_1_wearer_by_wearer(record):
    one = labelled_windows(record)
    two = labelled_windows(replace(record, wearer="another", labels=record.labels[:90]))
    together = Examples.joined([one, two])
    parts = study_parts(together, 4)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(together)))
    patient = Patient.split(record, 4)
    for part, which in zip((TRAIN, VALIDATION, TEST), parts, strict=True):
        own = together.samples[which[which < len(one)]] // WINDOW
        np.testing.assert_array_equal(own, np.flatnonzero(patient.part == part))
        others = which[which >= len(one)] - len(one)
        np.testing.assert_array_equal(others, study_parts(two, 4)[part])


@pytest.mark.thorough
def test_windows_of_a_real_record(mitdb):
    """Record 114 has V5 first: the published protocol takes that, all others its MLII."""
    first = load_examples("windows", ["114"], mitdb.parent, lead="1")[0]
    assert first.counts.tolist() == [1730 - 55, 55]
    assert set(first.wearers) == {"114"}
    named = load_examples("windows", ["114"], mitdb.parent)[0]
    np.testing.assert_array_equal(named.labels, first.labels)
    assert (named.inputs != first.inputs).any()


@pytest.mark.slow
def test_the_study_has_49244_windows(mitdb):
    every = load_examples("windows", splits.STUDY, mitdb.parent, lead="1")[0]
    assert len(every) == 49_244
    assert sorted(set(every.wearers)) == sorted(splits.STUDY)
    assert [len(part) for part in study_parts(every, 1)] == [31_519, 7_877, 9_848]
