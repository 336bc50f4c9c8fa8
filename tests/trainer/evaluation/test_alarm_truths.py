"""Alarms with a known truth: what headers state, when an alarm counts as raised, and the score."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.errors import RecordError, UsageError
from ecgmon.records.converted import converted
from ecgmon.records.formats.wfdb.annotations import Annotation
from ecgmon.records.read import read
from tests.support.challenge import write
from trainer.evaluation.alarm_truths import page
from trainer.evaluation.alarm_truths.score import AlarmCounts, by_kind, raised
from trainer.evaluation.alarm_truths.truths import truths

FLAT = np.zeros(250 * 330)


def notes(*changes):
    """Annotations of which alarms hold from a second on."""
    return [Annotation(round(at * 360), 28, note=f"({names}") for at, names in changes]


def test_headers_name_the_alarm_and_its_truth(tmp_path):
    write(tmp_path, "b", FLAT, 250, "Asystole", "True alarm")
    write(tmp_path, "a", FLAT, 250, "Ventricular_Tachycardia", "False alarm")
    write(tmp_path, "c", FLAT, 250, "", "")  # another record beside them
    found = truths(tmp_path)
    assert [(one.found.wearer, one.kind, one.is_true) for one in found] == [
        ("a", "Ventricular_Tachycardia", False),
        ("b", "Asystole", True),
    ]


@pytest.mark.parametrize(("kind", "said"), [("Asystole", ""), ("", "True alarm")])
def test_half_a_truth_is_refused(tmp_path, kind, said):
    write(tmp_path, "a", FLAT, 250, kind, said)
    with pytest.raises(RecordError, match=r"must name one alarm .* and say 'True alarm'"):
        truths(tmp_path)


def test_a_folder_without_truths_is_said(tmp_path):
    write(tmp_path, "a", FLAT, 250, "", "")
    with pytest.raises(UsageError, match=r"No header in .* says of an alarm whether it is true"):
        truths(tmp_path)
    with pytest.raises(UsageError, match="cannot be read"):
        truths(tmp_path / "none")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([(280, "asystole"), (289, "unnamed")], False),
        ([(280, "asystole"), (290.1, "unnamed")], True),
        ([(280, "abnormal,asystole")], True),  # it holds to the end
        ([(303, "asystole"), (306, "unnamed")], True),
        ([(303.1, "asystole"), (306, "unnamed")], False),
        ([(280, "extreme-low-rate")], False),
        ([], False),
    ],
)
def test_an_alarm_counts_that_holds_around_the_fifth_minute(changes, expected):
    assert raised(notes(*changes), "Asystole") is expected


def test_tachycardia_is_no_fibrillation():
    held = notes((280, "ventricular-tachycardia,extreme-high-rate,asystole"))
    assert not raised(held, "Ventricular_Flutter_Fib")
    assert raised(notes((299, "asystole,ventricular-fibrillation")), "Ventricular_Flutter_Fib")


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_the_score_weighs_a_missed_alarm_five_times(results):
    counts = AlarmCounts.of(results)
    right = sum(true == told for true, told in results)
    false = results.count((False, True))
    missed = results.count((True, False))
    expected = right / (right + false + 5 * missed) if results else None
    assert counts.score == (None if expected is None else pytest.approx(expected))


def test_all_kinds_together_are_one_row():
    kinds = by_kind({"Asystole": [(True, True)], "Tachycardia": [(True, False), (False, True)]})
    assert list(kinds) == ["Asystole", "Tachycardia", "all"]
    assert kinds["all"] == AlarmCounts(found=1, missed=1, raised=1)
    assert kinds["all"].score == pytest.approx(1 / (1 + 1 + 5))
    assert kinds["Asystole"].suppression is None


def test_the_page_names_what_is_wrong(tmp_path):
    write(tmp_path, "a", FLAT, 250, "Asystole", "True alarm")
    write(tmp_path, "b", FLAT, 250, "Tachycardia", "False alarm")
    both = [(one, False) for one in truths(tmp_path)]
    names = {one.found.name: one.found for one, _ in both}
    page.write(
        tmp_path / "out", "set", "a command", both, lambda name: converted(read(names[name]))
    )
    text = (tmp_path / "out" / "README.md").read_text()
    assert f"| {tmp_path.name}/a | asystole | true | not raised |" in text
    assert "/b | tachycardia" not in text
    assert "True alarms that are missed first" in text
    assert "a at 290 s, asystole, not alarmed, 13 s](worst-1.png)" in text
    assert [one.name for one in (tmp_path / "out").glob("*.png")] == ["worst-1.png"]
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["kinds"]["all"]["suppressed"] == 1
    assert result["per_record"][f"{tmp_path.name}/a"]["raised"] is False
