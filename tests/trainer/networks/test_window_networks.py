import numpy as np
import pytest
import torch

from trainer.networks.window_networks import (
    NETWORKS,
    BeatNet,
    CardiacNet,
    WearerNorm,
    parameter_count,
)


def test_cardiacnet_has_the_published_number_of_parameters():
    assert parameter_count(CardiacNet()) == 67_169


@pytest.mark.parametrize("network", NETWORKS.values())
def test_networks_give_one_logit_a_window(network):
    net = network().eval()
    logits = net(torch.zeros(5, net.geometry.inputs))
    assert logits.shape == (5,)


def test_beatnet_is_smaller_than_cardiacnet():
    assert parameter_count(BeatNet().folded()) < parameter_count(CardiacNet())


def test_beatnet_says_the_same_of_a_long_signal_as_window_by_window():
    torch.manual_seed(3)
    net = BeatNet().eval()
    seconds, rate = 7, net.geometry.rate
    signal = torch.randn(2, seconds * rate + net.geometry.inputs - rate)
    with torch.inference_mode():
        together = net.of_windows(net.along_time(signal)[:, 0])
        for second in range(seconds):
            alone = net(signal[:, second * rate : second * rate + net.geometry.inputs])
            torch.testing.assert_close(together[:, second], alone, rtol=0, atol=1e-5)


def test_beatnet_sees_its_whole_context_and_nothing_else():
    torch.manual_seed(4)
    net = BeatNet().eval().double()
    x = torch.randn(1, net.geometry.inputs, dtype=torch.double, requires_grad=True)
    net(x).sum().backward()
    seen = np.flatnonzero(x.grad[0].abs().numpy() > 0)
    # The strided stem leaves the outermost samples at both ends unseen.
    assert seen[0] <= 4
    assert seen[-1] >= net.geometry.inputs - 8


@pytest.mark.parametrize("norm", [torch.nn.BatchNorm1d, WearerNorm])
def test_folding_the_normalisation_changes_no_output(norm):
    torch.manual_seed(5)
    net = BeatNet(norm=norm).train()
    net(torch.randn(64, net.geometry.inputs))  # moves the running statistics
    net.eval()
    x = torch.randn(16, net.geometry.inputs)
    with torch.inference_mode():
        torch.testing.assert_close(net(x), net.folded().eval()(x), rtol=0, atol=1e-5)


def test_each_wearer_is_normalised_alone_in_every_other_step_and_all_of_them_on_average():
    """The first step as batch normalisation of each wearer's stretches, the second as of all."""
    torch.manual_seed(7)
    norm = WearerNorm(3)
    with torch.no_grad():
        norm.weight.normal_()
        norm.bias.normal_()
    x = torch.randn(3 * norm.STRETCHES, 3, 20) * 2 + torch.arange(3.0)[:, None]
    x[: norm.STRETCHES] += 5
    plain, each = torch.nn.BatchNorm1d(3), torch.nn.BatchNorm1d(3)
    for other in (plain, each):
        other.load_state_dict(norm.state_dict())
    expected = torch.cat([each(wearer) for wearer in x.split(norm.STRETCHES)])
    torch.testing.assert_close(norm(x), expected, rtol=0, atol=1e-5)
    plain(x)
    torch.testing.assert_close(norm(x), plain(x), rtol=0, atol=0)
    torch.testing.assert_close(norm.eval()(x), plain.eval()(x), rtol=0, atol=0)


def test_one_step_alone_is_not_a_beat_of_the_window():
    """The first step inside the next window reaches over the edge, by one step."""
    net = BeatNet()
    logits = torch.full((1, 3 * 60), -20.0)
    at = 60  # a beat in the first step of the second window, taught as steps 59 to 61
    logits[0, at - 1 : at + 2] = 20.0
    windows = torch.sigmoid(net.of_windows(logits))[0]
    assert windows[0] < 0.01
    assert windows[1] > 0.99
    assert windows[2] < 0.01


def test_a_windows_logit_is_the_smooth_maximum_of_its_pairs():
    torch.manual_seed(6)
    logits = torch.randn(2, 120)
    net = BeatNet()
    for window in range(2):
        steps = logits[:, window * 60 : window * 60 + 60]
        pairs = torch.stack([steps[:, i : i + 2].amin(-1) for i in range(59)], -1)
        torch.testing.assert_close(
            net.of_windows(logits)[:, window], pairs.exp().sum(-1).log(), rtol=0, atol=1e-5
        )
