import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.errors import UsageError
from trainer.data.people import (
    CHOOSERS,
    MITDB,
    Sides,
    _of_database,
    fold,
    inter_patient,
    people,
    record_names,
    shipped,
)
from trainer.data.protocol_splits import DS1, DS2, FOLDS, PACED
from trainer.data.splits import HELD_OUT, MODEL_SELECTION, RECORDS

CHOOSING = {
    "svdb": "807 812 825 844 855 856 863 867 885 889",
    "vfdb": "418 424 614",
    "cudb": "cu07 cu08 cu14 cu20",
    "qtdb": "sel306 sele0110 sele0114 sele0406 sele0609",
}
FOLDED = {
    "svdb": [
        "806 808 809 823 824 825 853 859 864 867 874 887",
        "803 805 810 829 842 846 849 854 863 865 881 889",
        "804 811 820 843 844 856 869 873 877 882 883 884",
        "807 812 826 827 828 848 851 858 870 890 893",
        "821 845 852 855 862 868 875 878 879 885 888",
    ],
    "vfdb": ["418 426 430", "607 614 615", "424 611", "427 612", "425 605"],
    "cudb": [
        "cu02 cu07 cu16 cu33",
        "cu01 cu12 cu14 cu32",
        "cu20 cu27 cu34 cu35",
        "cu08 cu26 cu29",
        "cu19 cu24 cu31",
    ],
    "qtdb": [
        "sel15814 sel307 sele0110 sele0122 sele0210 sele0509",
        "sele0112 sele0124 sele0133 sele0203 sele0303 sele0609",
        "sel14046 sel308 sele0107 sele0114 sele0129 sele0405",
        "sel14172 sele0104 sele0116 sele0211 sele0406 sele0409",
        "sel306 sel310 sele0126 sele0166 sele0607 sele0612",
    ],
    MITDB: [
        "118 205 213 215 221 222 223 228 231",
        "100 105 111 123 207 208 210 212 230",
        "108 114 122 200 209 214 219 233 234",
        "101 106 112 113 115 116 220 232",
        "103 109 117 119 121 124 201 202 203",
    ],
}
CINC2017 = "34b086f7eb7e521bf16231ac216236ff1274e4a46b711f28f96e0ca78b0fab11"
"""SHA-256 of the result of `people` for the 2,400 of that database, a line each."""
SPLITS = [*map(fold, range(FOLDS)), shipped(), inter_patient()]


def _bare(those, database):
    return sorted(
        name.removeprefix(f"{database}/")
        for one in those
        for name in one.records
        if one.database == database
    )


def test_who_chooses_is_fixed():
    for database, names in CHOOSING.items():
        choosing = [one for one in people() if one.chooses]
        assert _bare(choosing, database) == names.split()


def test_the_choosers_of_mitdb_are_those_it_always_had():
    assert _bare([one for one in people() if one.chooses], MITDB) == sorted(MODEL_SELECTION)


@pytest.mark.parametrize("number", range(FOLDS))
def test_who_is_judged_by_which_fold_is_fixed(number):
    for database, folded in FOLDED.items():
        assert _bare(fold(number).judged, database) == folded[number].split()


def test_the_sides_of_the_short_recordings_are_fixed():
    table = "\n".join(
        f"{' '.join(one.records)} {one.chooses} {one.fold}"
        for one in people()
        if one.database == "cinc2017"
    )
    assert hashlib.sha256(table.encode()).hexdigest() == CINC2017


def test_as_many_choose_as_were_asked_for():
    for database, number in CHOOSERS.items():
        assert sum(one.chooses for one in people() if one.database == database) == number


@pytest.mark.parametrize("sides", SPLITS)
def test_nobody_is_on_two_sides(sides):
    names = [record_names(side) for side in (sides.training, sides.choosing, sides.judged)]
    assert all(names)
    everyone = [name for side in names for name in side]
    assert len(set(everyone)) == len(everyone)
    pair = {"mitdb/201", "mitdb/202"}
    assert sum(not pair.isdisjoint(side) for side in names) == 1


@pytest.mark.parametrize("sides", SPLITS)
def test_a_chooser_never_trains_and_only_choosers_choose(sides):
    assert not any(one.chooses for one in sides.training)
    assert all(one.chooses for one in sides.choosing)


def test_a_chooser_of_one_fold_trains_in_none():
    choosing = {one for number in range(FOLDS) for one in fold(number).choosing}
    training = {one for number in range(FOLDS) for one in fold(number).training}
    assert choosing.isdisjoint(training)


def test_everybody_but_the_paced_is_judged_once():
    judged = [name for number in range(FOLDS) for name in record_names(fold(number).judged)]
    everyone = record_names(people())
    paced = {f"{MITDB}/{record}" for record in PACED}
    assert sorted(judged) == sorted(set(everyone) - paced)
    assert paced <= set(record_names(fold(0).training))


def test_every_fold_holds_everybody():
    for number in range(FOLDS):
        sides = fold(number)
        assert {*sides.training, *sides.choosing, *sides.judged} == set(people())


def test_the_shipped_model_never_meets_the_demonstration_wearers():
    sides = shipped()
    held_out = {f"{MITDB}/{record}" for record in HELD_OUT}
    assert held_out.isdisjoint(record_names([*sides.training, *sides.choosing]))
    assert set(record_names(sides.judged)) == held_out


def test_between_patients_ds1_trains_and_ds2_is_judged():
    """201 of DS1 is 202 of DS2, and so is left out of the training."""
    sides = inter_patient()
    assert _bare(sides.judged, MITDB) == sorted(DS2)
    assert _bare([*sides.training, *sides.choosing], MITDB) == sorted(set(DS1) - {"201"})
    assert _bare(sides.judged, "svdb") == []


@settings(max_examples=20)
@given(st.permutations(RECORDS))
def test_the_order_of_a_list_changes_no_side(records):
    as_listed = {one.records: one for one in people() if one.database == MITDB}
    shuffled = _of_database(MITDB, tuple(records))
    assert {tuple(sorted(one.records)): (one.chooses, one.fold) for one in shuffled} == {
        records: (one.chooses, one.fold) for records, one in as_listed.items()
    }


def test_a_split_with_one_person_on_two_sides_is_refused():
    first, second = people()[:2]
    with pytest.raises(UsageError, match="two sides"):
        Sides((first,), (second,), (first,))


def test_there_is_no_sixth_fold():
    with pytest.raises(ValueError, match="no fold 5"):
        fold(FOLDS)


def test_no_two_people_share_an_id():
    """Wearers are known by the last part of a record's name."""
    ids = [name.rpartition("/")[2] for name in record_names(people())]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("database", ["svdb", "vfdb", "cudb", "qtdb", "cinc2017"])
def test_the_list_is_that_of_the_folder(database):
    folders = [Path(each) for each in os.environ.get("ECGMON_DATA", "").split(os.pathsep) if each]
    lists = [each / database / "RECORDS" for each in folders]
    there = next((each for each in lists if each.is_file()), None)
    if there is None:
        pytest.skip(f"needs {database} in a folder of ECGMON_DATA")
    assert set(_bare(people(), database)) <= set(there.read_text().split())
