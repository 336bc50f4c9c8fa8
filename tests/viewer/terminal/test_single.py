"""The view in a real terminal, in a process of its own, fed through real sockets."""

import signal
import subprocess
import termios
import time

import pytest
import zmq

from tests.support import terminals
from tests.support.publisher import Publisher
from tests.support.terminals import ENTER, PATIENCE_S

VIEWER = """
import os, signal, sys, time
import zmq
from ecgmon.wire.viewer_client import ViewerClient, topics
from viewer.terminal import run_view, usable

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
viewer = ViewerClient(context, publish, topics(wearer="203"))


def acknowledge(alarm):
    if mode == "hang":
        report.send_json(["hanging"])
        time.sleep(60)
    if mode == "fail":
        raise RuntimeError("as the test wants")
    report.send_json(["acknowledge", alarm.alarm])


quit = run_view(
    viewer,
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


class Terminal(terminals.Terminal):
    """A terminal with the view in it."""

    def __init__(self, folder, mode, stdin):
        self.publisher = Publisher()
        self.reports = self.publisher.context.socket(zmq.PULL)
        self.reports.linger = 0
        self.reports.rcvtimeo = 1000 * PATIENCE_S
        self.reports.bind("tcp://127.0.0.1:*")
        reports = self.reports.last_endpoint.decode()
        super().__init__(folder, VIEWER, self.publisher.endpoint, reports, mode, stdin=stdin)
        self.publisher.wait_for_topic("trace/203")

    def publish(self, *published):
        self.publisher.publish(*published)

    def close(self):
        super().close()
        self.publisher.close()


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

    terminal.publish(monitor.opened(), *monitor.seconds(0, 5), monitor.alarm(7, at=720))
    for text in (b"a notice", b"model generic", b"a score", b"!!! 00:02 raised", "╵00:04".encode()):
        terminal.wait_for(text)

    terminal.type(b"\x1b[A\x1b[a\x1bOAx")  # keys that only contain the letter, and another
    assert not terminal.reports.poll(300)
    terminal.type(b"a")
    assert terminal.reports.recv_json() == ["acknowledge", 7]
    terminal.publish(monitor.alarm(7, "acknowledged", at=900))
    terminal.wait_for(b"00:02 ack'd")

    terminal.type(b"a")  # there is nothing left to acknowledge
    terminal.resize(120, 40)
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
    terminal.publish(monitor.opened(), monitor.alarm(1))
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
    terminal.publish(monitor.opened(), monitor.alarm(1))
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
