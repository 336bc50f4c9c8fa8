"""Telling systemd how the daemon is doing: the sd_notify protocol, a datagram for each message."""

import os
import socket
import time
from collections.abc import Mapping

from ecgmon.core.errors import UsageError
from monitor.ops.logs import logger

_log = logger(__name__)


class SystemdNotifier:
    """What the service manager is told; without one, nothing happens.

    A message takes no lock and never waits, so that signal handlers may send them, too.

    Parameters
    ----------
    environ : mapping, optional
        The environment that systemd set; by default that of the process.

    Raises
    ------
    UsageError
        If it names what can be no socket.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        self._address = environ.get("NOTIFY_SOCKET", "")
        self._socket: socket.socket | None = None
        self._watchdog_s = watchdog_s(environ)
        self._last_alive = -float("inf")
        self._error: OSError | None = None
        self._logged = False
        if not self._address:
            return
        if self._address[0] not in "/@" or len(os.fsencode(self._address)) > 107:
            raise UsageError(
                f"NOTIFY_SOCKET {self._address!r} is no socket: unset it, or leave it to systemd."
            )
        self._socket = socket.socket(
            socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        )

    def ready(self) -> None:
        """Say that start-up, or reading the configuration again, is over."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """Say in one line how it is going, for ``systemctl status``."""
        self._send("STATUS=" + "".join(c if c.isprintable() else "?" for c in text)[:500])

    def reloading(self) -> None:
        """Say that the configuration is being read again; `ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that it is shutting down."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Say that the daemon is not stuck, where systemd waits for it and not more than it needs.

        To be called with each turn of the loop whose hanging is to end the process.
        """
        if self._error is not None and not self._logged:
            self._logged = True
            _log.warning("notify-failed", error=self._error.strerror)
        now = time.monotonic()
        if self._watchdog_s is not None and now - self._last_alive >= self._watchdog_s / 4:
            self._last_alive = now
            self._send("WATCHDOG=1")

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, text: str) -> None:
        if (out := self._socket) is None:
            return
        # A leading @ stands for the zero byte of Linux's abstract names.
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        try:
            out.sendto(text.encode(errors="replace"), address)
        except OSError as error:  # what cannot be told is no reason to stop monitoring
            self._error = error


def watchdog_s(environ: Mapping[str, str]) -> float | None:
    """Return how many seconds systemd waits for `SystemdNotifier.alive`; None if it does not."""
    text, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not text.isdecimal() or int(text) == 0 or pid not in ("", str(os.getpid())):
        return None
    return int(text) / 1e6
