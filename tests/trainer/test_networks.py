import numpy as np
import pytest
import torch

from trainer.networks import NETWORKS, BeatNet, CardiacNet, parameter_count


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


def test_folding_the_normalisation_changes_no_output():
    torch.manual_seed(5)
    net = BeatNet().train()
    net(torch.randn(64, net.geometry.inputs))  # moves the running statistics
    net.eval()
    x = torch.randn(16, net.geometry.inputs)
    with torch.inference_mode():
        torch.testing.assert_close(net(x), net.folded().eval()(x), rtol=0, atol=1e-5)
