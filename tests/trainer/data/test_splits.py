from trainer.data import splits


def test_every_record_has_exactly_one_part_in_the_generic_model():
    parts = [*splits.TRAINING, *splits.VALIDATION, *splits.HELD_OUT]
    assert sorted(parts) == sorted(splits.RECORDS)
    assert len(splits.RECORDS) == 48


def test_the_demonstration_wearers_are_held_out():
    assert set(splits.HELD_OUT) == {"203", "100", "119", "208", "213", "219", "231", "233"}


def test_records_of_one_person_are_on_one_side():
    """201 and 202 come from the same person (Moody & Mark 2001)."""
    for part in (splits.TRAINING, splits.VALIDATION, splits.HELD_OUT):
        assert ("201" in part) == ("202" in part)


def test_the_study_has_29_records():
    assert len(set(splits.STUDY)) == 29
    assert set(splits.STUDY) <= set(splits.RECORDS)


def test_nobody_of_the_demonstration_chose_anything():
    assert set(splits.VALIDATION) < set(splits.MODEL_SELECTION)
    assert not set(splits.MODEL_SELECTION) & set(splits.HELD_OUT)
