"""Causes of wrong beats: the first that applies, by what the annotations say around the beat."""

import importlib
from pathlib import Path

import pytest

from ecgmon.records.formats.wfdb.annotations import Annotation, encode
from trainer.evaluation.ec57.counts import Pair

N, A, V, RHYTHM = 1, 8, 5, 28


@pytest.fixture(scope="module")
def module():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
        yield importlib.import_module("beats_causes")


@pytest.mark.parametrize(
    ("true", "called", "around", "expected"),
    [
        ("V", "X", {}, "in a second that is called noisy or absent"),
        ("S", "O", {}, "S: not found"),
        ("O", "V", {"before": "V", "follows": 100}, "V: found twice, after a wide beat"),
        ("O", "V", {"before": "V", "follows": 190}, "V: no beat"),
        ("O", "S", {"before": "N", "follows": 100}, "S: no beat"),
        ("N", "S", {"fibrillation": True, "share": 0.7}, "N called S: fibrillation"),
        ("N", "S", {"share": 0.7}, "N called S: early"),
        ("S", "N", {"share": 0.7}, "S called N: early"),
        ("S", "N", {"share": 1.0, "before": "A"}, "S called N: in a run"),
        ("S", "N", {"share": 1.0}, "S called N: not early"),
        ("S", "V", {"symbol": "a"}, "S called V: aberrant"),
        ("S", "V", {"symbol": "A"}, "S called V"),
        ("V", "N", {"share": 1.0}, "V called N: not early"),
        ("V", "S", {"share": 0.7}, "V called S: early"),
        ("N", "V", {"share": 0.95}, "N called V: not early"),
    ],
)
def test_a_wrong_beat_has_the_first_cause_that_applies(module, true, called, around, expected):
    usual = {"symbol": "", "before": "N", "share": 1.0, "follows": 300, "fibrillation": False}
    beside = module.Around(**usual | around)
    assert module.cause(Pair(true, called, 0), beside, mostly_s=False, blocked=False) == expected


def test_what_a_wearer_mostly_has_is_a_cause(module):
    beside = module.Around("", "N", 0.7, 200, fibrillation=False)
    s = module.cause(Pair("S", "N", 0), beside, mostly_s=True, blocked=False)
    v = module.cause(Pair("N", "V", 0), beside, mostly_s=False, blocked=True)
    assert (s, v) == (
        "S called N: most beats of the wearer are S",
        "N called V: bundle branch block",
    )


def test_the_wrong_beats_of_a_record_are_counted_after_five_minutes(module, tmp_path, monkeypatch):
    record = tmp_path / "r"
    record.with_suffix(".hea").write_text("r 1 360 200000\nr.dat 16 200 16 0 0 0 0 II\n")
    beats = [Annotation(at, N) for at in range(300, 150_000, 300)]
    experts = [
        *beats,
        Annotation(149_900, A),
        Annotation(150_400, N),
        Annotation(150_500, RHYTHM, note="(AFIB"),
        Annotation(150_600, N),
        Annotation(150_900, V),
    ]
    record.with_suffix(".atr").write_bytes(encode(experts))
    called = [
        Annotation(300, V),  # in the first five minutes
        *beats[1:],
        Annotation(149_902, N),
        Annotation(150_400, N),
        Annotation(150_600, A),
        Annotation(150_900, V),
        Annotation(151_040, V),
    ]
    judging = module.Judging(str(record), tmp_path / "none.onnx", tmp_path / "none.onnx")
    file = tmp_path / "r.ecgmon"
    file.write_bytes(encode(called))
    monkeypatch.setattr(module.Judging, "file", file)
    assert module.wrong_beats(judging) == {
        "S called N: early": 1,
        "N called S: fibrillation": 1,
        "V: found twice, after a wide beat": 1,
    }
