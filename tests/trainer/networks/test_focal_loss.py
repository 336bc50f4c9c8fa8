import numpy as np
import pytest
import torch
from torch.nn import functional

from trainer.networks.focal_loss import focal_loss, two_fold_focal_loss

LOGITS = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]]).log()
LABELS = torch.tensor([0, 2])


def test_focal_loss_is_that_of_a_case_worked_by_hand():
    # p_t = .7 and .3; -log p_t = .356675 and 1.203973.
    # gamma 2: .3^2 x .356675 = .032101 and .7^2 x 1.203973 = .589947; their mean:
    assert focal_loss(LOGITS, LABELS, 2).item() == pytest.approx(0.311024, abs=1e-6)


def test_two_fold_focal_loss_is_that_of_a_case_worked_by_hand():
    # gamma 1: .3 x .356675 = .107002 and .7 x 1.203973 = .842781; gamma 2 as above.
    # alpha 1 and 2: .107002 + .032101 = .139103 and 2 x (.842781 + .589947) = 2.865456; their mean:
    alpha = torch.tensor([1.0, 5.0, 2.0])
    loss = two_fold_focal_loss(LOGITS, LABELS, (1, 2), alpha)
    assert loss.item() == pytest.approx(1.502280, abs=1e-6)


def test_gamma_zero_is_weighted_cross_entropy():
    torch.manual_seed(1)
    logits, labels = torch.randn(50, 5), torch.randint(0, 5, (50,))
    alpha = torch.tensor([0.2, 3.0, 1.0, 7.0, 0.5])
    each = functional.cross_entropy(logits, labels, weight=alpha, reduction="none")
    torch.testing.assert_close(focal_loss(logits, labels, 0, alpha), each.mean())


@pytest.mark.parametrize("gammas", [(0.0, 0.5), (1.0, 2.0), (0.25, 5.0)])
@pytest.mark.parametrize("sure", [-1e4, -200.0, -1.0, 0.0, 1.0, 200.0, 1e4])
def test_loss_and_gradient_are_finite_from_surely_wrong_to_surely_right(gammas, sure):
    logits = torch.tensor([[sure, 0.0, 0.0]], requires_grad=True)
    loss = two_fold_focal_loss(logits, torch.tensor([0]), gammas)
    loss.backward()
    assert torch.isfinite(loss)
    assert loss >= 0
    assert torch.isfinite(logits.grad).all()


def test_the_gradient_is_that_of_the_formula():
    logits = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 1, 2, 1])
    assert torch.autograd.gradcheck(lambda x: focal_loss(x, labels, 1.5), logits)
    p_t = np.take_along_axis(torch.softmax(logits, 1).detach().numpy(), labels[:, None].numpy(), 1)
    direct = -np.mean((1 - p_t) ** 1.5 * np.log(p_t))
    assert focal_loss(logits, labels, 1.5).item() == pytest.approx(direct)
