"""Every picture against a case worked by hand, and what holds for any window."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.networks.pictures import (
    BINS,
    Pictures,
    angular_field,
    in_bins,
    pieces,
    recurrence_plot,
    transition_field,
    transitions,
)

LENGTH = 128


def close(actual, *expected):
    torch.testing.assert_close(
        actual, torch.tensor(expected, dtype=torch.float32), rtol=0, atol=1e-6
    )


def test_pieces_average_their_samples():
    close(pieces(4, 2), [0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5])


def test_a_sample_on_a_border_counts_for_both_pieces():
    close(pieces(3, 2), [2 / 3, 1 / 3, 0], [0, 1 / 3, 2 / 3])
    close(pieces(LENGTH, 24).sum(1), *[1.0] * 24)


def test_an_angular_field_worked_by_hand():
    # Stretched: -1, 0, 1, so angles of 180, 90 and 0 degrees; cosines of their sums.
    (field,) = angular_field(torch.tensor([[3.0, 4.0, 5.0]]))
    close(field, [1, 0, -1], [0, -1, 0], [-1, 0, 1])


def test_a_recurrence_plot_worked_by_hand():
    (plot,) = recurrence_plot(torch.tensor([[0.0, 1.0, 3.0]]))
    close(plot, [0, 1, 3], [1, 0, 2], [3, 2, 0])


def test_a_transition_field_worked_by_hand():
    bins = in_bins(torch.tensor([[1.0, 2.0, 3.0, 4.0, 2.0, 1.0]]), 2)
    # The lower three of six values are 1, 1, 2; the other 2 goes with its equal.
    assert bins[0].argmax(1).tolist() == [0, 0, 1, 1, 0, 0]
    # Steps: 0-0, 0-1, 1-1, 1-0, 0-0.
    close(transitions(bins)[0], [2 / 3, 1 / 3], [1 / 2, 1 / 2])
    (complete,) = transition_field(bins, torch.eye(6))
    low, high = [2 / 3, 2 / 3, 1 / 3, 1 / 3, 2 / 3, 2 / 3], [1 / 2] * 6
    close(complete, low, low, high, high, low, low)
    (halves,) = transition_field(bins, pieces(6, 2))
    # Of the nine points of a quarter, two rows hold 2/3, 2/3 and 1/3 in some order, one row 1/2.
    first = (2 * (2 / 3 + 2 / 3 + 1 / 3) + 3 / 2) / 9
    close(halves, [first, first], [first, first])


def test_a_rising_window_passes_from_each_bin_to_the_next():
    bins = in_bins(torch.arange(float(BINS))[None])
    close(bins[0], *torch.eye(BINS).tolist())
    (field,) = transition_field(bins, pieces(BINS, 2))
    # Of 4 x 4 points, three steps stay in a half and one leads from the first to the second.
    close(field, [3 / 16, 1 / 16], [0, 3 / 16])


windows = st.integers(0, 2**31).flatmap(
    lambda seed: st.sampled_from([1e-4, 0.1, 1.0, 1e4]).map(
        lambda scale: scale * torch.randn(2, LENGTH, generator=torch.manual_seed(seed)).cumsum(1)
    )
)


@given(windows, st.sampled_from([24, 32]))
def test_what_holds_for_the_pictures_of_any_window(x, size):
    pictures = Pictures(LENGTH, size)(x)
    assert pictures.shape == (2, 3, size, size)
    assert pictures.isfinite().all()
    angular, transition, recurrence = pictures.unbind(1)
    torch.testing.assert_close(angular, angular.mT)
    assert angular.abs().max() <= 1 + 1e-6
    assert ((transition >= 0) & (transition <= 1 + 1e-6)).all()
    torch.testing.assert_close(recurrence, recurrence.mT)
    assert not recurrence.diagonal(dim1=1, dim2=2).any()


@given(windows)
def test_the_diagonal_of_an_angular_field_gives_the_window_back(x):
    low, high = x.amin(1, keepdim=True), x.amax(1, keepdim=True)
    cosine = 2 * (x - low) / (high - low).clamp(min=0.05) - 1
    diagonal = angular_field(x).diagonal(dim1=1, dim2=2)
    torch.testing.assert_close(diagonal, 2 * cosine**2 - 1, rtol=0, atol=1e-5)


@given(windows)
def test_every_bin_has_its_quantile_and_is_followed_by_something_or_nothing(x):
    bins = in_bins(x)
    assert (bins.sum(2) == 1).all()
    assert (bins.sum(1) == LENGTH / BINS).all()
    sums = transitions(bins).sum(2)
    assert ((sums == 0) | ((sums - 1).abs() < 1e-6)).all()


@given(windows)
def test_a_smaller_transition_field_is_the_mean_of_the_whole_one(x):
    bins = in_bins(x)
    complete = transition_field(bins, torch.eye(LENGTH))
    number = bins.argmax(2)
    each = torch.stack([w[n][:, n] for w, n in zip(transitions(bins), number, strict=True)])
    torch.testing.assert_close(complete, each)
    means = complete.reshape(2, 32, 4, 32, 4).mean((2, 4))
    torch.testing.assert_close(transition_field(bins, pieces(LENGTH, 32)), means)


@pytest.mark.parametrize("level", [0.0, -3.0, 1e30])
def test_flat_windows_give_plain_pictures(level):
    angular, transition, recurrence = Pictures(LENGTH, 32)(torch.full((1, LENGTH), level))[0]
    assert (angular == 1).all()
    torch.testing.assert_close(transition, torch.ones(32, 32))
    assert not recurrence.any()


def test_noise_on_a_flat_line_does_not_look_like_a_beat():
    noise = 1e-3 * torch.rand(1, LENGTH, generator=torch.manual_seed(1))
    angular, _, recurrence = Pictures(LENGTH, 32)(noise)[0]
    assert (angular - 1).abs().max() < 0.2
    assert recurrence.max() < 1e-3
