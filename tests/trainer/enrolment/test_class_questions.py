"""Questions about classes, and how alike beats are to a beat network."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.labels import ABNORMAL, NORMAL, UNLABELLED
from trainer.data.beats.kachuee import CLASSES
from trainer.enrolment.likeness import ASKED, alike
from trainer.enrolment.own_beats.signal import take
from trainer.enrolment.questions import ClassQuestions, Questions
from trainer.networks.beat_context_net import BeatContextNet

N, S, V = (CLASSES.index(name) for name in ASKED)


def clusters(sizes, seed=0):
    """Distances of beats of several kinds, and of which kind each is."""
    kind = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(seed)
    at = np.eye(len(sizes))[kind] * 6 + rng.normal(0, 0.2, (len(kind), len(sizes)))
    return np.linalg.norm(at[:, None] - at[None, :], axis=2), kind


def test_twelve_answers_name_every_kind_of_beat():
    distance, kind = clusters([300, 20, 8])
    truth = np.array([N, V, S])[kind]
    sure_of_nothing = np.full((len(kind), len(ASKED)), 1 / 3)
    questions = ClassQuestions(np.arange(len(kind)) * 300, distance, sure_of_nothing)
    answers = {}
    for _ in range(12):
        beat = questions.next(answers)
        answers[beat] = int(truth[beat])
    assert {kind[beat] for beat in answers} == {0, 1, 2}
    np.testing.assert_array_equal(questions.spread(answers), truth)


@given(
    seed=st.integers(0, 99),
    said=st.lists(st.sampled_from([NORMAL, ABNORMAL, UNLABELLED, None]), max_size=8),
)
def test_of_two_classes_both_ask_the_same_and_label_the_same(seed, said):
    distance, _ = clusters([14, 7], seed)
    suspicion = np.random.default_rng(seed).random(21)
    both = np.stack([1 - suspicion, suspicion], axis=1)
    at = np.arange(21) * 300
    of_windows = Questions(at, distance, suspicion)
    of_classes = ClassQuestions(at, distance, both)
    answers = {}
    for answer in said:
        beat = of_windows.next(answers)
        assert of_classes.next(answers) == beat
        answers[beat] = answer
    np.testing.assert_array_equal(of_windows.spread(answers), of_classes.spread(answers))


@pytest.fixture(scope="module")
def beats(record):
    return take(record).beats


def test_premature_beats_are_unlike_the_others(beats):
    """With an untrained network: shape and rhythm tell them apart."""
    torch.manual_seed(1)
    distance, probabilities = alike(BeatContextNet(len(CLASSES)).eval(), beats)
    np.testing.assert_allclose(distance, distance.T)
    assert (np.diag(distance) == 0).all()
    assert probabilities.shape == (len(beats), len(ASKED))
    assert (probabilities.sum(axis=1) <= 1 + 1e-6).all()
    ectopic = beats.labels == V
    assert 10 < ectopic.sum() < len(beats) / 2
    nearest = (distance + np.where(np.eye(len(beats)), np.inf, 0)).argmin(axis=1)
    assert (ectopic[nearest] == ectopic).mean() > 0.97


def test_probabilities_are_those_of_the_network_for_each_beat_alone(beats):
    torch.manual_seed(1)
    network = BeatContextNet(len(CLASSES)).eval()
    _, of_all = alike(network, beats)
    _, of_some = alike(network, beats.select(np.arange(len(beats)) < 40))
    np.testing.assert_allclose(of_some, of_all[:40], atol=1e-6)
    with torch.inference_mode():
        each = torch.softmax(network(torch.from_numpy(beats.inputs)), dim=1).numpy()
    np.testing.assert_allclose(of_all[:, :2], each[:, :2], atol=1e-6)
    np.testing.assert_allclose(of_all[:, 2], each[:, V] + each[:, CLASSES.index("F")], atol=1e-6)
