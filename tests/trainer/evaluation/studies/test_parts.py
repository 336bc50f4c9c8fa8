"""Wearers on each side of every split behind the page of studies 2 to 5."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.errors import UsageError
from trainer.data.examples import Examples
from trainer.data.protocol_splits import (
    DS1,
    DS1_MODEL_SELECTION,
    DS2,
    SAME_PERSON,
    refuse_two_sides,
)
from trainer.evaluation.studies.parts import Split, by_wearer, parts

BEATS = ("N", "S", "V", "F", "Q")
HALF_HOUR = 30 * 60 * 360


def examples(n, seed=0, classes=BEATS, wearers=(*DS1, *DS2)):
    rng = np.random.default_rng(seed)
    labels = rng.integers(len(classes), size=n).astype(np.int8)
    whose = rng.choice(np.array(wearers), n)
    samples = rng.integers(HALF_HOUR, size=n)
    return Examples(np.zeros((n, 1, 4), np.float32), labels, whose, samples, classes)


def patients(n, seed=0):
    """Beats of patients, each healthy or not."""
    rng = np.random.default_rng(seed)
    patient = rng.integers(n, size=40 * n)
    labels = (patient % 2).astype(np.int8)
    names = np.array([f"patient{number:03}" for number in patient])
    none = np.zeros(len(labels), dtype=np.int64)
    return Examples(
        np.zeros((len(labels), 1, 4), np.float32), labels, names, none, ("healthy", "infarction")
    )


@given(st.integers(0, 1000), st.integers(0, 5), st.sampled_from(Split))
def test_no_example_is_on_two_sides(seed, chance, split):
    found = patients(20, seed) if split.startswith("ptb") else examples(500, seed)
    for part in parts(found, split, chance):
        sides = part.training.astype(int) + part.validation + part.test
        assert sides.max() <= 1
        for own, choosing in part.own.values():
            assert not (own & part.test).any()
            assert not (own & choosing).any()


@given(st.integers(0, 1000), st.integers(0, 5))
def test_beats_dealt_out_at_random_are_dealt_class_by_class(seed, chance):
    found = examples(500, seed)
    (part,) = parts(found, Split.RANDOM, chance)
    assert (part.training | part.validation | part.test).all()
    for label in range(5):
        own = found.labels == label
        assert (part.test & own).sum() == round(0.2 * own.sum())
        left = own.sum() - (part.test & own).sum()
        assert (part.validation & own).sum() == round(0.1 * left)


def test_another_seed_deals_otherwise_and_the_same_seed_the_same():
    found = examples(500)
    first, again, other = (parts(found, Split.RANDOM, seed)[0].test for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_between_wearers_nobody_is_on_two_sides():
    found = examples(2000)
    (part,) = parts(found, Split.INTER_PATIENT, 1)
    sides = [set(found.wearers[mask]) for mask in (part.training, part.validation, part.test)]
    assert sides[1] == set(DS1_MODEL_SELECTION)
    assert sides[0] == set(DS1) - sides[1]
    assert sides[2] == set(DS2)


def test_a_wearers_first_five_minutes_are_fitted_to_and_the_rest_is_scored():
    found = examples(5000)
    (strangers,) = parts(found, Split.INTER_PATIENT, 1)
    (part,) = parts(found, Split.PATIENT_SPECIFIC, 1)
    assert (part.training == strangers.training).all()
    assert set(part.own) == set(DS2)
    for wearer, (own, _) in part.own.items():
        assert set(found.wearers[own]) == {wearer}
        assert found.samples[own].max() < 5 * 60 * 360
    assert found.samples[part.test].min() >= 5 * 60 * 360
    fitted = np.any([own for own, _ in part.own.values()], axis=0)
    assert (strangers.test == (part.test | fitted)).all()


def test_each_patient_is_tested_once_by_networks_that_never_saw_the_patient():
    found = patients(23)
    folds = parts(found, Split.PTB, 1)
    tested = [set(found.wearers[part.test]) for part in folds]
    assert sum(map(len, tested)) == len(set().union(*tested)) == 23
    for part, names in zip(folds, tested, strict=True):
        assert (part.training | part.validation | part.test).all()
        assert not names & set(found.wearers[~part.test])
        assert not set(found.wearers[part.training]) & set(found.wearers[part.validation])


def test_windows_are_split_for_each_wearer_and_every_wearer_gets_a_network():
    found = examples(3000, classes=("normal", "abnormal"), wearers=("100", "203", "208"))
    (part,) = parts(found, Split.RANDOM, 1)
    assert set(part.own) == {"100", "203", "208"}
    fitted = np.any([own for own, _ in part.own.values()], axis=0)
    assert (fitted == part.training).all()
    for wearer in part.own:
        own = found.wearers == wearer
        assert (part.test & own).sum() == pytest.approx(0.2 * own.sum(), abs=2)


def test_a_wearer_on_two_sides_is_refused():
    with pytest.raises(UsageError, match="203 would be on two sides of the split: name each"):
        by_wearer(examples(10), ["100", "203"], ["106"], ["mitdb/203"])
    with pytest.raises(UsageError, match="201 and 202, one person, would be on two sides"):
        refuse_two_sides(["201"], [], ["202"], same_person=SAME_PERSON)


def test_two_records_of_one_person_may_be_on_one_side():
    refuse_two_sides(["201", "202"], ["203"], same_person=SAME_PERSON)
