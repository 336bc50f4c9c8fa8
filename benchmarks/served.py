"""A real ``ecgmon serve`` of any tree, with all that it does by default, and what it uses."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from load import wearer_name
from own_bundles import ward
from soak import free_ports

ROOT: Final = Path(__file__).resolve().parents[1]
RUNS: Final = ROOT / "runs" / "performance"
READY_S: Final = 60.0
STOP_S: Final = 30.0
COMMAND: Final = """\
try:
    from ecgmon_cli import main
except ImportError:  # 0.1.0
    from ecgmon.cli import main
main()
"""


def bundles_of(tree: Path) -> list[Path]:
    """Return the built-in bundles of a tree that stand in for wearers' own: windows, and beats."""
    found = [
        *tree.glob("*/models/built_in/generic.onnx"),
        *tree.glob("*/models/generic.onnx"),
        *tree.glob("*/models/built_in/beats.onnx"),
    ]
    return [path for path in found if ".venv" not in path.parts]


@dataclass(slots=True)
class ThreadTimes:
    """What a process has used so far.

    Parameters
    ----------
    at : float
        Monotonic time, in seconds.
    threads : dict of str to float
        CPU time in seconds: *main*, *ZeroMQ*, *disk* (the busiest of the others) and *others*.
    """

    at: float
    threads: dict[str, float] = field(default_factory=dict)

    def since(self, before: "ThreadTimes", judged: float) -> dict[str, float]:
        """Return microseconds for a second of one wearer: of each thread, and of all.

        Parameters
        ----------
        before : ThreadTimes
            What was used before.
        judged : float
            Seconds of all wearers that were judged meanwhile: not those that went by, for a monitor
            that cannot follow does less.
        """
        per = 1e6 / judged
        costs = {name: per * (self.threads[name] - before.threads[name]) for name in self.threads}
        return {name: round(cost, 1) for name, cost in costs.items()} | {
            "all": round(sum(costs.values()), 1)
        }


class ServeProcess:
    """A monitor in a process of its own: capture, journal and metrics are on.

    Parameters
    ----------
    folder : Path
        For its state and its log.
    wearers : int
        Places; each wearer of the load has models of their own.
    tree : Path, optional
        The checkout that is run.
    cores : str, optional
        The cores that it may use, as ``taskset --cpu-list`` takes them.
    command : sequence of str, optional
        What runs the command line, after the interpreter.
    own_models : bool, optional
        Whether the wearers have models of their own.
    workers : int, optional
        Worker processes that share the wearers; what it uses is what all processes use.

    Attributes
    ----------
    ingest, publish : str
        Endpoints, known once it has started.
    ready_s : float
        Seconds from its start until it was ready.
    """

    def __init__(
        self,
        folder: Path,
        wearers: int,
        tree: Path = ROOT,
        cores: str = "",
        command: Sequence[str] = ("-c", COMMAND),
        *,
        own_models: bool = True,
        workers: int = 0,
    ) -> None:
        self._folder = folder
        self._tree = tree
        self._metrics = f"127.0.0.1:{free_ports(1)[0]}"
        state = folder / "state"
        state.mkdir(parents=True)
        if own_models:
            names = [wearer_name(index) for index in range(wearers)]
            (state / "models").symlink_to(ward(RUNS / "models", names, bundles_of(tree)))
        (folder / "ecgmon.toml").write_text(
            f"[limits]\nwearers = {max(wearers, 1)}\n"
            + (f"workers = {workers}\n" if workers else "")
            + f"[network]\nmetrics = '{self._metrics}'\n"
            "ingest = 'tcp://127.0.0.1:*'\npublish = 'tcp://127.0.0.1:*'\n"
        )
        self._command = [*(["taskset", "--cpu-list", cores] if cores else []), sys.executable]
        self._command += [*command, "serve"]

    def __enter__(self) -> Self:
        environment = os.environ | {
            "ECGMON_STATE": str(self._folder / "state"),
            "ECGMON_CONFIG": str(self._folder / "ecgmon.toml"),
            "PYTHONPATH": str(self._tree),
            "OMP_NUM_THREADS": "1",
        }
        self._log = self._folder / "serve.log"
        began = time.monotonic()
        with self._log.open("w") as log:
            self._process = subprocess.Popen(  # noqa: S603 - ours
                self._command, cwd=self._tree, env=environment, stdout=log, stderr=log
            )
        try:
            self.ingest, self.publish = self._bound(began + READY_S)
        except BaseException:
            self._process.kill()
            raise
        self.ready_s = time.monotonic() - began
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_S)
        finally:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """Id of the process."""
        return self._process.pid

    def scrape(self) -> None:
        """Read the metrics, as Prometheus does; a monitor that is too busy is not waited for."""
        try:
            with urllib.request.urlopen(f"http://{self._metrics}/metrics", timeout=2) as page:
                page.read()
        except (urllib.error.URLError, TimeoutError):
            return

    def used(self) -> ThreadTimes:
        """Return what the threads of its processes have used so far."""
        at = time.monotonic()
        threads = dict.fromkeys(("main", "disk", "ZeroMQ", "others"), 0.0)
        for pid in self._pids():
            for name, spent in _threads(pid).items():
                threads[name] += spent
        return ThreadTimes(at, threads)

    def pss_mb(self) -> float:
        """Return the proportional share of memory of its processes, in 10^6 bytes."""
        return sum(_pss_mb(pid) for pid in self._pids())

    def warnings(self) -> list[str]:
        """Return the lines of its log that are more than information."""
        return [line for line in self._log.read_text().splitlines() if "level=info" not in line]

    def _pids(self) -> list[int]:
        """Return the ids of the process and of its workers."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [self.pid, *map(int, children.split())]

    def _bound(self, deadline: float) -> tuple[str, str]:
        """Wait until it is ready; return the endpoints that it has bound."""
        while time.monotonic() < deadline and self._process.poll() is None:
            text = self._log.read_text()
            if found := re.search(r"ingest=(\S+).*? publish=(\S+)", text):
                return found[1], found[2]
            time.sleep(0.01)
        raise SystemExit(f"The monitor does not start: {self._log.read_text()[-1000:]}")


def _threads(pid: int) -> dict[str, float]:
    """Return CPU seconds of the threads of a process."""
    main, zeromq, others = 0.0, 0.0, []
    for task in Path(f"/proc/{pid}/task").iterdir():
        spent = int((task / "schedstat").read_text().split()[0]) / 1e9
        if int(task.name) == pid:
            main = spent
        elif (task / "comm").read_text().startswith("ZMQbg"):
            zeromq += spent
        else:
            others.append(spent)
    disk = max(others, default=0.0)
    return {"main": main, "disk": disk, "ZeroMQ": zeromq, "others": sum(others) - disk}


def _pss_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss: +(\d+)", text, re.MULTILINE)[1]) * 1024 / 1e6
