"""The weights in an ONNX graph, read without the ONNX package.

The file is a protobuf message: fields with a number, each a varint, 4 or 8 bytes, or a length and
as many bytes (https://protobuf.dev/programming-guides/encoding/). Of the fields of onnx.proto
(https://github.com/onnx/onnx) only these are read: the model's graph, the graph's initialisers, and
of these the sizes, the type, the bytes and the name.
"""

from collections.abc import Iterator
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

_GRAPH: Final = 7
_INITIALISER: Final = 5
_SIZES, _TYPE, _NAME, _BYTES = 1, 2, 8, 9
_FLOAT32: Final = 1
_FIXED: Final = {1: 8, 5: 4}
"""Bytes of the wire types of fixed length."""


def initializers(model: bytes) -> dict[str, NDArray[np.float32]]:
    """Return the initialisers of type float32 of an ONNX model by their names.

    Raises
    ------
    ValueError
        If it is no protobuf message, or an initialiser is not as long as its sizes say.
    """
    found: dict[str, NDArray[np.float32]] = {}
    for number, graph in _fields(model):
        if number == _GRAPH and isinstance(graph, bytes):
            tensors = (each for field, each in _fields(graph) if field == _INITIALISER)
            found |= dict(filter(None, map(_tensor, tensors)))
    return found


def _tensor(data: bytes | int) -> tuple[str, NDArray[np.float32]] | None:
    """Return name and values of a tensor; None if it is of another type, or held elsewhere."""
    sizes: list[int] = []
    name, kind, raw = "", 0, None
    for number, value in _fields(data if isinstance(data, bytes) else b""):
        if number == _SIZES:
            sizes += [value] if isinstance(value, int) else _varints(value)
        elif number == _TYPE and isinstance(value, int):
            kind = value
        elif number == _NAME and isinstance(value, bytes):
            name = value.decode()
        elif number == _BYTES and isinstance(value, bytes):
            raw = value
    if kind != _FLOAT32 or raw is None:
        return None
    if len(raw) != 4 * prod(sizes):
        raise ValueError(f"the initialiser {name} is not as long as its sizes say")
    return name, np.frombuffer(raw, dtype="<f4").reshape(sizes)


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield number and value of the fields of a message; raises ValueError if it is none."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == 2:
            length, at = _varint(data, at)
        elif kind in _FIXED:
            length = _FIXED[kind]
        else:
            raise ValueError("not a protobuf message")
        if at + length > len(data):
            raise ValueError("a field is longer than its message")
        yield number, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return an unsigned number of at most 64 bits and the place after it."""
    value = 0
    for place, byte in enumerate(data[at : at + 10]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise ValueError("a number does not end")


def _varints(data: bytes) -> list[int]:
    """Return numbers that are packed into one field."""
    numbers, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        numbers.append(value)
    return numbers
