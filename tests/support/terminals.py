"""A real terminal with a program in it, in a process of its own."""

import os
import pty
import select
import subprocess
import sys
import termios
import threading
import time
from contextlib import suppress
from pathlib import Path

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
HIDE_CURSOR, SHOW_CURSOR = b"\x1b[?25l", b"\x1b[?25h"
HOME = b"\x1b[1;1H"
"""Each picture begins with this."""
PATIENCE_S = 10


class Terminal:
    """A terminal of 80 x 24 with a Python program in it.

    The leader of a session gets the first terminal that it opens, and with it the keys' signals:
    the program must open ``os.ttyname(1)``.
    """

    def __init__(self, folder, code, *arguments, stdin=None):
        self.folder = folder
        self.keyboard, self.tty = pty.openpty()
        self.resize(80, 24)
        self.before = termios.tcgetattr(self.tty)
        self.process = subprocess.Popen(  # noqa: S603 - this interpreter and a test's program
            [sys.executable, "-c", code, *arguments],
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

    def _read(self):
        """Take what the program writes: a terminal that nobody reads would hold it up."""
        poller = select.poll()
        poller.register(self.keyboard, select.POLLIN)
        while poller.poll(20) or not self.process_ended.is_set():
            if poller.poll(0):
                self.written += os.read(self.keyboard, 65536)

    def wait_for(self, text, count=1):
        """Wait until what the program has written holds the text so many times."""
        until = time.monotonic() + PATIENCE_S
        while self.written.count(text) < count:
            assert time.monotonic() < until, self.written[-3000:]
            time.sleep(0.005)

    def frame(self):
        """Return the last picture that was written completely."""
        return self.written.split(HOME)[-2]

    def type(self, keys):
        os.write(self.keyboard, keys)

    def type_until(self, keys, text):
        """Type keys again and again until what the program has written holds the text."""
        until = time.monotonic() + PATIENCE_S
        while text not in self.written:
            assert time.monotonic() < until, self.written[-3000:]
            self.type(keys)
            time.sleep(0.05)

    def resize(self, columns, rows):
        termios.tcsetwinsize(self.tty, (rows, columns))

    def wait(self):
        """Return the exit status, once the program has ended and all that it wrote is read."""
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

    def assert_restored(self):
        assert termios.tcgetattr(self.tty) == self.before
        assert self.written.rindex(LEAVE) > self.written.rindex(ENTER)
        assert self.written.rindex(SHOW_CURSOR) > self.written.rindex(HIDE_CURSOR)
        assert self.written.count(ENTER) == self.written.count(LEAVE)
