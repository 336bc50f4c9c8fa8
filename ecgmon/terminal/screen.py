"""The terminal while a program has it; it is given back as it was, whatever ends the program."""

import os
import re
import select
import signal
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import Final, Self

from rich.console import Console, ConsoleDimensions, RenderableType

_CAUGHT: Final = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGTSTP,
)
# Arrow keys and the like: they must not count as the letters in them (arrow up ends in A).
_ESCAPE_SEQUENCE: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|.|$)", re.DOTALL)
_CUT_SEQUENCE: Final = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|O)?\Z")
ESCAPE: Final = "␛"
"""The Escape key, told from the sequences that begin like it."""
_CUT_S: Final = 0.05
_NAMED: Final = {
    "\x1b[A": "↑",
    "\x1b[B": "↓",
    "\x1b[C": "→",
    "\x1b[D": "←",
    "\x1b[5~": "⇞",
    "\x1b[6~": "⇟",
    "\x1b": ESCAPE,
}


def usable() -> bool:
    """Return whether there is a terminal that a full screen can be drawn on."""
    if not sys.stdout.isatty() or os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        return False
    try:
        with _keyboard():
            return True
    except OSError:
        return False


def full_screen(show: Callable[["Screen", "Signals"], None]) -> bool:
    """Give the terminal to a program until it has done with it.

    A signal that would end the program leaves the screen first and then does what it would have
    done without it: Ctrl-C raises `KeyboardInterrupt`. Ctrl-Z stops the program, and ``show`` is
    called again when it is continued.

    Parameters
    ----------
    show : callable
        Draws on the screen until it has done, the terminal is gone or a signal has been caught.

    Returns
    -------
    bool
        Whether ``show`` had done; otherwise the terminal is gone, or the program outlived a signal.
    """
    while True:
        with Signals() as signals, Screen() as screen:
            try:
                show(screen, signals)
            finally:
                signals.leaving = True
        if signals.caught is None:
            return not screen.gone
        signal.raise_signal(signals.caught)
        if signals.caught != signal.SIGTSTP:
            return False


class Signals:
    """Notes the signals that end or stop a program, so that the screen is left before they act.

    Only the main thread can do so; elsewhere this does nothing. Ignored signals stay ignored.

    Attributes
    ----------
    caught : int or None
        The signal to raise again once the screen has been left.
    leaving : bool
        Whether the screen is being left, which nothing may interrupt.
    """

    def __init__(self) -> None:
        self.caught: int | None = None
        self.leaving = False
        self._restore = ExitStack()

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in _CAUGHT:
                before = signal.getsignal(number)
                if before not in (signal.SIG_IGN, None):
                    self._restore.callback(signal.signal, number, before)
                    signal.signal(number, self._catch)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore.close()

    def _catch(self, number: int, _frame: FrameType | None) -> None:
        if self.caught is None:
            self.caught = number
        elif not self.leaving:  # the first one had no effect: interrupt whatever hangs
            self.leaving = True
            raise KeyboardInterrupt


class Screen:
    """The alternate screen without a cursor, and a keyboard that gives each key at once.

    Attributes
    ----------
    console : rich.console.Console
        What to draw with.
    keyboard : int
        File descriptor to wait for keys on.
    gone : bool
        Whether the terminal no longer answers.
    """

    def __init__(self) -> None:
        self.console = Console()
        self.keyboard = -1
        self.gone = False
        self._restore = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            self.keyboard = undo.enter_context(_keyboard())
            undo.enter_context(_cbreak(self.keyboard))
            undo.enter_context(self.console.screen(hide_cursor=True))
            self._restore = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError, termios.error):  # there is nothing to restore on a terminal gone
            self._restore.close()

    def size(self) -> tuple[int, int]:
        """Return the columns and rows that the terminal has now."""
        try:
            columns, rows = os.get_terminal_size(self.console.file.fileno())
        except OSError:
            self.gone = True
            columns = rows = 0
        return columns or 80, rows or 24  # some serial terminals do not say how large they are

    def draw(self, picture: Callable[[int, int], RenderableType]) -> None:
        """Draw a picture, made for the columns and rows that the terminal has now."""
        self.console.size = ConsoleDimensions(*self.size())
        try:
            self.console.update_screen(picture(*self.console.size))
        except OSError:
            self.gone = True

    def keys(self) -> str:
        """Return the characters typed, each key one of them.

        An arrow key is the arrow, page up and down are ``⇞`` and ``⇟``, Escape is `ESCAPE`; other
        such keys are left out.
        """
        try:
            typed = os.read(self.keyboard, 1024)
            # What a slow line cut in two must not count as the letters in its second half.
            while _CUT_SEQUENCE.search(typed) and (more := self._more()):
                typed += more
        except OSError:
            typed = b""
        self.gone = self.gone or not typed
        text = typed.decode("ascii", "ignore")
        return _ESCAPE_SEQUENCE.sub(lambda key: _NAMED.get(key[0].replace("O", "["), ""), text)

    def ring(self) -> None:
        """Ring the terminal's bell."""
        try:
            self.console.file.write("\a")
            self.console.file.flush()
        except OSError:
            self.gone = True

    def _more(self) -> bytes:
        """Return what is typed within the time that a cut sequence takes to arrive."""
        if not select.select([self.keyboard], [], [], _CUT_S)[0]:
            return b""
        return os.read(self.keyboard, 1024)


@contextmanager
def _keyboard() -> Iterator[int]:
    if sys.stdin is not None and sys.stdin.isatty():
        yield sys.stdin.fileno()
        return
    # Standard input is redirected, but the terminal has a keyboard nevertheless.
    terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        yield terminal
    finally:
        os.close(terminal)


@contextmanager
def _cbreak(keyboard: int) -> Iterator[None]:
    before = termios.tcgetattr(keyboard)
    try:
        tty.setcbreak(keyboard)
        yield
    finally:
        # Flush: keys meant for the program must not reach the shell.
        termios.tcsetattr(keyboard, termios.TCSAFLUSH, before)
