"""A review in a real terminal, in a process of its own."""

import os
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.support.reviewed_wearer import BEATS
from tests.support.terminals import ENTER, PATIENCE_S, Terminal
from trainer.enrolment.review.judgements import Judgements
from trainer.enrolment.review.vocabulary import VOCABULARIES

REVIEW = """
import os, sys
from pathlib import Path
from ecgmon.core.errors import UsageError
from trainer.enrolment.review import terminal_review
from trainer.enrolment.review.judgements import Judgements
from trainer.enrolment.review.vocabulary import VOCABULARIES
from tests.support.reviewed_wearer import BEATS, Every, signal

if os.isatty(1):
    # The leader of a session gets the first terminal that it opens, and with it the keys' signals.
    os.close(os.open(os.ttyname(1), os.O_RDWR))
terminal_review.SETTLE_S = float(sys.argv[1])
try:
    answers = Judgements(Path("203"), BEATS, VOCABULARIES["window"])
    accepted = terminal_review.run(signal(), Every(), answers, "wearer 203", most=3)
except UsageError as error:
    sys.exit(f"refused: {error}")
sys.exit(10 + accepted)
"""


@pytest.fixture
def start(tmp_path):
    terminals = []

    def start(settle_s=0):
        terminals.append(Terminal(tmp_path, REVIEW, f"{settle_s}"))
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()


def answers(folder):
    return list(Judgements(folder / "203", BEATS, VOCABULARIES["window"]).answers.items())


def type_key(terminal, key, then):
    """Type a key, and wait for what it leads to as a person would."""
    terminal.type(key)
    terminal.wait_for(then)


def test_a_review_to_its_end(start, tmp_path):
    terminal = start()
    terminal.wait_for(b"question 1 of at most 3")
    during = termios.tcgetattr(terminal.tty)
    assert not during[3] & (termios.ECHO | termios.ICANON)

    for key in (b"\x1b[A", b"\x1b[a", b"\x1bOA", b"\x1bn", b"A", b"z", b"\r", "ñ".encode()):
        terminal.type(key)
        time.sleep(0.02)
    time.sleep(0.1)
    assert answers(tmp_path) == []

    type_key(terminal, b"a", b"question 2 of at most 3")
    assert answers(tmp_path) == [(4, "abnormal")]
    type_key(terminal, b"n", b"question 3 of at most 3")
    type_key(terminal, b"b", b"answer 2 of 2")
    terminal.resize(60, 20)
    terminal.wait_for(b"Enlarge it to 80 x 24")
    terminal.type(b"u")  # nothing is judged that cannot be seen
    time.sleep(0.1)
    terminal.resize(100, 40)
    terminal.wait_for(b"s around it")
    terminal.type(b"s")
    terminal.wait_for(b"question 3 of at most 3", count=2)
    assert answers(tmp_path) == [(4, "abnormal"), (9, "unsure")]

    type_key(terminal, b"n", b"summary")
    type_key(terminal, b"\x1b[C", b"beat 1 of 72")
    terminal.type(b"b")
    terminal.wait_for(b"All questions are answered", count=2)
    terminal.type(b"\r")
    assert terminal.wait() == 11
    terminal.assert_restored()
    judgements = Judgements(tmp_path / "203", BEATS, VOCABULARIES["window"])
    assert list(judgements.answers.values()) == ["abnormal", "unsure", "normal"]
    assert judgements.spread[[0, 5, 13]].tolist() == [1, -1, 0]


def test_a_key_held_down_judges_one_beat(start, tmp_path):
    terminal = start(settle_s=60)
    terminal.wait_for(b"question 1 of at most 3")
    terminal.type(b"nnn")
    terminal.wait_for(b"question 2 of at most 3")
    for _ in range(5):
        terminal.type(b"n")
        time.sleep(0.02)
    terminal.type(b"\x03")
    assert terminal.wait() == -signal.SIGINT
    assert answers(tmp_path) == [(4, "normal")]


def test_a_killed_review_goes_on_where_it_stopped(start, tmp_path):
    terminal = start()
    terminal.wait_for(b"question 1 of at most 3")
    terminal.type(b"u")
    terminal.wait_for(b"question 2 of at most 3")
    terminal.process.kill()
    terminal.wait()
    assert answers(tmp_path) == [(4, "unusable")]

    again = start()
    again.wait_for(b"question 2 of at most 3")
    again.type(b"\x1a")  # Ctrl-Z
    again.wait_for(ENTER, count=2)
    again.wait_for(b"question 2 of at most 3", count=2)
    again.type(b"q")
    assert again.wait() == 10
    again.assert_restored()
    assert answers(tmp_path) == [(4, "unusable")]


def test_ctrl_c_gives_the_terminal_back_and_keeps_the_answers(start, tmp_path):
    terminal = start()
    terminal.wait_for(b"question 1 of at most 3")
    terminal.type(b"s")
    terminal.wait_for(b"question 2 of at most 3")
    terminal.type(b"\x03")
    assert terminal.wait() == -signal.SIGINT
    assert terminal.process.stderr.read().endswith(b"KeyboardInterrupt\n")
    terminal.assert_restored()
    assert answers(tmp_path) == [(4, "unsure")]


def test_without_a_terminal_it_says_what_to_do(tmp_path):
    done = subprocess.run(  # noqa: S603 - this interpreter and the program above
        [sys.executable, "-c", REVIEW, "0"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        timeout=PATIENCE_S,
        check=False,
        start_new_session=True,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("refused: A review needs a terminal")
    assert "\n" not in done.stderr.strip()
    assert not list(tmp_path.iterdir())
