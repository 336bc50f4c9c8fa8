import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from ecgmon.core import labels
from ecgmon.terminal.screen import ESCAPE
from tests.support.reviewed_wearer import BEATS, Every, signal
from trainer.enrolment.review.judgements import Judgements
from trainer.enrolment.review.lead import Lead
from trainer.enrolment.review.review_flow import Course
from trainer.enrolment.review.vocabulary import VOCABULARIES

LEAD = Lead(signal(), BEATS)
WINDOWS = VOCABULARIES["window"]
KEYS = dict(zip("naus", WINDOWS.of, strict=True))
SIZE = (80, 24)


def begin(record, most=20):
    judgements = Judgements(record, BEATS, WINDOWS)
    return Course(LEAD, Every(), judgements, "203", most), judgements


def type_keys(course, keys):
    for key in keys:
        course.on_key(key, *SIZE)


def text(course, size=SIZE):
    lines = course.picture(*size).lines()
    return ["".join(segment.text for segment in line) for line in lines]


@pytest.fixture
def record(tmp_path):
    return tmp_path / "203"


class Clinician(RuleBasedStateMachine):
    """Answers, backs, kills and small windows in any order, against a list and a position."""

    folder = None
    number = 0
    most = 6

    @initialize()
    def begin(self):
        Clinician.number += 1
        self.record = Clinician.folder / f"{Clinician.number}"
        self.course, self.judgements = begin(self.record, self.most)
        self.answers = {}
        self.at = 0  # in the answers; at their end is the next question

    @rule(key=st.sampled_from("naus"))
    def answer(self, key):
        if self.at == self.most:
            return  # the summary
        handled = self.course.on_key(key, *SIZE)
        asked = [*self.answers, 4 + 5 * len(self.answers)]
        self.answers[asked[self.at]] = KEYS[key]
        self.at = len(self.answers)
        assert handled

    @rule()
    def back(self):
        self.course.on_key("b", *SIZE)
        self.at = max(self.at - 1, 0)

    @rule(key=st.sampled_from("NAUS \x1b[↑x1é"))
    def another_key(self, key):
        assert not self.course.on_key(key, *SIZE)

    @rule(key=st.sampled_from("nausb\r→"), size=st.sampled_from([(79, 24), (80, 23), (1, 1)]))
    def a_key_on_a_terminal_too_small(self, key, size):
        assert not self.course.on_key(key, *size)

    @rule()
    def killed_and_begun_anew(self):
        self.course, self.judgements = begin(self.record, self.most)
        self.at = len(self.answers)

    @invariant()
    def all_is_saved_and_shown(self):
        assert list(self.judgements.answers.items()) == list(self.answers.items())
        assert list(Judgements(self.record, BEATS, WINDOWS).answers.items()) == list(
            self.answers.items()
        )
        rows = text(self.course)
        if self.at < len(self.answers):
            assert f"answer {self.at + 1} of {len(self.answers)} " in rows[0]
            assert f"You said {list(self.answers.values())[self.at].upper()}" in rows[-2]
        elif self.at < self.most:
            assert f"question {self.at + 1} of at most {self.most} " in rows[0]
        else:
            assert "summary" in rows[0]


def test_any_order_of_answers_backs_and_kills_is_saved(tmp_path):
    Clinician.folder = tmp_path
    run_state_machine_as_test(Clinician, settings=settings(max_examples=15, stateful_step_count=20))


def test_accepting_saves_what_is_spread(record):
    course, _ = begin(record, most=2)
    type_keys(course, "na")
    assert not course.over
    type_keys(course, "\r")
    assert (course.over, course.accepted) == (True, True)
    expected = np.full(len(BEATS), labels.UNLABELLED, np.int8)
    expected[0:4], expected[5:9] = labels.NORMAL, labels.ABNORMAL
    np.testing.assert_array_equal(Judgements(record, BEATS, WINDOWS).spread, expected)


def test_leaving_the_summary_accepts_nothing(record):
    course, judgements = begin(record, most=2)
    type_keys(course, "naq")
    assert (course.over, course.accepted) == (True, False)
    assert list(judgements.answers.values()) == ["normal", "abnormal"]
    assert (judgements.spread == labels.UNLABELLED).all()


def test_enter_accepts_nothing_before_the_summary(record):
    course, _ = begin(record, most=2)
    type_keys(course, "n\r")
    assert not course.over
    type_keys(course, "a→\r")  # nor while looking through
    assert not course.over


def test_the_summary_counts_what_was_judged_and_what_was_spread(record):
    course, _ = begin(record, most=4)
    type_keys(course, "naus")
    rows = [row.split() for row in text(course)]
    for row in (
        ["normal", "1", "4"],
        ["abnormal", "1", "4"],
        ["unusable", "1", "-"],
        ["unsure", "1", "-"],
        ["without", "a", "label", "-", "60"],
        ["beats", "in", "all", "4", "68"],
    ):
        assert row in rows


def test_a_correction_becomes_an_answer_and_spreads(record):
    course, judgements = begin(record, most=2)
    type_keys(course, "nn→→→")  # the third beat
    assert " NORMAL " in text(course)[-3]
    type_keys(course, "a")
    assert "You said ABNORMAL" in text(course)[-3]
    assert judgements.answers == {4: "normal", 9: "normal", 2: "abnormal"}
    type_keys(course, "←")
    assert " ABNORMAL  was not asked" in text(course)[-3]
    type_keys(course, "b\r")
    assert course.accepted
    assert Judgements(record, BEATS, WINDOWS).spread[:10].tolist() == [
        1,
        1,
        -1,
        0,
        -1,
        0,
        0,
        0,
        0,
        -1,
    ]


def test_escape_leads_from_looking_through_to_the_summary_and_judges_nothing(record):
    course, judgements = begin(record, most=2)
    for heading in ("question 1", "question 2"):
        type_keys(course, ESCAPE)
        assert heading in text(course)[0]
        type_keys(course, "n")
    type_keys(course, "→→" + ESCAPE)
    assert "summary" in text(course)[0]
    type_keys(course, ESCAPE)
    assert "summary" in text(course)[0]
    assert not course.over
    assert judgements.answers == {4: "normal", 9: "normal"}


def test_an_accepted_review_that_is_changed_must_be_accepted_again(record):
    course, _ = begin(record, most=2)
    type_keys(course, "na\r")
    course, _ = begin(record, most=2)
    assert "summary" in text(course)[0]
    type_keys(course, "b")
    assert "You said ABNORMAL" in text(course)[-2]
    type_keys(course, "nq")
    assert (Judgements(record, BEATS, WINDOWS).spread == labels.UNLABELLED).all()


@pytest.mark.parametrize("width", [80, 120, 300])
def test_pages_leave_no_beat_out(record, width):
    course, _ = begin(record, most=0)
    seen, shown = set(), -1
    type_keys(course, "→")
    while True:
        rows = text(course, (width, 24))
        beat = int(rows[0].split("beat ")[1].split()[0]) - 1
        if beat == shown:
            break
        shown = beat
        reach = (width - 8) / 15 / 2 * 360
        seen |= set(np.flatnonzero(abs(BEATS - BEATS[beat]) <= reach).tolist())
        course.on_key("↓", width, 24)
    assert seen == set(range(len(BEATS)))
    type_keys(course, "↑" * 50)
    assert "beat 1 of 72 " in text(course)[0]


def test_the_next_abnormal_beat_is_a_key_away(record):
    course, _ = begin(record, most=3)
    type_keys(course, "nna→x")
    assert "beat 11 of 72 " in text(course)[0]
    type_keys(course, "xxxxxxxx")
    assert "beat 15 of 72 " in text(course)[0]  # the last one


def test_a_signal_without_beats_can_be_left(record):
    nobody = np.zeros(0, np.int64)
    judgements = Judgements(record, nobody, WINDOWS)
    lead = Lead(np.zeros(0, np.float32), nobody)
    course = Course(lead, Every(nobody), judgements, "nobody", 20)
    type_keys(course, "→nab")
    assert "summary" in text(course)[0]
    type_keys(course, "\r")
    assert course.accepted
    assert not judgements.path.exists()
