"""Model bundles: one ONNX file, its graph and, as metadata, the card that says what it is.

A protobuf message may be written as two parts that a reader merges. A bundle uses that: first
the graph, then the metadata, so that the checksum can cover graph and card together and any
ONNX tool still opens the file.
"""

import hashlib
import os
from pathlib import Path
from typing import Annotated, Final, Generic, Literal, Self, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import BundleError
from ecgmon.metrics.two_classes import Confusion
from ecgmon.signal import Geometry, scale
from ecgmon.signal.filter import BAND_HZ, ORDER

# From the moment it is imported ONNX Runtime reports to its maker, through a device id and a
# database in the user's cache, unless it is told not to. What watches a patient reports to nobody.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime  # reads the variable when it is imported

MAX_BYTES: Final = 32 * 2**20
"""Largest bundle read: the largest network of the studies, five million weights, takes 20 MiB."""
CARD_KEY: Final = "ecgmon.card"
SUM_KEY: Final = "ecgmon.sha256"
INPUT: Final = "signal"
"""Name of a graph's one input, shape (windows, geometry.inputs); its one output has (windows,)."""
Unit = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""What figures are made from: no card may say a number that no float can hold."""
LabelSource = Literal["annotations", "review", "assumed normal"]
"""Who said what is normal: experts' annotations, a clinician's review of a few beats, or nobody."""


class ScoredSpan(msgspec.Struct, frozen=True):
    """Windows ``start`` to ``stop - 1`` of a record."""

    record: str
    start: Count
    stop: Count


class Conditioning(msgspec.Struct, frozen=True):
    """The signal processing that a model was trained behind."""

    band_hz: tuple[float, float] = BAND_HZ
    order: int = ORDER
    scale_seconds: int = scale.SECONDS
    scale_floor_mv: float = scale.FLOOR_MV


class Validation(msgspec.Struct, frozen=True):
    """Windows that a model was judged on without being fitted to them, and the counts there."""

    protocol: str
    records: tuple[str, ...]
    tp: Count
    fp: Count
    tn: Count
    fn: Count

    @property
    def confusion(self) -> Confusion:
        """The counts with their figures."""
        return Confusion(self.tp, self.fp, self.tn, self.fn)


class AnyCard(msgspec.Struct, frozen=True, kw_only=True):
    """What the cards of all models say."""

    v: Literal[1] = 1
    input: Literal["window", "beat"] = "window"
    name: str
    network: str
    parameters: Count
    wearer: str | None
    trained_on: tuple[ScoredSpan, ...]
    seed: int
    versions: dict[str, str]
    created: str
    graph_bytes: int = 0


AnyCardT = TypeVar("AnyCardT", bound=AnyCard)


class Card(AnyCard, frozen=True, kw_only=True):
    """Everything a user or a monitor must know of a model of windows.

    ``validation`` is what the choice of epoch and threshold was based on; ``evaluation``, where
    there is one, is of windows that took part in no choice.
    """

    input: Literal["window"] = "window"
    classes: tuple[str, str] = ("normal", "abnormal")
    threshold: Unit
    history_s: float
    look_ahead_s: float
    rate: int
    conditioning: Conditioning = Conditioning()
    enrolment: ScoredSpan | None = None
    labels: LabelSource = "annotations"
    windows: Count
    abnormal_windows: Count
    validation: Validation
    evaluation: Validation | None = None

    @property
    def geometry(self) -> Geometry:
        """What of the signal the model sees."""
        return Geometry(self.history_s, self.look_ahead_s, self.rate)

    def has_seen(self, record: str, window: int) -> bool:
        """Tell whether a window of a record took part in training."""
        return any(s.record == record and s.start <= window < s.stop for s in self.trained_on)


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
    """Read a bundle's bytes; raises `BundleError` where it cannot be one."""
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
    """Check that a file is one whole bundle and nothing else, before any of it is put to use.

    Parameters
    ----------
    path : Path
        What to call it in messages.
    data : bytes
        What `read` returns.
    kind : type
        The card that it must have.

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
        if kind is Card and judges == "beat":
            raise BundleError(f"{path} judges single beats: give a model that judges windows.")
        card = msgspec.json.decode(text, type=kind)
        if isinstance(card, Card):
            _ = card.geometry  # which no signal may have
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BundleError(f"{path} has a model card that cannot be read: {error}.") from error
    graph = data[: card.graph_bytes]
    sha256 = checksum(graph, text)
    # Nothing else may be in the file: a reader would merge it into the graph.
    if data != graph + metadata(text, sha256):
        raise BundleError(f"{path} is damaged: its checksum does not match; copy it again.")
    return card, sha256


def judges(path: Path) -> str:
    """Return what the model in a bundle judges, *window* or *beat*; raises `BundleError`."""
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
    """Return type and shape, None where it is free, of a graph's input ``signal`` and its outputs.

    Empty where another input is wanted.
    """
    if [node.name for node in session.get_inputs()] != [INPUT]:
        return []
    return [
        (node.type, [size if isinstance(size, int) else None for size in node.shape])
        for node in [*session.get_inputs(), *session.get_outputs()]
    ]


class Served(Generic[AnyCardT]):
    """A bundle that runs, of any kind.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        The graph.
    card : Card
        What it is.
    sha256 : str
        The verified checksum.
    """

    def __init__(self, session: onnxruntime.InferenceSession, card: AnyCardT, sha256: str) -> None:
        self._session = session
        self.card = card
        self.sha256 = sha256

    def probability(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what its graph says of inputs, each in a row.

        Parameters
        ----------
        inputs : ndarray of float32, shape (n, ...)
            Windows or beats as its card says.

        Returns
        -------
        ndarray of float32, shape (n,) or (n, classes)
            The probability of *abnormal*, or of each class.
        """
        output: NDArray[np.float32] = self._session.run(None, {INPUT: inputs})[0]
        return output


class Model(Served[Card]):
    """A bundle whose model judges windows."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read and verify a bundle; see `decode`."""
        return cls.decode(read(path), path)

    @classmethod
    def decode(cls, data: bytes, path: Path) -> Self:
        """Verify the bytes of a bundle and make it ready to serve.

        Parameters
        ----------
        data : bytes
            What `read` returns.
        path : Path
            What to call it in messages.

        Raises
        ------
        BundleError
            If it is not a bundle, is damaged, or was trained behind other signal processing than
            this version's.
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
        return cls(session, card, sha256)
