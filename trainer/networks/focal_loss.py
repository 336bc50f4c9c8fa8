"""Focal loss (Lin et al. 2017) for classes, and the sum of two (Ali et al. 2024, study 5).

FL = -alpha_t (1 - p_t)^gamma log p_t, where p_t is the probability given to the true class: the
surer an example is called right, the less it counts.
"""

import torch
from torch import Tensor


def focal_loss(logits: Tensor, labels: Tensor, gamma: float, alpha: Tensor | None = None) -> Tensor:
    """Return the mean focal loss.

    Parameters
    ----------
    logits : Tensor of float32, shape (n, classes)
        Two classes at least.
    labels : Tensor of int64, shape (n,)
        True classes.
    gamma : float
        How much less easy examples count; 0 gives cross-entropy.
    alpha : Tensor of float32, shape (classes,), optional
        Weight of each class; 1 for all if left out.

    Returns
    -------
    Tensor of float32, shape ()
        Its gradient is finite for any finite logits.
    """
    true = torch.nn.functional.one_hot(labels, logits.shape[1]).bool()
    log_sum = logits.logsumexp(1)
    log_p = logits[true] - log_sum
    # Not log(1 - p): its gradient is infinite where p is 1.
    log_rest = logits.masked_fill(true, -torch.inf).logsumexp(1) - log_sum
    losses = -torch.exp(gamma * log_rest) * log_p
    return (losses if alpha is None else alpha[labels] * losses).mean()


def two_fold_focal_loss(
    logits: Tensor, labels: Tensor, gammas: tuple[float, float], alpha: Tensor | None = None
) -> Tensor:
    """Return the sum of the focal losses of two gammas with the same alpha; see `focal_loss`."""
    first, second = gammas
    return focal_loss(logits, labels, first, alpha) + focal_loss(logits, labels, second, alpha)
