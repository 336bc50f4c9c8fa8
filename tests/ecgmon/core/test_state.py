"""States that do not fit a layout are refused, each with the reason in one sentence."""

import zlib
from collections import deque
from typing import Annotated

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from ecgmon.core.errors import EcgmonError, StateError
from ecgmon.core.state import ARRAY, COLUMNS, MAX_BYTES, NESTED, Layout, Samples, Stateful
from ecgmon.core.state import StatefulRows as Rows


class Part(Stateful):
    layout = Layout("part", 1, n=int)

    def __init__(self, n=0):
        self.n = n


class Thing(Stateful):
    """One attribute of each kind."""

    layout = Layout(
        "thing",
        2,
        ("rate",),
        array=ARRAY,
        samples=Samples(4),
        part=NESTED,
        parts=NESTED,
        last=list[int],
        pieces=Annotated[list[NDArray[np.float64]], msgspec.Meta(max_length=2)],
        maybe=float | None,
    )

    def __init__(self, rate=360, parts=2):
        self.rate = rate
        self.array = np.zeros((2, 3), dtype=np.float32)
        self.samples = np.zeros(0)
        self.part = Part()
        self.parts = {str(i): Part() for i in range(parts)}
        self.last = deque([1], maxlen=3)
        self.pieces = []
        self.maybe = None


class Stack(Rows):
    layout = Layout("stack", 1, array=ARRAY, columns=COLUMNS, last=list[int], parts=NESTED)

    def __init__(self, rows):
        self.array = np.zeros(rows, dtype=bool)
        self.columns = np.zeros((2, rows), dtype=np.int64)
        self.last = [deque(maxlen=2) for _ in range(rows)]
        self.parts = [Part() for _ in range(rows)]


def forged(layout, body, *, name=None, version=None, given=None):
    """Return bytes with a right checksum around anything."""
    encode = msgspec.msgpack.encode
    given = encode([360]) if given is None else given
    content = encode([name or layout.name, version or layout.version, given, encode(body)])
    return zlib.crc32(content).to_bytes(4, "little") + content


def array(dtype, shape, data):
    return [dtype, shape, data]


GOOD = [
    array("<f4", [2, 3], b"\0" * 24),
    array("<f8", [2], b"\0" * 16),
    [Part(1).state()],
    [Part(2).state(), Part(3).state()],
    [1, 2, 3],
    [array("<f8", [1], b"\0" * 8)],
    None,
]


def test_all_kinds_of_attribute_come_back():
    thing = Thing()
    thing.array[1, 2] = np.nan
    thing.samples = np.array([1.5, -0.0])
    thing.part.n, thing.parts["1"].n = 7, 8
    thing.last.extend([2, 3, 4])
    thing.pieces, thing.maybe = [np.arange(3.0)], float("-inf")
    other = Thing()
    array_before = other.array
    other.restore(thing.state())
    assert other.array is array_before
    assert other.array.tobytes() == thing.array.tobytes()
    assert other.samples.tobytes() == thing.samples.tobytes()
    assert (other.part.n, other.parts["0"].n, other.parts["1"].n) == (7, 0, 8)
    assert other.last == deque([2, 3, 4], maxlen=3)
    assert other.last.maxlen == 3
    assert other.pieces[0].tolist() == [0, 1, 2]
    other.pieces[0][0] = 5  # it is their own memory
    assert other.maybe == float("-inf")
    assert other.state() != thing.state()


def test_rows_go_into_any_row_and_touch_no_other():
    here, there = Stack(2), Stack(4)
    here.array[1], here.columns[:, 1] = True, (5, 6)
    here.last[1].append(9)
    here.parts[1].n = 4
    there.restore(3, here.state(1))
    assert there.array.tolist() == [False, False, False, True]
    assert there.columns.tolist() == [[0, 0, 0, 5], [0, 0, 0, 6]]
    assert [list(last) for last in there.last] == [[], [], [], [9]]
    assert [part.n for part in there.parts] == [0, 0, 0, 4]


def test_a_state_that_fits_its_layout_is_accepted():
    thing = Thing()
    thing.restore(forged(Thing.layout, GOOD))
    assert thing.parts["1"].n == 3


@pytest.mark.parametrize(
    ("place", "wrong", "why"),
    [
        (0, array("<f4", [3, 2], b"\0" * 24), r"shape \(3, 2\), not .* shape \(2, 3\)"),
        (0, array("<f8", [2, 3], b"\0" * 48), "type float64"),
        (0, array("<f4", [2, 3], b"\0" * 23), "cannot be read"),
        (0, array("<f4", [2**40, 2**40], b""), "cannot be read"),
        (0, array("<f4", [-1, 3], b"\0" * 24), "unknown type or shape"),
        (0, array("|O8", [1], b"\0" * 8), "unknown type or shape"),
        (0, array("|b1", [1], b"\2"), "truth values"),
        (0, 3, "cannot be read"),
        (1, array("<f8", [5], b"\0" * 40), r"shape \(5,\)"),
        (1, array("<f8", [1, 1], b"\0" * 8), r"shape \(1, 1\)"),
        (2, [], "has 0 parts, not 1"),
        (2, [b"xyz"], "state of part is damaged"),
        (3, [Part().state()] * 3, "has 3 parts, not 2"),
        (4, [1, 2, 3, 4], "4 items, not 3"),
        (4, ["1"], "Expected `int`"),
        (5, [array("<f8", [1], b"\0" * 8)] * 3, "length <= 2"),
        (5, [array("<f4", [1], b"\0" * 4)], "type float32, not float64"),
        (6, "no", "Expected `float | null`"),
    ],
)
def test_what_does_not_fit_is_refused(place, wrong, why):
    body = [*GOOD[:place], wrong, *GOOD[place + 1 :]]
    with pytest.raises(StateError, match=why):
        Thing().restore(forged(Thing.layout, body))


def test_too_few_and_too_many_attributes_are_refused():
    for body in (GOOD[:-1], [*GOOD, 1]):
        with pytest.raises(StateError, match="cannot be read"):
            Thing().restore(forged(Thing.layout, body))


def test_a_state_of_something_else_is_refused():
    with pytest.raises(StateError, match="state of 'part', not of thing"):
        Thing().restore(Part().state())
    with pytest.raises(StateError, match="has version 1, this program reads version 2"):
        Thing().restore(forged(Thing.layout, GOOD, version=1))
    with pytest.raises(StateError, match="one with other rate: restore it into one"):
        Thing(rate=250).restore(Thing(rate=360).state())
    with pytest.raises(StateError, match="longer than"):
        Thing().restore(b"\0" * (MAX_BYTES + 1))
    assert issubclass(StateError, EcgmonError)


def test_deep_nesting_and_bad_text_are_refused():
    for body in (b"\x91" * 100_000, b"\x97\xa1\xff"):
        content = msgspec.msgpack.encode(["thing", 2, msgspec.msgpack.encode([360]), body])
        with pytest.raises(StateError, match="cannot be read"):
            Thing().restore(zlib.crc32(content).to_bytes(4, "little") + content)


def test_what_has_no_form_in_bytes_is_a_mistake_of_ours():
    thing = Thing()
    thing.maybe = object()
    with pytest.raises(TypeError, match="object is not saved"):
        thing.state()
