import os
import threading
import time

import pytest

from ecgmon.terminal import screen as module
from ecgmon.terminal.screen import ESCAPE, Screen


@pytest.fixture
def keyboard():
    """A screen and the other end of its keyboard."""
    read, write = os.pipe()
    screen = Screen()
    screen.keyboard = read
    with os.fdopen(read, "rb"), os.fdopen(write, "wb", buffering=0) as typing:
        yield screen, typing


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        (b"qa", "qa"),
        (b"\x1b[A\x1b[B\x1b[C\x1b[D", "↑↓→←"),
        (b"\x1bOA\x1bOB\x1bOC\x1bOD", "↑↓→←"),  # as some terminals send them
        (b"n\x1b[Ca", "n→a"),
        (b"\x1b[a\x1b[1;5C\x1b[15~\x1bOP\x1bn", ""),
        (b"\x1b[5~\x1b[6~", "⇞⇟"),
        (b"\x1b", ESCAPE),
        (b"a\x1b", f"a{ESCAPE}"),
        ("ñé".encode(), ""),
    ],
)
def test_keys_are_decoded_from_sequences(keyboard, typed, keys):
    screen, typing = keyboard
    typing.write(typed)
    assert screen.keys() == keys
    assert not screen.gone


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5])
def test_a_sequence_cut_in_two_is_no_key(keyboard, monkeypatch, cut):
    monkeypatch.setattr(module, "_CUT_S", 10)
    screen, typing = keyboard
    sequence = b"\x1b[1;5a"
    typing.write(sequence[:cut])

    def rest():
        time.sleep(0.02)
        typing.write(sequence[cut:])

    thread = threading.Thread(target=rest)
    thread.start()
    assert screen.keys() == ""
    thread.join()
    typing.write(b"a")
    assert screen.keys() == "a"


def test_a_keyboard_that_goes_away_within_a_sequence_ends_it(keyboard):
    screen, typing = keyboard
    typing.write(b"\x1b[")
    typing.close()
    assert screen.keys() == ""
    assert screen.keys() == ""
    assert screen.gone
