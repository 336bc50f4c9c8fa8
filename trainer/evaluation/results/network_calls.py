"""A network as data: what it calls of torch, and with what numbers and shapes."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name

BATCH = 8
"""Inputs that a network is called with."""


def network_calls(
    make: Callable[[], Mapping[str, nn.Module]], shape: tuple[int, ...]
) -> dict[str, Any]:
    """Return all calls of torch that make networks and apply them to a batch of zeros.

    They hold layers, sizes, shares of dropout and the way weights are drawn at first, but no name
    of a class or attribute of ours, and no weight, which may differ from machine to machine.

    Parameters
    ----------
    make : callable
        Returns new networks by name.
    shape : tuple of int
        Of one input.

    Returns
    -------
    dict
        *made*, the calls that make them; and for each network those of *training* and
        *evaluation*. A call is its name, its arguments and its keyword arguments, and of a tensor
        they hold type and shape.
    """
    inputs = torch.zeros(BATCH, *shape)
    with torch.random.fork_rng(devices=[]):
        with _Calls() as made:
            networks = make()
        found: dict[str, Any] = {"made": made.calls}
        for name, network in networks.items():
            found[name] = {}
            for mode in ("training", "evaluation"):
                network.train(mode == "training")
                with _Calls() as called, torch.no_grad():
                    network(inputs)
                found[name][mode] = called.calls
    return found


class _Calls(TorchFunctionMode):
    """Notes every call of a function of torch."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[Any]] = []

    def __torch_function__(
        self,
        func: Any,  # noqa: ANN401 - as torch calls it
        types: Any,  # noqa: ANN401 - as torch calls it
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - as torch calls it
        given = kwargs or {}
        if func.__name__ not in ("__get__", "__set__"):  # attributes, such as a tensor's shape
            self.calls.append([resolve_name(func) or func.__name__, _data(args), _data(given)])
        return func(*args, **given)


def _data(value: object) -> Any:  # noqa: ANN401 - whatever JSON takes
    match value:
        case Tensor():
            return [str(value.dtype), list(value.shape)]
        case None | bool() | int() | float() | str():
            return value
        case tuple() | list():
            return [_data(each) for each in value]
        case dict():
            return {name: _data(each) for name, each in value.items()}
        case _:
            return str(value)  # a slice, a type of torch, an ellipsis
