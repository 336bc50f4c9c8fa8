"""Beats to learn from: which of a lead's take part, how much it counts, and rhythms as labels."""

import numpy as np
import pytest

from ecgmon.core.errors import RecordError
from ecgmon.signal.beat_segments import VALUES
from trainer.data import learned_beats
from trainer.data.beats.leads import LeadBeats
from trainer.data.learned_beats import FIRST_BEATS, MIXED_WEIGHT, RHYTHM_WEIGHT, groups
from trainer.data.people import Person

RNG = np.random.default_rng(7)


def lead_of(number, labels, usable=None):
    n = len(labels)
    usable = np.ones(n, dtype=bool) if usable is None else np.array(usable)
    inputs = RNG.normal(size=(n, VALUES)).astype(np.float32)
    labels = np.array(labels, dtype=np.int8)
    return LeadBeats("svdb/t1", number, np.arange(n) * 300, labels, usable, inputs)


@pytest.fixture
def prepared(monkeypatch, tmp_path):
    """Let leads stand in for prepared ones, and return how to give a person some."""
    given = {}

    class Where:
        path = tmp_path / "cinc2017" / "A00003"

    def beats_of(people, _folder, **_):
        return ((person, lead) for person in people for lead in given[person.records[0]])

    monkeypatch.setattr(learned_beats, "beats_of", beats_of)
    monkeypatch.setattr(learned_beats, "cached_beats", lambda found, _: given[found.name])
    monkeypatch.setattr(
        learned_beats, "obtain", lambda name, **_: type("At", (Where,), {"name": name})
    )
    return given


def person(record):
    return Person(record.partition("/")[0], (record,), chooses=False, fold=0)


def test_usable_beats_with_a_class_are_learned(prepared, tmp_path):
    prepared["svdb/t1"] = [
        lead_of(1, [0, 1, -1, 2], [True, True, True, False]),
        lead_of(3, [0, 1]),
    ]
    first, mixture = groups([person("svdb/t1")], tmp_path)
    assert first.labels.tolist() == [0, 1]
    assert first.inputs.dtype == np.float16
    np.testing.assert_allclose(
        first.inputs, prepared["svdb/t1"][0].inputs[:2], rtol=1e-3, atol=1e-3
    )
    assert (first.weight, mixture.weight) == (1.0, MIXED_WEIGHT)


def test_fusion_beats_teach_v(prepared, tmp_path):
    prepared["svdb/t1"] = [lead_of(1, [0, 3, 2, 4])]
    (one,) = groups([person("svdb/t1")], tmp_path)
    assert one.labels.tolist() == [0, 2, 2, 4]


def test_of_many_normal_beats_some_are_drawn_and_all_others_stay(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(learned_beats, "MOST_NORMAL", 50)
    prepared["svdb/t1"] = [lead_of(1, [0] * 200 + [1] * 30 + [2])]
    (one,) = groups([person("svdb/t1")], tmp_path, seed=1)
    assert np.bincount(one.labels).tolist() == [50, 30, 1]
    (again,) = groups([person("svdb/t1")], tmp_path, seed=1)
    np.testing.assert_array_equal(one.inputs, again.inputs)


def test_recordings_of_a_rhythm_count_together_and_their_beats_are_normal(prepared, tmp_path):
    names = [f"cinc2017/A{number:05d}" for number in (3, 4, 5, 6)]
    table = tmp_path / "cinc2017" / "REFERENCE.csv"
    table.parent.mkdir()
    table.write_text("A00003,N\nA00004,N\nA00005,A\nA00006,O\n")
    for name in names:
        prepared[name] = [lead_of(1, [-1] * 12)]
    normal, fibrillation = groups(map(person, names), tmp_path)
    # 4 is no third recording, 6 has another rhythm.
    for group in (normal, fibrillation):
        assert group.labels.tolist() == [0] * (12 - FIRST_BEATS)
        assert group.weight == RHYTHM_WEIGHT


def test_a_missing_table_of_rhythms_is_said(prepared, tmp_path):
    prepared["cinc2017/A00003"] = [lead_of(1, [-1] * 12)]
    with pytest.raises(RecordError, match=r"REFERENCE\.csv says which rhythm"):
        groups([person("cinc2017/A00003")], tmp_path)
