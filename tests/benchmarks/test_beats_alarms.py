"""Named alarms against the reference, as docs/results/beats.md counts them, worked by hand."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ecgmon.core.constants import RATE
from ecgmon.records.formats.wfdb.annotations import Annotation
from monitor.alarms.conditions.base import SETTLED
from trainer.evaluation.ec57.marks import Marks

PATH = Path(__file__).parents[2] / "benchmarks" / "beats_alarms.py"


@pytest.fixture(scope="module")
def module():
    return SimpleNamespace(**runpy.run_path(str(PATH)))


def marks(classes, step=RATE, flutter=()):
    """Beats once a second from the first on."""
    return Marks(step * np.arange(1, len(classes) + 1), classes, flutter)


def note(second, text):
    return Annotation(second * RATE, 28, 0, text)


def test_alarms_begin_and_end_where_the_notes_say(module):
    notes = [note(1, "(couplet"), note(2, "(abnormal,couplet,r-on-t"), note(5, "(abnormal")]
    found = [(a.kind, a.begin // RATE, a.end // RATE) for a in module.alarms(notes, 9 * RATE)]
    assert sorted(found) == [("couplet", 1, 5), ("r-on-t", 2, 5)]
    (last,) = module.alarms([note(3, "(bigeminy")], 9 * RATE)
    assert last.end == 9 * RATE


def test_runs_are_of_three_v_beats_and_of_flutter(module):
    flutter = [(100 * RATE, 110 * RATE)]
    found = module.runs(marks("NVVNVVVNVVVVVVNVVFVN", flutter=flutter))
    assert [len(run.beats) for run in found] == [3, 6, 2]
    assert [run.long for run in found] == [False, True, True]
    assert [len(run.beats) for run in module.runs(marks("NVVFVN"), "VF")] == [4]
    assert module.runs(marks("NVVVVN", flutter=[(RATE * 7 // 2, RATE * 7 // 2 + 9)])) != []
    cut = module.runs(marks("NVVVVN", flutter=[(RATE * 7 // 2, RATE * 7 // 2 + 9)]))
    assert [run.flutter for run in cut] == [True]


def test_a_run_is_named_by_an_alarm_in_its_time_and_late_from_its_third_beat_on(module):
    (run,) = module.runs(marks("NNVVVVVN"))
    kind = "ventricular-tachycardia"
    named = module.NamedAlarm(kind, 7 * RATE, 17 * RATE)
    assert module.naming(run, [named]) == named
    assert module.latency_s(run, named) == (2 * RATE + SETTLED) / RATE
    before = module.NamedAlarm(kind, RATE, 4 * RATE)
    assert module.naming(run, [before]) == before
    assert module.latency_s(run, before) is None
    others = [
        module.NamedAlarm(kind, 13 * RATE, 20 * RATE),
        module.NamedAlarm("couplet", 7 * RATE, 20 * RATE),
        module.NamedAlarm(kind, RATE, 2 * RATE),
    ]
    assert module.naming(run, others) is None


@pytest.mark.parametrize(
    ("classes", "kind", "false"),
    [
        ("N" * 20, "couplet", True),
        ("N" * 15 + "VVNNN", "couplet", False),
        ("N" * 20, "ventricular-run", True),
        ("N" * 15 + "VVNNN", "ventricular-run", True),
        ("N" * 15 + "VVFNN", "ventricular-run", False),
        ("VVVV" + "N" * 16, "ventricular-run", True),
        ("N" * 15 + "VVNNN", "supraventricular-run", True),
        ("N" * 15 + "SSSNN", "supraventricular-run", False),
        ("S" + "N" * 19, "ectopics-minute", False),
        ("N" * 20, "ectopics-hour", True),
        ("N" * 20, "heart-pause", True),
    ],
)
def test_an_alarm_without_an_annotated_reason_is_unjustified(module, classes, kind, false):
    alarm = module.NamedAlarm(kind, 20 * RATE, 30 * RATE)
    assert list(module.unjustified(marks(classes), [alarm])) == [alarm] * false


def test_a_pause_is_justified_by_a_long_interval_and_all_by_flutter(module):
    at = RATE * np.array([*range(1, 18), 19, 20])
    pause = module.NamedAlarm("heart-pause", 19 * RATE, 29 * RATE)
    assert list(module.unjustified(Marks(at, "N" * len(at)), [pause])) == []
    tachycardia = module.NamedAlarm("ventricular-tachycardia", 20 * RATE, 30 * RATE)
    flutter = marks("N" * 20, flutter=[(12 * RATE + 9, 12 * RATE + 200)])
    assert list(module.unjustified(flutter, [tachycardia])) == []
