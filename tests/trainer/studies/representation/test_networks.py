import pytest
import torch
from torch import nn

from trainer.studies.representation.networks import KINDS, Ensemble


def number(network, kind):
    return sum(isinstance(module, kind) for module in network.modules())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("channels", "length", "outputs"), [(1, 187, 5), (3, 250, 2), (1, 187, 8)])
def test_each_input_has_a_logit_for_each_output(kind, channels, length, outputs):
    network = KINDS[kind](channels, length, outputs)
    assert network(torch.rand(4, channels, length)).shape == (4, outputs)
    assert network(torch.rand(1, channels, length)).shape == (1, outputs)


def test_the_networks_have_the_layers_that_the_study_names():
    mlp, cnn, lstm = (KINDS[kind](1, 187, 5) for kind in ("mlp", "cnn", "lstm"))
    assert number(mlp, nn.Linear) == 7
    assert number(mlp, nn.Dropout) > 0
    assert number(cnn, nn.Conv1d) == number(cnn, nn.MaxPool1d) == number(cnn, nn.Linear) == 3
    assert number(cnn, nn.LeakyReLU) > 0
    assert number(cnn, nn.ReLU) == 0
    (cells,) = (module for module in lstm.modules() if isinstance(module, nn.LSTM))
    assert (cells.hidden_size, cells.num_layers, cells.bidirectional) == (64, 1, False)
    assert number(lstm, nn.Linear) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_sees_every_channel_to_the_last_sample(kind):
    torch.manual_seed(1)
    network = KINDS[kind](2, 184, 5).eval()  # of which the LSTM's steps leave a rest of 8 samples
    x = torch.rand(20, 2, 184, requires_grad=True)
    network(x).square().sum().backward()
    assert (x.grad != 0).any(0).all()


def ensemble(classes=3, channels=1):
    torch.manual_seed(2)
    return Ensemble([kind(channels, 187, classes) for kind in KINDS.values()]).eval()


def test_the_ensemble_averages_its_members_probabilities():
    network = ensemble()
    x = torch.rand(6, 1, 187)
    with torch.inference_mode():
        mean = sum(torch.softmax(member(x), 1) for member in network.members) / 3
        torch.testing.assert_close(network(x).exp(), mean, rtol=0, atol=1e-6)
        torch.testing.assert_close(torch.softmax(network(x), 1), mean, rtol=0, atol=1e-6)


def test_the_ensemble_s_logits_stay_finite_where_a_member_is_quite_sure():
    class Sure(nn.Module):
        def forward(self, x):
            return torch.tensor([[0.0, 500.0]]).expand(len(x), 2)

    logits = Ensemble([Sure(), Sure()])(torch.zeros(1, 1, 187))
    torch.testing.assert_close(logits, torch.tensor([[-500.0, 0.0]]))
