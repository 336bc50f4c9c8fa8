"""Model bundles: one ONNX file, its graph and, as metadata, the card that says what it is.

A protobuf message may be written as two parts that a reader merges. A bundle uses that: first
the graph, then the metadata, so that the checksum can cover graph and card together and any
ONNX tool still opens the file.
"""

import hashlib
import os
from pathlib import Path
from typing import Final, Generic, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import BundleError
from ecgmon.models.card import AnyCard, AnyCardT, Card, Conditioning, Input
from ecgmon.models.window_layers import GEOMETRY, NETWORK, weights

# From its import on, ONNX Runtime reports to its maker, with a device id and a database in the
# user's cache, unless this variable is set. A program that watches a patient reports to nobody.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime  # reads the variable when it is imported

MAX_BYTES: Final = 32 * 2**20
"""Largest bundle that is read, in bytes; the largest network of the studies takes 20 MiB."""
CARD_KEY: Final = "ecgmon.card"
"""Key of the card in the metadata."""
SUM_KEY: Final = "ecgmon.sha256"
"""Key of the checksum in the metadata."""
INPUT: Final = "signal"
"""Name of a graph's one input, shape (windows, geometry.inputs); its one output has (windows,)."""


def checksum(graph: bytes, card: bytes) -> str:
    """Return the SHA-256 that a bundle carries: of the graph's bytes followed by the card's."""
    return hashlib.sha256(graph + card).hexdigest()


def metadata(card: bytes, sha256: str) -> bytes:
    """Return the part of a bundle that follows the graph, as ONNX tools serialise it."""
    return b"".join(
        _field(14, _field(1, key.encode()) + _field(2, value))
        for key, value in ((CARD_KEY, card), (SUM_KEY, sha256.encode()))
    )


def read(path: Path) -> bytes:
    """Read a bundle's bytes; raises `BundleError` if they cannot be read or are too many."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BundleError(f"The model file {path} cannot be read: {error.strerror}.") from error
    if len(data) > MAX_BYTES:
        raise BundleError(f"{path} is larger than any bundle: give a file of ecgmon train.")
    return data


def _field(number: int, value: bytes) -> bytes:
    """Return one length-delimited protobuf field."""
    length, varint = len(value), bytearray()
    while length > 0x7F:
        varint.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([number << 3 | 2, *varint, length]) + value


def verify(path: Path, data: bytes, kind: type[AnyCardT]) -> tuple[AnyCardT, str]:
    """Check that a file is one whole bundle and nothing else, before any of it is used.

    Parameters
    ----------
    path : Path
        Name of the file in error messages.
    data : bytes
        The whole file, from `read`.
    kind : type
        Type of the card that is expected.

    Raises
    ------
    BundleError
        If it is no bundle, is damaged, or has another kind of card.
    """
    _, found, rest = data.rpartition(_field(1, CARD_KEY.encode()) + b"\x12")
    if not found:
        raise BundleError(f"{path} has no model card: give a bundle made by ecgmon train.")
    start = next((i + 1 for i, byte in enumerate(rest[:4]) if byte < 0x80), 0)  # after its length
    text = rest[start : -len(_field(14, _field(1, SUM_KEY.encode()) + _field(2, bytes(64))))]
    try:
        judges = msgspec.json.decode(text, type=AnyCard).input
        if kind is Card and judges != "window":
            what = {"beat": "single beats", "rhythm": "rhythms", "atrial": "atrial rhythms"}[judges]
            raise BundleError(f"{path} judges {what}: give a model that judges windows.")
        card = msgspec.json.decode(text, type=kind)
        if isinstance(card, Card):
            _ = card.geometry  # raises ValueError where no signal can have it
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BundleError(f"{path} has a model card that cannot be read: {error}.") from error
    graph = data[: card.graph_bytes]
    sha256 = checksum(graph, text)
    # Nothing else may be in the file: a reader would merge it into the graph.
    if data != graph + metadata(text, sha256):
        raise BundleError(f"{path} is damaged: its checksum does not match; copy it again.")
    return card, sha256


def judges(path: Path) -> Input:
    """Return the input of the model in a bundle, such as *window*; raises `BundleError`."""
    card, _ = verify(path, read(path), AnyCard)
    return card.input


def open_session(path: Path, data: bytes) -> onnxruntime.InferenceSession:
    """Make a graph ready to run, on one thread; raises `BundleError` where it cannot be run."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the batch is small: threads would only add latency
    options.log_severity_level = 4  # a bad graph is reported once, by the error below
    try:
        return onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"])
    except Exception as error:  # the runtime's exceptions have no class in common
        raise BundleError(
            f"{path} holds a graph that cannot be run: give a bundle made by ecgmon train."
        ) from error


def ends(session: onnxruntime.InferenceSession) -> list[tuple[str, list[int | None]]]:
    """Return type and shape of a graph's input ``signal`` and of its outputs.

    A size that is free is None. The list is empty if the graph has another input.
    """
    if [node.name for node in session.get_inputs()] != [INPUT]:
        return []
    return [
        (node.type, [size if isinstance(size, int) else None for size in node.shape])
        for node in [*session.get_inputs(), *session.get_outputs()]
    ]


def open_classes(
    path: Path, data: bytes, shape: tuple[int, ...], classes: int
) -> onnxruntime.InferenceSession:
    """Make a graph ready that gives probabilities of classes for inputs of a shape.

    Raises
    ------
    BundleError
        If it cannot be run, or takes or gives something else.
    """
    session = open_session(path, data)
    if ends(session) != [("tensor(float)", [None, *shape]), ("tensor(float)", [None, classes])]:
        raise BundleError(
            f"{path} takes other input than its card says: expected "
            f"{' times '.join(map(str, shape))} numbers."
        )
    return session


class Served(Generic[AnyCardT]):
    """A bundle of any kind that is ready to run.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        Runs the graph.
    card : AnyCard
        The bundle's card.
    sha256 : str
        The bundle's checksum, verified.
    path : Path
        Where it was read.
    """

    def __init__(
        self, session: onnxruntime.InferenceSession, card: AnyCardT, sha256: str, path: Path
    ) -> None:
        self._session: onnxruntime.InferenceSession | None = session
        self._path = path
        self.card = card
        self.sha256 = sha256

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read and verify a bundle; see `decode`."""
        return cls.decode(read(path), path)

    @classmethod
    def decode(cls, data: bytes, path: Path) -> Self:
        """Verify the bytes of a bundle and make it ready to run.

        Parameters
        ----------
        data : bytes
            The whole file, from `read`.
        path : Path
            Name of the file in error messages.

        Raises
        ------
        BundleError
            If it is none, is damaged, or is not what its card says, or not what a monitor serves.
        """
        raise NotImplementedError

    def probability(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the output of the graph for inputs, each in a row.

        Parameters
        ----------
        inputs : ndarray of float32, shape (n, ...)
            Windows or beats, as the card says.

        Returns
        -------
        ndarray of float32, shape (n,) or (n, classes)
            The probability of *abnormal*, or of each class.

        Raises
        ------
        BundleError
            If it was at rest, and its file is another one by now or cannot be read.
        """
        if self._session is None:
            data = read(self._path)
            if verify(self._path, data, type(self.card))[1] != self.sha256:
                raise BundleError(f"{self._path} has been replaced: start again to use it.")
            self._session = open_session(self._path, data)
        output: NDArray[np.float32] = self._session.run(None, {INPUT: inputs})[0]
        return output

    def rest(self) -> None:
        """Let go of the session, half a megabyte, until `probability` is asked again."""
        self._session = None

    def forget_training(self) -> None:
        """Let go of what the card says that it was trained on: 30 kB of a wearer's own model.

        The names of hundreds of records are most of a card, and who only judges never asks.
        """
        self.card = msgspec.structs.replace(self.card, trained_on=())


class Model(Served[Card]):
    """A loaded bundle of a window model: its card and its ONNX session.

    Attributes
    ----------
    weights : ndarray of float32 or None
        The network's weights (`ecgmon.models.window_layers.weights`), where it is the project's own
        and sees each second in a unit of its own: it can be judged without the session.
    """

    weights: NDArray[np.float32] | None = None

    @classmethod
    def decode(cls, data: bytes, path: Path) -> Self:
        """Verify a bundle and make it ready to serve; raises as `Served.decode`.

        One that was trained with other signal processing than that of this version is refused.
        """
        card, sha256 = verify(path, data, Card)
        if card.conditioning != Conditioning():
            raise BundleError(
                f"{path} was trained behind another filter or scaling: train it again with "
                "this version."
            )
        session = open_session(path, data)
        inputs = card.geometry.inputs
        if ends(session) != [("tensor(float)", [None, inputs]), ("tensor(float)", [None])]:
            raise BundleError(
                f"{path} takes other input than its card says: expected {inputs} samples."
            )
        model = cls(session, card, sha256, path)
        if card.network == NETWORK and card.geometry == GEOMETRY:
            model.weights = weights(data[: card.graph_bytes])
        return model
