"""The questions of a review, on beats whose kinds are known."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.labels import ABNORMAL, NORMAL, UNLABELLED, is_abnormal, is_beat
from trainer.enrolment.beats import WearerBeats
from trainer.enrolment.labelled import labelled
from trainer.enrolment.questions import Questions
from trainer.networks.window_networks import BeatNet

ANSWERS = st.sampled_from([NORMAL, ABNORMAL, UNLABELLED, None])


def clusters(sizes, apart=8.0, seed=0):
    """Distances of beats of several kinds, and of which kind each is."""
    kind = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(seed)
    at = np.stack([kind * apart, np.zeros(len(kind))], axis=1) + rng.normal(0, 0.2, (len(kind), 2))
    return np.linalg.norm(at[:, None] - at[None, :], axis=2), kind


def asked(distance, answer, most=20, suspicion=0.5):
    n = len(distance)
    questions = Questions(np.arange(n) * 300, distance, np.full(n, suspicion))
    answers = {}
    while len(answers) < most and (beat := questions.next(answers)) is not None:
        answers[beat] = answer(beat)
    return questions.spread(answers), answers


def test_a_few_answers_label_every_kind_of_beat():
    distance, kind = clusters([300, 20, 5])
    labels, answers = asked(distance, lambda beat: ABNORMAL if kind[beat] == 1 else NORMAL, 12)
    assert {kind[beat] for beat in answers} == {0, 1, 2}
    np.testing.assert_array_equal(labels, np.where(kind == 1, ABNORMAL, NORMAL))


def test_one_wrong_answer_does_not_turn_a_large_kind_round():
    distance, kind = clusters([300, 20])
    wrong = iter([True])
    truth = np.where(kind == 1, ABNORMAL, NORMAL)
    labels, answers = asked(
        distance, lambda beat: int(truth[beat]) ^ next(wrong, False), suspicion=0.3
    )
    others = np.setdiff1d(np.arange(len(kind)), list(answers))
    known = others[labels[others] != UNLABELLED]
    assert len(known) > 0.9 * len(others)
    np.testing.assert_array_equal(labels[known], truth[known])


def test_beats_like_an_unusable_one_have_no_label():
    distance, kind = clusters([200, 30])
    labels, _ = asked(distance, lambda beat: UNLABELLED if kind[beat] else NORMAL)
    assert (labels[kind == 1] == UNLABELLED).all()
    assert (labels[kind == 0] == NORMAL).all()


def test_where_nothing_is_answered_only_the_model_s_sure_opinion_would_count():
    distance, _ = clusters([50])
    labels, _ = asked(distance, lambda _: None, most=0)
    assert (labels == UNLABELLED).all()


@given(st.lists(ANSWERS, max_size=12), st.integers(1, 12))
def test_any_answers_lead_to_a_new_question_until_all_are_asked(drawn_answers, n):
    distance, _ = clusters([n], seed=n)
    questions = Questions(np.arange(n) * 300, distance, np.full(n, 0.5))
    answers = {}
    for answer in drawn_answers[:n]:
        beat = questions.next(answers)
        assert 0 <= beat < n
        assert beat not in answers
        answers[beat] = answer
    labels = questions.spread(answers)
    assert labels.shape == (n,)
    for beat, answer in answers.items():
        assert labels[beat] == (UNLABELLED if answer is None else answer)
    assert (questions.next(answers) is None) == (len(answers) == n)


@pytest.fixture(scope="module")
def described(signal):
    torch.manual_seed(1)
    return WearerBeats(BeatNet().folded().eval(), signal.record, signal.beats)


def test_premature_beats_are_found_by_shape_and_rhythm(record, signal, described):
    """With an untrained network: what it sees counts little, what a beat is like counts."""
    true = record.annotations.samples[is_beat(record.annotations)]
    kinds = is_abnormal(record.annotations)[is_beat(record.annotations)]
    nearest = np.argmin(np.abs(true[None, :] - signal.beats[:, None]), axis=1)
    truth = np.where(kinds[nearest], ABNORMAL, NORMAL)
    labels, _ = asked(described.distance, lambda beat: int(truth[beat]))
    known = labels != UNLABELLED
    assert known.mean() > 0.9
    assert (labels[known] == truth[known]).mean() > 0.99
    assert (truth == ABNORMAL).sum() > 10

    windows = labelled(signal, truth.astype(np.int8)).labels[: signal.seconds]
    annotated = signal.record.labels[: signal.seconds]
    both = (windows != UNLABELLED) & (annotated != UNLABELLED)
    assert both.mean() > 0.9
    assert (windows[both] == annotated[both]).mean() > 0.98


def test_distances_are_those_of_a_metric(described):
    distance = described.distance
    np.testing.assert_allclose(distance, distance.T)
    assert (np.diag(distance) == 0).all()
    assert ((described.suspicion >= 0) & (described.suspicion <= 1)).all()


def test_a_window_with_an_unlabelled_beat_has_no_label_unless_another_is_abnormal(signal):
    window, count = np.unique(signal.beats // 360, return_counts=True)
    two = int(window[count == 2][0])
    inside = np.flatnonzero(signal.beats // 360 == two)
    for pair, expected in (
        ((NORMAL, NORMAL), NORMAL),
        ((NORMAL, UNLABELLED), UNLABELLED),
        ((UNLABELLED, NORMAL), UNLABELLED),
        ((UNLABELLED, ABNORMAL), ABNORMAL),
        ((ABNORMAL, NORMAL), ABNORMAL),
    ):
        labels = np.full(len(signal.beats), NORMAL, dtype=np.int8)
        labels[inside] = pair
        made = labelled(signal, labels)
        assert made.labels[two] == expected
        assert (made.labels[signal.seconds :] == UNLABELLED).all()
