"""A review that asks for the classes of beats."""

import numpy as np
import pytest
import wfdb

from ecgmon.core import labels
from ecgmon.core.errors import RecordError
from tests.support.reviewed_wearer import BEATS, signal
from trainer.data.beats.kachuee import CLASSES
from trainer.enrolment.review.judgements import Judgements
from trainer.enrolment.review.lead import Lead
from trainer.enrolment.review.picture import Scene, picture
from trainer.enrolment.review.review_flow import Course
from trainer.enrolment.review.vocabulary import VOCABULARIES, Judgement

OF_CLASSES, WINDOWS = VOCABULARIES["beat"], VOCABULARIES["window"]
N, S, V = (CLASSES.index(name) for name in "NSV")


class Each:
    """Asks about one beat after the other; answers hold for all beats up to the next one asked."""

    beats = BEATS

    def next(self, answers):
        return 10 * len(answers)

    def spread(self, answers):
        spread = np.full(len(BEATS), labels.UNLABELLED, np.int8)
        for beat, judgement in answers.items():
            label = OF_CLASSES.of[judgement].spreads
            spread[beat : beat + 10] = labels.UNLABELLED if label is None else label
        return spread


def text(canvas):
    return ["".join(segment.text for segment in line) for line in canvas.lines()]


@pytest.fixture
def record(tmp_path):
    return tmp_path / "203"


def test_every_class_has_a_key_a_symbol_and_a_label(record):
    judgements = Judgements(record, BEATS, OF_CLASSES)
    course = Course(Lead(signal(), BEATS), Each(), judgements, "203", 5)
    for key in "nvsu?":
        assert course.on_key(key, 80, 24)
    rows = [row.split() for row in text(course.picture(80, 24))]
    assert ["supraventricular", "1", "9"] in rows
    course.on_key("\r", 80, 24)
    assert course.accepted
    read = wfdb.rdann(str(record), "classes")
    said = [
        (int(sample), symbol, note)
        for sample, symbol, note in zip(read.sample, read.symbol, read.aux_note, strict=True)
        if note
    ]
    assert said == [
        (BEATS[0], "N", "normal (1)"),
        (BEATS[10], "V", "ventricular (2)"),
        (BEATS[20], "S", "supraventricular (3)"),
        (BEATS[30], "~", "unusable (4)"),
        (BEATS[40], '"', "unsure (5)"),
    ]
    again = Judgements(record, BEATS, OF_CLASSES)
    every = again.labels_with(again.spread)
    assert every[:30].tolist() == [N] * 10 + [V] * 10 + [S] * 10
    assert (every[30:] == labels.UNLABELLED).all()


@pytest.mark.parametrize("key", "aNVS1 x")
def test_what_is_no_answer_of_this_review_judges_nothing(record, key):
    judgements = Judgements(record, BEATS, OF_CLASSES)
    course = Course(Lead(signal(), BEATS), Each(), judgements, "203", 5)
    assert not course.on_key(key, 80, 24)
    assert not judgements.answers


def test_a_review_of_windows_under_this_name_is_refused(record):
    of_windows = Judgements(record, BEATS, WINDOWS)
    of_windows.give(3, Judgement.ABNORMAL)
    of_windows.path.rename(record.with_name("203.classes"))
    with pytest.raises(RecordError, match="something else"):
        Judgements(record, BEATS, OF_CLASSES)


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_all_keys_are_seen_on_the_smallest_terminal(kind):
    vocabulary = VOCABULARIES[kind]
    lead = Lead(signal(), BEATS)
    given = np.zeros(len(BEATS), np.int8)
    for labels_seen in (None, given):
        shown = "\n".join(
            text(picture(Scene(lead, vocabulary, "203", "x", {}, 30, labels_seen), 80, 24))
        )
        for answer in vocabulary.answers:
            assert f"{answer.key} {answer.judgement} " in shown
        assert "q stop, answers are kept" in shown


@pytest.mark.parametrize("vocabulary", VOCABULARIES.values())
def test_keys_labels_and_symbols_are_one_of_each(vocabulary):
    for one_of_each in (
        [answer.key for answer in vocabulary.answers],
        [answer.code for answer in vocabulary.answers],
        [answer.label for answer in vocabulary.answers],
    ):
        assert len({*one_of_each}) == len(one_of_each)
    assert not {answer.key for answer in vocabulary.answers} & {*"bqx"}
