"""A portion says whose it is: as bytes and back, and by an id that no other wearer's has."""

import msgspec
import numpy as np
import pytest

from ecgmon.core.errors import ProtocolError
from ecgmon.wire import Frame, messages
from monitor.fleet import names
from monitor.fleet.portions import MAX_BYTES, Portion, decode

HELLO = messages.Hello(wearer="ann.b", stream="0000000000000007", rate=360.0, leads=["II"])


def portion(wearer, first, end=None):
    frame = Frame(7, first, 0, 360_000, 200.0, "II", np.arange(36, dtype=np.int16))
    hello = msgspec.structs.replace(HELLO, wearer=wearer)
    return Portion(hello, [frame.encode()], end, 1e9)


def test_it_comes_back_as_it_was():
    one = portion("ann.b", 360, 396)
    assert decode(one.encode()) == one
    assert one.first == 360


def test_an_id_is_of_one_wearer_and_place_alone():
    ids = {
        portion(wearer, first, end).id
        for wearer in ("ann", "ann-1", "ben")
        for first in (0, 36)
        for end in (None, first + 36)
    }
    assert len(ids) == 12


@pytest.mark.parametrize("data", [b"", b"\x91\xa1x", b"\xff" * 40, b"\x90" * 9])
def test_what_is_none_is_refused(data):
    with pytest.raises(ProtocolError, match="A portion is not valid"):
        decode(data)


def test_one_that_is_too_long_is_not_read():
    with pytest.raises(ProtocolError, match="more than"):
        decode(b"\x00" * (MAX_BYTES + 1))


@pytest.mark.parametrize("wearer", ["ann", "ann.b", "a.b.c-d_e"])
def test_a_wearer_is_one_part_of_a_subject(wearer):
    assert names.place(names.samples(3, wearer)) == (3, wearer)
    assert len(names.incoming(wearer).split(".")) == 3
