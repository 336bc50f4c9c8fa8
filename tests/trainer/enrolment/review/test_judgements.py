import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from ecgmon.core import labels
from ecgmon.core.errors import RecordError
from tests.support.reviewed_wearer import BEATS
from trainer.enrolment.review.judgements import Judgements
from trainer.enrolment.review.vocabulary import VOCABULARIES

WINDOWS = VOCABULARIES["window"]
NORMAL, ABNORMAL, UNUSABLE, UNSURE = WINDOWS.of


@pytest.fixture
def record(tmp_path):
    return tmp_path / "203"


def on_disk(record):
    return list(Judgements(record, BEATS, WINDOWS).answers.items())


def spread(**of):
    """Return labels, some of them other than none: ``spread(b3=1)``."""
    spread_labels = np.full(len(BEATS), labels.UNLABELLED, np.int8)
    for beat, label in of.items():
        spread_labels[int(beat[1:])] = label
    return spread_labels


class Life(RuleBasedStateMachine):
    """The file against a dictionary; whoever opens it anew finds what was given."""

    folder = None
    number = 0

    def __init__(self):
        super().__init__()
        Life.number += 1
        self.record = Life.folder / f"r{Life.number}.x"
        self.judgements = Judgements(self.record, BEATS, WINDOWS)
        self.answers, self.spread = {}, spread()

    @rule(beat=st.integers(0, len(BEATS) - 1), judgement=st.sampled_from(list(WINDOWS.of)))
    def give(self, beat, judgement):
        self.judgements.give(beat, judgement)
        self.answers[beat] = judgement
        self.spread = spread()

    @rule(label=st.sampled_from([-1, 0, 1]), start=st.integers(0, 80))
    def accept(self, label, start):
        given = spread(**{f"b{beat}": label for beat in range(start, len(BEATS))})
        self.judgements.accept(given)
        self.spread = given.copy()
        self.spread[list(self.answers)] = labels.UNLABELLED

    @rule()
    def open_anew(self):
        self.judgements = Judgements(self.record, BEATS, WINDOWS)

    @invariant()
    def what_was_given_is_there(self):
        for judgements in (self.judgements, Judgements(self.record, BEATS, WINDOWS)):
            assert list(judgements.answers.items()) == list(self.answers.items())
            np.testing.assert_array_equal(judgements.spread, self.spread)
        anything = self.answers or (self.spread != labels.UNLABELLED).any()
        assert self.judgements.path.exists() == bool(anything)


def test_what_is_given_is_found_again_whoever_opens_the_file(tmp_path):
    Life.folder = tmp_path
    run_state_machine_as_test(Life, settings=settings(max_examples=12, stateful_step_count=15))
    assert Life.number > 1
    assert not list(tmp_path.glob("*.new"))


def test_any_viewer_of_annotations_opens_it(record):
    judgements = Judgements(record, BEATS, WINDOWS)
    for beat, judgement in zip((9, 4, 2, 3), WINDOWS.of, strict=True):
        judgements.give(beat, judgement)
    judgements.accept(spread(b0=labels.ABNORMAL, b4=labels.NORMAL, b71=labels.NORMAL))
    read = wfdb.rdann(str(record), "review")
    rows = list(zip(read.sample.tolist(), read.symbol, read.aux_note, strict=True))
    assert rows == [
        (BEATS[0], "Q", ""),
        (BEATS[2], "~", "unusable (3)"),
        (BEATS[3], '"', "unsure (4)"),
        (BEATS[4], "Q", "abnormal (2)"),
        (BEATS[9], "N", "normal (1)"),
        (BEATS[71], "N", ""),
    ]
    assert read.subtype.tolist() == [0, -1, 0, 0, 0, 0]  # unreadable, not clean


def test_answers_are_among_the_labels_that_are_spread(record):
    judgements = Judgements(record, BEATS, WINDOWS)
    judgements.give(1, ABNORMAL)
    judgements.give(2, UNSURE)
    joined = judgements.labels_with(spread(b0=0, b1=0, b2=0, b3=0))
    assert joined[:5].tolist() == [0, 1, -1, 0, -1]


def write(record, samples, symbols, notes):
    wfdb.wrann(
        record.name,
        "review",
        np.array(samples),
        symbol=symbols,
        aux_note=notes,
        write_dir=str(record.parent),
    )


@pytest.mark.parametrize(
    ("samples", "symbols", "notes", "why"),
    [
        ([BEATS[3] + 1], ["N"], ["normal (1)"], "no beat"),
        ([10**8], ["N"], ["normal (1)"], "no beat"),
        ([BEATS[3]] * 2, ["N", "Q"], ["normal (1)", "abnormal (2)"], "twice"),
        (
            [BEATS[3], BEATS[4]],
            ["N", "Q"],
            ["normal (1)", "abnormal (1)"],
            "answers of number 1",
        ),
        ([BEATS[3]], ["Q"], ["normal (1)"], "something else"),
        ([BEATS[3]], ["N"], ["normal"], "something else"),
        ([BEATS[3]], ["N"], ["Normal (1) "], "something else"),
        ([BEATS[3]], ["V"], [""], "something else"),
        ([BEATS[3]], ["~"], [""], "something else"),
    ],
)
def test_a_foreign_file_is_refused_and_left_unchanged(record, samples, symbols, notes, why):
    write(record, samples, symbols, notes)
    path = record.with_name("203.review")
    before = path.read_bytes()
    with pytest.raises(RecordError, match=why) as error:
        Judgements(record, BEATS, WINDOWS)
    assert "move it away" in str(error.value)
    assert path.read_bytes() == before


def test_a_damaged_file_is_refused_wherever_it_is_cut(record):
    judgements = Judgements(record, BEATS, WINDOWS)
    judgements.give(7, ABNORMAL)
    judgements.give(60, UNUSABLE)
    content, answers = judgements.path.read_bytes(), dict(judgements.answers)
    for end in range(1, len(content)):
        judgements.path.write_bytes(content[:end])
        with pytest.raises(RecordError, match="move it away"):
            Judgements(record, BEATS, WINDOWS)
    judgements.path.write_bytes(content)
    assert Judgements(record, BEATS, WINDOWS).answers == answers


@given(st.binary(max_size=40) | st.binary(max_size=40).map(lambda data: data + b"\0\0"))
def test_any_bytes_are_answers_or_refused(tmp_path_factory, data):
    record = tmp_path_factory.getbasetemp() / "any"
    record.with_name("any.review").write_bytes(data)
    try:
        read = Judgements(record, BEATS, WINDOWS)
    except RecordError:
        return
    assert not data or read.answers or (read.spread != labels.UNLABELLED).any()


@pytest.mark.parametrize("data", [b"\0\0", b"\0" * 20_000_000, b"<html>\0\0"])
def test_a_file_that_holds_no_answers_at_all_is_refused(record, data):
    record.with_name("203.review").write_bytes(data)
    with pytest.raises(RecordError, match="move it away"):
        Judgements(record, BEATS, WINDOWS)


def test_two_reviews_at_once_do_not_overwrite_each_other(record):
    one, other = Judgements(record, BEATS, WINDOWS), Judgements(record, BEATS, WINDOWS)
    one.give(3, NORMAL)
    with pytest.raises(RecordError, match="changed by another program"):
        other.give(5, ABNORMAL)
    assert on_disk(record) == [(3, NORMAL)]


def test_a_full_disk_is_reported_and_nothing_is_lost(record, monkeypatch):
    judgements = Judgements(record, BEATS, WINDOWS)
    judgements.give(3, NORMAL)

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(RecordError, match=r"No space left on device\): make room"):
            judgements.give(5, ABNORMAL)
    assert on_disk(record) == [(3, NORMAL)] == list(judgements.answers.items())
    judgements.give(5, UNSURE)
    assert on_disk(record) == [(3, NORMAL), (5, UNSURE)]


def test_that_nothing_can_be_saved_is_known_before_the_first_answer(tmp_path):
    judgements = Judgements(tmp_path / "nowhere" / "203", BEATS, WINDOWS)
    with pytest.raises(RecordError, match=r"cannot be saved in .*nowhere"):
        judgements.require_writable()
    Judgements(tmp_path / "203", BEATS, WINDOWS).require_writable()
    assert list(tmp_path.iterdir()) == []


GIVER = """
import sys
from pathlib import Path
from tests.support.reviewed_wearer import BEATS
from trainer.enrolment.review.judgements import Judgements
from trainer.enrolment.review.vocabulary import VOCABULARIES

WINDOWS = VOCABULARIES["window"]

judgements = Judgements(Path(sys.argv[1]), BEATS, WINDOWS)
for beat in range(len(BEATS)):
    judgements.give(beat, list(WINDOWS.of)[beat % 4])
    print(beat, flush=True)
"""


@pytest.mark.parametrize("after", [0, 7, 30])
def test_a_killed_review_has_saved_every_answer(record, after):
    process = subprocess.Popen(  # noqa: S603 - this interpreter and the program above
        [sys.executable, "-c", GIVER, record],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    with process:
        for _ in range(after + 1):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        acknowledged = after + 1 + len(process.stdout.readlines())
    answers = on_disk(record)
    assert acknowledged <= len(answers) <= acknowledged + 1
    assert answers == [(beat, list(WINDOWS.of)[beat % 4]) for beat in range(len(answers))]
