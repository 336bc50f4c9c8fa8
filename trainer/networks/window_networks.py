"""The networks: small enough to read, small enough for one bedside core."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Self

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ecgmon.models import window_layers
from ecgmon.signal import Geometry


class WindowNetwork(nn.Module):
    """Base of networks that judge windows.

    ``geometry`` is what of the signal around a window they see; `forward` maps scaled inputs,
    float32 of shape (n, geometry.inputs), to logits of *abnormal*, float32 of shape (n,).
    """

    name: str
    geometry: Geometry
    steps_per_second: int = 1
    """Outputs along time in a second of signal."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of windows."""
        raise TypeError("a network of windows defines forward")

    def probability(self, x: Tensor) -> Tensor:
        """Return the probability of *abnormal*, shape (n,)."""
        return torch.sigmoid(self(x))

    def folded(self) -> Self:
        """Return the network as it is served and fine-tuned: normalisation folded into weights.

        A bundle's initializers are the parameters of the folded network, so a bundle is also
        the checkpoint that fine-tuning starts from.
        """
        return self


class _Block(nn.Module):
    """[conv, ReLU, conv, add skip, ReLU, max-pool 5 stride 2] of CardiacNet."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(channels, channels, 5, padding=2)
        self.second = nn.Conv1d(channels, channels, 5, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(torch.relu(self.first(x)))
        return nn.functional.max_pool1d(torch.relu(x + y), 5, 2)


class CardiacNet(WindowNetwork):
    """The published network (Vavekanand et al. 2024): one second alone, 67,169 parameters."""

    name = "cardiacnet"
    geometry = Geometry(history_s=0, look_ahead_s=0, rate=128)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv1d(1, 32, 5, padding=2)
        self.blocks = nn.Sequential(*(_Block(32) for _ in range(4)))
        self.hidden = nn.Linear(160, 160, bias=False)
        self.output = nn.Linear(160, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of windows, shape (n,), from shape (n, 128)."""
        y = self.blocks(self.stem(x[:, None, :]))
        logits: Tensor = self.output(torch.relu(self.hidden(y.flatten(1))))
        return logits[:, 0]


class WearerNorm(nn.BatchNorm1d):
    """Batch normalisation that, in every other step, takes each wearer's stretches by themselves.

    Normalised by statistics of their own, wearers look more alike, so that less is learned of who
    they are. In evaluation the running statistics, those of all wearers, serve as usual. So in the
    other steps the whole batch is normalised together: a stretch of nothing but fibrillation looks
    like any other if it is normalised by itself, and would not be known in evaluation.
    """

    STRETCHES: Final = 4
    """So many stretches in a row are one wearer's."""

    def forward(self, x: Tensor) -> Tensor:
        """Return what is normalised, of the shape of ``x``, (n, channels, time)."""
        together = super().forward(x)  # in training it counts the steps, too
        if not self.training or int(self.num_batches_tracked or 0) % 2 == 0:
            return together
        channels, time = x.shape[1:]
        wearers = x.reshape(-1, self.STRETCHES, channels, time).transpose(1, 2).flatten(2)
        alone = functional.instance_norm(wearers, weight=self.weight, bias=self.bias, eps=self.eps)
        return alone.reshape(-1, channels, self.STRETCHES, time).transpose(1, 2).reshape(x.shape)


Norm = type[nn.BatchNorm1d]


class _Normalised(nn.Module):
    """Convolution, normalisation (unless folded) and ReLU."""

    def __init__(self, conv: nn.Conv1d, norm: Norm | None) -> None:
        super().__init__()
        self.conv = conv
        self.norm = norm(conv.out_channels) if norm else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return torch.relu(y if self.norm is None else self.norm(y))


class _Residual(_Normalised):
    """A residual convolution without padding; the skip is cropped to what each output sees.

    ``causal`` layers look back only: their skip keeps the newest samples instead of the middle.
    """

    def __init__(
        self, channels: int, kernel: int, dilation: int, *, causal: bool, norm: Norm | None
    ) -> None:
        super().__init__(nn.Conv1d(channels, channels, kernel, dilation=dilation), norm)
        shrink = dilation * (kernel - 1)
        self.left, self.right = (shrink, 0) if causal else (shrink // 2, shrink // 2)

    def forward(self, x: Tensor) -> Tensor:
        return x[..., self.left : x.shape[-1] - self.right] + super().forward(x)


class BeatNet(WindowNetwork):
    """The project's own network: says along time where an abnormal beat is.

    A fully convolutional network over 3 s of history, the window and 0.5 s of look-ahead at
    120 Hz, without padding: run over a longer signal it gives the same outputs as window by
    window, so training computes every second once. It has one output every 1/60 s for
    "an abnormal beat is here" and, while training, one for "a beat is here". A window's logit is
    the log-sum-exp (a smooth maximum) over the pairs of neighbours among its 60 outputs. Outputs
    so fine tell on which side of a window's edge a beat lies.
    """

    name = window_layers.NETWORK
    geometry = window_layers.GEOMETRY
    steps_per_second = 60
    fine = window_layers.FINE
    shapes = tuple((each.kernel, each.dilation, each.causal) for each in window_layers.RESIDUAL)
    """Kernel, dilation and whether it is causal, of each residual layer."""

    def __init__(self, *, norm: Norm | None = nn.BatchNorm1d, channels: int = 32) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _Normalised(nn.Conv1d(1, 16, 7, stride=2), norm),
            _Normalised(nn.Conv1d(16, channels, 5, stride=2), norm),
        )
        self.layers = nn.Sequential(
            *(
                _Residual(channels, kernel, dilation, causal=causal, norm=norm)
                for kernel, dilation, causal in self.shapes
            )
        )
        self.output = nn.Conv1d(channels, window_layers.CHANNELS * self.fine, 1)

    def folded(self) -> Self:
        """Return a copy with the batch normalisation folded into the convolutions."""
        copy = type(self)(norm=None, channels=self.output.in_channels)
        for target, layer in zip(_normalised(copy), _normalised(self), strict=True):
            conv = layer.conv
            if layer.norm is not None:
                conv = fuse_conv_bn_eval(layer.conv.eval(), layer.norm.eval())
            target.conv.load_state_dict(conv.state_dict())
        copy.output.load_state_dict(self.output.state_dict())
        return copy

    def along_time(self, x: Tensor) -> Tensor:
        """Return logits along time.

        Parameters
        ----------
        x : Tensor of float32, shape (n, (3 + s + 0.5) * 120)
            Signal of s whole seconds with their history and look-ahead.

        Returns
        -------
        Tensor of float32, shape (n, 2, 60 * s)
            Channel 0: an abnormal beat is here. Channel 1: a beat is here.
        """
        return self.outputs(self.features(x))

    def features(self, x: Tensor) -> Tensor:
        """Return what the outputs are made of, shape (n, channels, 30 * s)."""
        y: Tensor = self.layers(self.stem(x[:, None, :]))
        return y

    def outputs(self, features: Tensor) -> Tensor:
        """Return the logits along time that follow from features."""
        y: Tensor = self.output(features)
        interleaved = y.reshape(y.shape[0], 2, self.fine, y.shape[-1]).transpose(2, 3)
        return interleaved.reshape(y.shape[0], 2, self.fine * y.shape[-1])

    def of_windows(self, logits: Tensor) -> Tensor:
        """Return the logits of windows, shape (n, s), from channel 0, shape (n, 60 * s).

        An abnormal beat is taught as three steps, the middle one its own. So two steps in a row
        must say so: one alone, at a window's edge, belongs to a beat of the next window.
        """
        # Not len(): the exporter would take the number of windows for a constant.
        steps = logits.reshape(logits.shape[0], -1, self.steps_per_second)
        pairs = torch.minimum(steps[..., :-1], steps[..., 1:])
        return torch.logsumexp(pairs, dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of windows, shape (n,), from shape (n, 540)."""
        return self.of_windows(self.along_time(x)[:, 0])[:, 0]


def _normalised(network: nn.Module) -> list[_Normalised]:
    return [module for module in network.modules() if isinstance(module, _Normalised)]


NETWORKS: Mapping[str, type[WindowNetwork]] = MappingProxyType(
    {network.name: network for network in (BeatNet, CardiacNet)}
)


def parameter_count(network: nn.Module) -> int:
    """Return the number of trainable parameters."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
