"""The view in a real terminal, in a process of its own, fed through real sockets."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
import zmq

from ecgmon.wire import messages
from monitor.view.feed import KINDS

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
HIDE_CURSOR, SHOW_CURSOR = b"\x1b[?25l", b"\x1b[?25h"
PATIENCE_S = 10

VIEWER = """
import os, signal, sys, time
import zmq
from monitor.view import run_view, subscribe, usable

publish, reports, mode = sys.argv[1:]
# The leader of a session gets the first terminal that it opens, and with it the keys' signals.
os.close(os.open(os.ttyname(1), os.O_RDWR))
assert usable()
if mode == "nohup":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
if mode == "outlive":
    signal.signal(signal.SIGTERM, lambda *_: None)
context = zmq.Context()
report = context.socket(zmq.PUSH)
report.connect(reports)
socket = subscribe(context, publish, "203")


def acknowledge(alert):
    if mode == "hang":
        report.send_json(["hanging"])
        time.sleep(60)
    if mode == "fail":
        raise RuntimeError("as the test wants")
    report.send_json(["acknowledge", alert.alert])


quit = run_view(
    socket,
    wearer="203",
    title="mitdb/203",
    notice="a notice",
    score=lambda: "a score",
    acknowledge=acknowledge,
    done=lambda: os.path.exists("done"),
)
report.send_json(["quit", quit])
context.destroy(linger=1000)
"""


class Terminal:
    """A terminal with the view in it."""

    def __init__(self, folder, mode, stdin):
        self.folder = folder
        self.context = zmq.Context()
        self.publisher = self.context.socket(zmq.XPUB)
        self.reports = self.context.socket(zmq.PULL)
        for socket in (self.publisher, self.reports):
            socket.linger = 0
            socket.rcvtimeo = 1000 * PATIENCE_S
            socket.bind("tcp://127.0.0.1:*")
        self.keyboard, self.tty = pty.openpty()
        termios.tcsetwinsize(self.tty, (24, 80))
        self.before = termios.tcgetattr(self.tty)
        endpoints = [s.last_endpoint.decode() for s in (self.publisher, self.reports)]
        self.process = subprocess.Popen(  # noqa: S603 - this interpreter and the program above
            [sys.executable, "-c", VIEWER, *endpoints, mode],
            stdin=stdin or self.tty,
            stdout=self.tty,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(Path.cwd())},
            start_new_session=True,
        )
        self.written = b""
        self.process_ended = threading.Event()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()
        for _ in KINDS:
            self.publisher.recv()

    def publish(self, *published):
        for message in published:
            self.publisher.send_multipart([messages.topic(message), messages.encode(message)])

    def _read(self):
        """Take what the view writes: a terminal that nobody reads would hold the view up."""
        poller = select.poll()
        poller.register(self.keyboard, select.POLLIN)
        while poller.poll(20) or not self.process_ended.is_set():
            if poller.poll(0):
                self.written += os.read(self.keyboard, 65536)

    def wait_for(self, text, count=1):
        """Wait until what the view has written holds the text so many times."""
        until = time.monotonic() + PATIENCE_S
        while self.written.count(text) < count:
            assert time.monotonic() < until, self.written[-3000:]
            time.sleep(0.005)

    def type(self, keys):
        os.write(self.keyboard, keys)

    def wait(self):
        """Return the exit status, once the view has ended and all that it wrote is read."""
        status = self.process.wait(PATIENCE_S)
        self.stop_reading()
        return status

    def stop_reading(self):
        self.process_ended.set()
        self.reader.join()

    def hang_up(self):
        self.stop_reading()
        os.close(self.keyboard)

    def close(self):
        self.process.kill()
        self.wait()
        self.process.stderr.close()
        with suppress(OSError):  # hung up already
            os.close(self.keyboard)
        os.close(self.tty)
        self.context.destroy(0)

    def assert_restored(self):
        assert termios.tcgetattr(self.tty) == self.before
        assert self.written.rindex(LEAVE) > self.written.rindex(ENTER)
        assert self.written.rindex(SHOW_CURSOR) > self.written.rindex(HIDE_CURSOR)
        assert self.written.count(ENTER) == self.written.count(LEAVE)


@pytest.fixture
def start(tmp_path):
    terminals = []

    def start(mode="", stdin=None):
        terminals.append(Terminal(tmp_path, mode, stdin))
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()


def test_a_session(start, monitor):
    terminal = start()
    terminal.wait_for(b"mitdb/203")
    during = termios.tcgetattr(terminal.tty)
    assert not during[3] & (termios.ECHO | termios.ICANON)
    assert during[3] & termios.ISIG

    terminal.publish(monitor.opened(), *monitor.seconds(0, 5), monitor.alert(7, at=720))
    for text in (b"a notice", b"model generic", b"a score", b"!!! 00:02 raised", "╵00:04".encode()):
        terminal.wait_for(text)

    terminal.type(b"\x1b[A\x1b[a\x1bOAx")  # keys that only contain the letter, and another
    assert not terminal.reports.poll(300)
    terminal.type(b"a")
    assert terminal.reports.recv_json() == ["acknowledge", 7]
    terminal.publish(monitor.alert(7, "acknowledged", at=900))
    terminal.wait_for(b"00:02 ack'd")

    terminal.type(b"a")  # there is nothing left to acknowledge
    termios.tcsetwinsize(terminal.tty, (40, 120))
    terminal.wait_for(b"\x1b[40;1H")
    terminal.type(b"q")
    assert terminal.reports.recv_json() == ["quit", True]
    assert terminal.wait() == 0
    terminal.assert_restored()
    assert termios.tcgetattr(terminal.tty) == terminal.before


def test_it_ends_when_the_stream_is_done(start, tmp_path):
    terminal = start()
    terminal.wait_for(b"mitdb/203")
    (tmp_path / "done").touch()
    assert terminal.reports.recv_json() == ["quit", False]
    assert terminal.wait() == 0
    terminal.assert_restored()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_leaves_the_screen_and_then_ends_the_program(start, number):
    terminal = start()
    terminal.wait_for(b"mitdb/203")
    terminal.process.send_signal(number)
    assert terminal.wait() == -number
    terminal.assert_restored()


def test_ctrl_c_leaves_the_screen_and_interrupts(start):
    terminal = start()
    terminal.wait_for(b"mitdb/203")
    terminal.type(b"\x03")
    assert terminal.wait() == -signal.SIGINT
    assert terminal.process.stderr.read().endswith(b"KeyboardInterrupt\n")
    terminal.assert_restored()


def test_a_program_may_outlive_the_signal(start):
    terminal = start("outlive")
    terminal.wait_for(b"mitdb/203")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.reports.recv_json() == ["quit", True]
    assert terminal.wait() == 0
    terminal.assert_restored()


def test_ctrl_z_leaves_the_screen_and_comes_back(start, monitor):
    terminal = start()
    terminal.wait_for(b"mitdb/203")
    terminal.publish(monitor.opened())
    terminal.wait_for(b"model generic")
    terminal.type(b"\x1a")  # no shell watches over this terminal, so the kernel stops nothing
    terminal.wait_for(ENTER, count=2)
    drawn = terminal.written.count(b"model generic")
    terminal.wait_for(b"model generic", drawn + 1)  # what was known before is still known
    terminal.type(b"q")
    assert terminal.wait() == 0
    terminal.assert_restored()


def test_an_error_leaves_the_screen(start, monitor):
    terminal = start("fail")
    terminal.publish(monitor.alert(1))
    terminal.wait_for(b"!!! 00:00 raised")
    terminal.type(b"a")
    assert terminal.wait() == 1
    assert b"as the test wants" in terminal.process.stderr.read()
    terminal.assert_restored()


def test_keys_come_from_the_terminal_when_standard_input_does_not(start):
    terminal = start(stdin=subprocess.DEVNULL)
    terminal.wait_for(b"mitdb/203")
    terminal.type(b"q")
    assert terminal.reports.recv_json() == ["quit", True]
    assert terminal.wait() == 0
    terminal.assert_restored()


def test_a_second_signal_interrupts_whatever_hangs(start, monitor):
    terminal = start("hang")
    terminal.publish(monitor.alert(1))
    terminal.wait_for(b"!!! 00:00 raised")
    terminal.type(b"a")
    assert terminal.reports.recv_json() == ["hanging"]
    while terminal.process.poll() is None:
        terminal.type(b"\x03")
        time.sleep(0.3)  # two signals at once would be one
    assert terminal.wait() == -signal.SIGINT
    terminal.assert_restored()


def test_a_terminal_that_goes_away_ends_the_program(start):
    terminal = start()
    terminal.wait_for(b"mitdb/203")
    terminal.hang_up()
    assert terminal.process.wait(PATIENCE_S) == -signal.SIGHUP
    assert terminal.process.stderr.read() == b""


def test_a_program_may_outlive_its_terminal(start):
    terminal = start("nohup")
    terminal.wait_for(b"mitdb/203")
    terminal.hang_up()
    assert terminal.reports.recv_json() == ["quit", True]
    assert terminal.process.wait(PATIENCE_S) == 0
