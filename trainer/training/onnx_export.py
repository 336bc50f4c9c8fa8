"""Export of a trained network as a bundle, compared with the runtime that will serve it."""

import contextlib
import io
import logging
import platform
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final, Protocol, TypeVar

import msgspec
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from ecgmon.core.errors import BundleError
from ecgmon.models.bundle import INPUT, Model, checksum, metadata
from ecgmon.models.card import AnyCard, Card
from trainer.networks.window_networks import NETWORKS, WindowNetwork

TOLERANCE: Final = 1e-5
"""Probabilities of torch and ONNX Runtime may differ by at most this."""
_PREFIX: Final = "network."


class Runs(Protocol):
    """A bundle that runs."""

    def probability(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probabilities of inputs."""
        ...


RunsT = TypeVar("RunsT", bound=Runs)


class _Served(nn.Module):
    def __init__(self, network: WindowNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, signal: Tensor) -> Tensor:
        return self.network.probability(signal)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages used in training."""
    names = ("ecgmon", "torch", "onnx", "onnxruntime", "numpy", "scipy", "wfdb")
    return {"python": platform.python_version()} | {name: version(name) for name in names}


def now() -> str:
    """Return the current time in UTC, for a card."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def export(network: WindowNetwork, card: Card, path: Path, windows: NDArray[np.float32]) -> Model:
    """Write a bundle and check that it gives the network's probabilities.

    Parameters
    ----------
    network : WindowNetwork
        A folded network in evaluation mode.
    card : Card
        Card of the bundle; ``graph_bytes`` is filled in here.
    path : Path
        The bundle to write; the file is replaced atomically.
    windows : ndarray of float32, shape (n, inputs)
        Real windows to compare torch and ONNX Runtime on.

    Returns
    -------
    Model
        The bundle, loaded from the file as a monitor would.

    Raises
    ------
    BundleError
        If any probability differs by more than `TOLERANCE`.
    """
    return export_served(_Served(network), card, path, windows, Model.load)


def export_served(
    served: nn.Module,
    card: AnyCard,
    path: Path,
    inputs: NDArray[np.float32],
    load: Callable[[Path], RunsT],
) -> RunsT:
    """Write a bundle of any kind, as `export` does for models of windows.

    Parameters
    ----------
    served : Module
        Maps the input of the bundle, named ``signal`` in its forward, to probabilities.
    load : callable
        Reads the bundle as its users will do.
    """
    graph = _graph(served.eval(), torch.from_numpy(inputs[:2]))
    card = msgspec.structs.replace(card, graph_bytes=len(graph))
    text = msgspec.json.encode(card)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    try:
        new.write_bytes(graph + metadata(text, checksum(graph, text)))
        model = load(new)
        with torch.inference_mode():
            mine = served(torch.from_numpy(inputs)).numpy()
        difference = float(np.abs(mine - model.probability(inputs)).max())
        if difference > TOLERANCE:
            raise BundleError(f"The exported model differs from the trained one: {difference:.1e}.")
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return model


def restore(path: Path) -> tuple[WindowNetwork, Card]:
    """Read a bundle back into a folded network, to fine-tune it.

    Raises
    ------
    BundleError
        If it is no valid bundle, its weights do not fit the network that its card names, or that
        network sees the signal in another way by now.
    """
    card = Model.load(path).card
    if card.network not in NETWORKS:
        raise BundleError(f"{path} holds a network this version cannot train: {card.network}.")
    network = NETWORKS[card.network]().folded()
    if card.geometry != network.geometry:
        raise BundleError(
            f"{card.name} of {path} was trained for a signal in other units: it serves as before, "
            "but a model made from it would not. Train it again, or leave it out for the built-in."
        )
    try:
        network.load_state_dict(weights(path))
    except RuntimeError as error:
        raise BundleError(f"The weights of {path} do not fit {card.network}.") from error
    return network.eval(), card


def weights(path: Path) -> dict[str, Tensor]:
    """Return the weights of a bundle's network by their names in torch."""
    graph = onnx.load_from_string(path.read_bytes()).graph
    return {
        tensor.name.removeprefix(_PREFIX): torch.from_numpy(numpy_helper.to_array(tensor).copy())
        for tensor in graph.initializer
        if tensor.name.startswith(_PREFIX)
    }


def _graph(served: nn.Module, example: Tensor) -> bytes:
    with _quiet():
        program = torch.onnx.export(
            served,
            (torch.zeros_like(example),),
            input_names=[INPUT],
            output_names=["probability"],
            dynamic_shapes={INPUT: {0: torch.export.Dim("windows")}},
            verbose=False,
        )
    if program is None:
        raise BundleError("The network cannot be exported.")
    proto = program.model_proto
    # The traces of each operator's source are half the file and hold paths of this machine.
    for node in proto.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in [*proto.graph.value_info, *proto.graph.input, *proto.graph.output]:
        del value.metadata_props[:]
    del proto.graph.metadata_props[:]
    del proto.metadata_props[:]
    serialised: bytes = proto.SerializeToString(deterministic=True)
    return serialised


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the exporter's messages about torchvision and its internals."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
