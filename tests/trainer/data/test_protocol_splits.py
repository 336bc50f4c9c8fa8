"""No window is on two sides of a split, nor a wearer if the protocol forbids it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.labels import UNLABELLED
from trainer.data import protocol_splits as protocols
from trainer.data import splits
from trainer.data.protocol_splits import (
    TEST,
    TRAIN,
    UNUSED,
    VALIDATION,
    stratified_split,
    wearer_folds,
)

PERSON = {second: first for first, second in protocols.SAME_PERSON}


def persons(records):
    return {PERSON.get(record, record) for record in records}


def test_every_non_paced_wearer_is_a_stranger_exactly_once():
    strangers = [name for fold in wearer_folds() for name in fold.strangers]
    assert sorted(strangers) == sorted(protocols.NON_PACED)
    assert len(strangers) == 44


@pytest.mark.parametrize("fold", wearer_folds())
def test_no_person_is_on_two_sides_of_a_fold(fold):
    sides = [persons(side) for side in (fold.strangers, fold.training, fold.validation)]
    assert sum(len(side) for side in sides) == len(set.union(*sides))
    everybody = [*fold.strangers, *fold.training, *fold.validation]
    assert sorted(everybody) == sorted(splits.RECORDS)


def test_ds1_and_ds2_are_the_44_records():
    assert sorted([*protocols.DS1, *protocols.DS2]) == sorted(protocols.NON_PACED)
    assert set(protocols.DS1_MODEL_SELECTION) < set(protocols.DS1)
    assert persons(protocols.DS1) & persons(protocols.DS2) == {"201"}, "the flaw the page names"


labels = st.lists(st.sampled_from([0, 0, 0, 1, UNLABELLED]), max_size=2000).map(
    lambda values: np.array(values, dtype=np.int8)
)


@given(labels, st.integers(0, 100))
def test_the_study_split_is_stratified_64_16_20(labels, seed):
    part = stratified_split(labels, seed)
    assert ((part == UNUSED) == (labels == UNLABELLED)).all()
    for label in (0, 1):
        n = int(np.sum(labels == label))
        sizes = {side: int(np.sum((part == side) & (labels == label))) for side in (0, 1, 2)}
        assert sum(sizes.values()) == n
        assert abs(sizes[TEST] - 0.2 * n) <= 0.5
        assert abs(sizes[VALIDATION] - 0.16 * n) <= 1
        assert abs(sizes[TRAIN] - 0.64 * n) <= 1


def test_the_study_split_depends_on_nothing_but_labels_and_seed():
    labels = np.arange(500, dtype=np.int8) % 2
    np.testing.assert_array_equal(stratified_split(labels, 1), stratified_split(labels, 1))
    assert (stratified_split(labels, 1) != stratified_split(labels, 2)).any()
