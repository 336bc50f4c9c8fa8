"""Saving the state of streaming objects as bytes, and restoring it in another process.

A class names the attributes that change while it streams, each with its type, in one `Layout`.
What an object was made with is compared and never changed. The bytes are a checksum and MessagePack
with the layout's name and version. Damage is found by the checksum; of bytes made on purpose, types
and lengths are checked, but not whether their numbers make sense: take a state only from a monitor
that is trusted.
"""

import zlib
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from ecgmon.core.errors import StateError

MAX_BYTES: Final = 64 * 2**20
"""Longest state; that of a wearer whose last minutes are still to be processed has about 1 MB."""
MAX_ITEMS: Final = 65_536
"""Most items of a list in a state that has no shorter bound."""
_LITTLE_ENDIAN: Final[dict[str, np.dtype[Any]]] = {
    name: np.dtype(name) for name in ("|b1", "|i1", "<i2", "<i8", "<f4", "<f8")
}
"""The types of sample that a state may hold, by the name that it gives them."""

Index = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A stream index or a count."""
Indices = Annotated[list[Index], msgspec.Meta(max_length=MAX_ITEMS)]
"""Stream indices."""


@dataclass(frozen=True, slots=True)
class Samples:
    """The type of an attribute that is a one-dimensional ndarray of up to ``most`` samples."""

    most: int


@dataclass(frozen=True, slots=True)
class _Kind:
    """The type of an attribute for which msgspec has none."""

    name: str


ARRAY: Final = _Kind("array")
"""The type of an ndarray of fixed shape; that of a stack has its rows on the first axis."""
COLUMNS: Final = _Kind("columns")
"""The type of an ndarray of fixed shape that has the rows of a stack on its last axis."""
NESTED: Final = _Kind("nested")
"""The type of an object that has a state of its own, or of a tuple or dict of such."""


class _Envelope(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(max_length=64)]
    version: int
    given: bytes
    body: bytes


class Layout:
    """The attributes of a class that make up its state.

    Parameters
    ----------
    name : str
        Name of the class in the bytes.
    version : int
        Rises whenever what follows changes its meaning; other versions are refused.
    given : iterable of str
        Attributes that an object was made with; they must be equal where its state is restored.
    **fields : type, Samples, `ARRAY`, `COLUMNS` or `NESTED`
        Type of each attribute that is saved. A deque is given as the list of its items.
    """

    def __init__(
        self,
        name: str,
        version: int,
        given: Iterable[str] = (),
        **fields: Any,  # noqa: ANN401 - types, as msgspec takes them
    ) -> None:
        self.name, self.version, self.given, self.fields = name, version, tuple(given), fields
        wire = [(field, _wire_type(kind)) for field, kind in fields.items()]
        self._body = msgspec.defstruct(name, wire, array_like=True, forbid_unknown_fields=True)

    def save(self, subject: object, row: int | None = None) -> bytes:
        """Return the state of an object, or of one row of a stack."""
        values = [
            _pack(kind, _part(getattr(subject, field), row, kind), row)
            for field, kind in self.fields.items()
        ]
        packed = _Envelope(self.name, self.version, self._given(subject), _encode(values))
        content = _encode(packed)
        return zlib.crc32(content).to_bytes(4, "little") + content

    def load(self, subject: object, data: bytes, row: int | None = None) -> None:
        """Give an object, or one row of a stack, the state in ``data``; see `Stateful.restore`."""
        body = self._read(subject, data)
        for field, kind in self.fields.items():
            here = getattr(subject, field)
            new = _unpack(kind, getattr(body, field), _part(here, row, kind), row, self.name)
            if kind is NESTED or kind in (ARRAY, COLUMNS):
                continue  # restored in place
            if row is None:
                setattr(subject, field, new)
            else:
                here[row] = new

    def _read(self, subject: object, data: bytes) -> Any:  # noqa: ANN401 - a struct made above
        if len(data) > MAX_BYTES:
            raise StateError(f"A state of {len(data)} bytes is longer than {MAX_BYTES}.")
        if len(data) < 4 or zlib.crc32(memoryview(data)[4:]) != int.from_bytes(data[:4], "little"):
            raise StateError(f"The state of {self.name} is damaged or cut off: save it again.")
        found = self._decode(memoryview(data)[4:], _Envelope)
        if found.name != self.name:
            raise StateError(f"This is the state of {found.name!r}, not of {self.name}.")
        if found.version != self.version:
            raise StateError(
                f"The state of {self.name} has version {found.version}, this program reads "
                f"version {self.version}: restore it with the version of ecgmon that saved it."
            )
        if found.given != self._given(subject):
            raise StateError(
                f"The state of {self.name} belongs to one with other {', '.join(self.given)}: "
                "restore it into one that was made the same way."
            )
        return self._decode(found.body, self._body)

    def _decode(self, data: bytes | memoryview, kind: type[Any]) -> Any:  # noqa: ANN401 - as asked
        try:
            return msgspec.msgpack.decode(data, type=kind, dec_hook=_from_wire)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise StateError(f"The state of {self.name} cannot be read: {error}.") from error

    def _given(self, subject: object) -> bytes:
        return _encode([getattr(subject, name) for name in self.given])


class Stateful:
    """Base of a class whose objects can go on elsewhere, with every later output bit-identical."""

    __slots__ = ()
    layout: ClassVar[Layout]

    def state(self) -> bytes:
        """Return all that this object has learnt from what it was given so far."""
        return self.layout.save(self)

    def restore(self, data: bytes) -> None:
        """Go on from a state.

        Raises
        ------
        StateError
            If it is no state of such an object, made the same way; this one is then not to be used.
        """
        self.layout.load(self, data)


class StatefulRows:
    """Base of a stack whose rows can go on in any row of another stack, made the same way."""

    __slots__ = ()
    layout: ClassVar[Layout]

    def state(self, row: int) -> bytes:
        """Return all that a row has learnt from what it was given so far."""
        return self.layout.save(self, row)

    def restore(self, row: int, data: bytes) -> None:
        """Let a row go on from a state, of whatever row.

        Raises
        ------
        StateError
            If it is no state of such a row; this one is then to be reset.
        """
        self.layout.load(self, data, row)


def _wire_type(kind: Any) -> Any:  # noqa: ANN401 - a type, as msgspec takes it
    if kind is NESTED:
        return Annotated[list[bytes], msgspec.Meta(max_length=64)]
    if isinstance(kind, _Kind | Samples):
        return np.ndarray
    return kind


def _part(value: Any, row: int | None, kind: object) -> Any:  # noqa: ANN401 - any attribute
    """Return what of an attribute is a row's; a view of an ndarray."""
    if row is None or (kind is NESTED and not isinstance(value, list)):
        return value
    if isinstance(value, np.ndarray):
        return value[..., row] if kind is COLUMNS else value[row, ...]
    return value[row]


def _each(value: Any) -> list[Any]:  # noqa: ANN401 - one, a tuple or a dict
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, tuple) else [value]


def _pack(kind: object, value: Any, row: int | None) -> Any:  # noqa: ANN401 - any attribute
    if kind is not NESTED:
        return value
    return [
        one.state(row) if row is not None and isinstance(one, StatefulRows) else one.state()
        for one in _each(value)
    ]


def _unpack(kind: object, new: Any, here: Any, row: int | None, name: str) -> Any:  # noqa: ANN401 - as here
    """Return a new value that takes the place of the one here, or put it there."""
    if kind is NESTED:
        parts = _each(here)
        if len(parts) != len(new):
            raise StateError(f"The state of {name} has {len(new)} parts, not {len(parts)}.")
        for part, data in zip(parts, new, strict=True):
            if row is not None and isinstance(part, StatefulRows):
                part.restore(row, data)
            else:
                part.restore(data)
    elif isinstance(kind, Samples):
        if new.dtype != here.dtype or new.ndim != 1 or len(new) > kind.most:
            raise StateError(f"The state of {name} holds {_of(new)}, and too many or others.")
    elif isinstance(kind, _Kind):
        if new.dtype != here.dtype or new.shape != here.shape:
            raise StateError(f"The state of {name} holds {_of(new)}, not {_of(here)}.")
        here[...] = new
    elif isinstance(here, deque):
        if here.maxlen is not None and len(new) > here.maxlen:
            raise StateError(f"The state of {name} holds {len(new)} items, not {here.maxlen}.")
        return deque(new, here.maxlen)
    return new


def _of(array: NDArray[Any]) -> str:
    return f"samples of type {array.dtype} and shape {array.shape}"


def _encode(value: object) -> bytes:
    return msgspec.msgpack.encode(value, enc_hook=_to_wire)


def _to_wire(value: object) -> object:
    if isinstance(value, deque):
        return list(value)
    if isinstance(value, np.ndarray):
        little = value.astype(value.dtype.newbyteorder("<"))
        return little.dtype.str, value.shape, little.tobytes()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not saved")


def _from_wire(kind: Any, found: object) -> NDArray[Any]:  # noqa: ANN401 - a type
    """Return an ndarray, of the sample type that ``kind`` names if it names one."""
    name, shape, data = msgspec.convert(found, tuple[str, tuple[int, ...], bytes], strict=True)
    if name not in _LITTLE_ENDIAN or len(shape) > 4 or any(n < 0 for n in shape):
        raise ValueError("samples of an unknown type or shape")
    flat = np.frombuffer(data, _LITTLE_ENDIAN[name])
    if name == "|b1" and len(data) and np.frombuffer(data, np.uint8).max() > 1:
        raise ValueError("truth values that are neither")
    named = [get_args(one)[0] for one in get_args(kind)[1:]]
    if named and flat.dtype != np.dtype(named[0]):
        raise ValueError(f"samples of type {flat.dtype}, not {np.dtype(named[0])}")
    array: NDArray[Any] = flat.reshape(shape).copy()
    return array
