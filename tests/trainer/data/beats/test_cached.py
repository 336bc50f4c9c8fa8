"""Prepared beats are cached, and made again when the record or a setting changes."""

import shutil
from dataclasses import fields

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import RATE
from trainer.data import prepared
from trainer.data.beats import cached
from trainer.data.beats.cached import beats_of, cached_beats
from trainer.data.people import Person
from trainer.data.placement import Placement


def _same(one, two):
    for name in (field.name for field in fields(one)):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def _count(monkeypatch):
    made = []
    real = cached.lead_beats
    monkeypatch.setattr(cached, "lead_beats", lambda *args: made.append(args) or real(*args))
    return made


def test_beats_are_prepared_once_and_read_the_same(record, tmp_path, monkeypatch):
    made = _count(monkeypatch)
    first = cached_beats(record, tmp_path / "cache")
    again = cached_beats(record, tmp_path / "cache")
    assert len(made) == 1
    assert len(first) == 2
    for one, two in zip(first, again, strict=True):
        assert len(one) > 20
        _same(one, two)


def test_another_placement_or_position_is_another_file(record, tmp_path, monkeypatch):
    made = _count(monkeypatch)
    for _ in range(2):
        cached_beats(record, tmp_path / "cache")
        cached_beats(record, tmp_path / "cache", Placement(inverted=True))
        cached_beats(record, tmp_path / "cache", positions="annotated")
    assert len(made) == 3
    assert len(list((tmp_path / "cache").iterdir())) == 3


def test_other_content_of_a_record_is_prepared_anew_in_the_same_file(record, tmp_path, monkeypatch):
    made = _count(monkeypatch)
    cached_beats(record, tmp_path / "cache")
    record.path.with_suffix(".atr").write_bytes(b"\0\0")
    cached_beats(record, tmp_path / "cache")
    assert len(made) == 2
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_other_code_prepares_anew(record, tmp_path, monkeypatch):
    made = _count(monkeypatch)
    cached_beats(record, tmp_path / "cache")
    monkeypatch.setattr(prepared, "_code", lambda _: b"another version")
    cached_beats(record, tmp_path / "cache")
    assert len(made) == 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.data())
def test_a_damaged_file_is_made_again(record, tmp_path, data):
    cache = tmp_path / "cache"
    prepared, _ = cached_beats(record, cache)
    (path,) = cache.iterdir()
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    cut = data.draw(st.booleans())
    damaged = content[:at] if cut else content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    path.write_bytes(damaged)
    again, _ = cached_beats(record, cache)
    _same(prepared, again)
    assert path.read_bytes()[:32] == content[:32]


def test_each_lead_of_each_person_is_given_with_the_person(record, tmp_path):
    shutil.copy(record.path.with_suffix(".dat"), record.path.with_name("t2.dat"))
    header = record.path.with_suffix(".hea").read_text().replace("t1", "t2")
    record.path.with_name("t2.hea").write_text(header)
    both = Person("svdb", ("svdb/t1", "svdb/t2"), chooses=False, fold=0)
    found = list(beats_of([both], tmp_path / "cache", data=tmp_path / "data"))
    assert [(person, lead.record, lead.lead) for person, lead in found] == [
        (both, "svdb/t1", 1),
        (both, "svdb/t1", 2),
        (both, "svdb/t2", 1),
        (both, "svdb/t2", 2),
    ]
    at = np.array([beat % RATE for beat in found[0][1].samples])
    assert (np.abs(at - RATE // 2) < 20).all()
