"""A round: a real monitor, live wearers, a viewer, metrics that are read; cost and latency."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from load_latency import delays, judged, quantiles
from served import ROOT, RUNS, ServeProcess

BENCHMARKS: Final = Path(__file__).resolve().parent
SCRAPE_S: Final = 5.0
"""How often the metrics are read, in seconds."""
LAST_S: Final = 2.0
"""The viewer listens for so long after the last goodbye, in seconds."""


@dataclass(frozen=True, slots=True)
class LiveRound:
    """What is played in a round.

    Parameters
    ----------
    wearers : int
        How many.
    warm_s, seconds : float
        Seconds that are not measured, and those that are.
    frames : str
        *mixed* or *bursts*, as in `load.FRAMES`.
    tree : Path
        The checkout that serves.
    serve_on, load_on : str
        Cores of the monitor, and of load and viewer; empty for any.
    workers : int
        Processes that share the wearers; 0 for one without any.
    """

    wearers: int
    warm_s: float
    seconds: float
    frames: str = "mixed"
    tree: Path = ROOT
    serve_on: str = ""
    load_on: str = ""
    workers: int = 0


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder on the disk of the checkout, which is removed afterwards."""
    RUNS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="round-", dir=RUNS) as folder:
        yield Path(folder)


def start(script: str, *arguments: str, cores: str = "") -> "subprocess.Popen[str]":
    """Start one of the scripts beside this one, with its output to be read."""
    pinned = ["taskset", "--cpu-list", cores] if cores else []
    return subprocess.Popen(  # noqa: S603 - ours
        [*pinned, sys.executable, str(BENCHMARKS / script), *arguments],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def line(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """Return the next line of JSON that a process prints; raises `SystemExit` if it ends."""
    out: IO[str] | None = process.stdout
    text = out.readline() if out else ""
    if not text:
        raise SystemExit(f"{process.args!r} has ended early.")
    found: dict[str, Any] = json.loads(text)
    return found


def play(what: LiveRound, served: ServeProcess, folder: Path) -> dict[str, Any]:
    """Play a round to a monitor that serves.

    Returns
    -------
    dict
        *judged*: seconds of all wearers that were judged while it was measured. *cpu*:
        microseconds for one of them by thread. *latency*: milliseconds. *missing*:
        verdicts that have not come. *load* and *viewer*: what these two tell of themselves.
        *held*: see `held`.
    """
    sent, seen = folder / "load.npz", folder / "viewer.npz"
    viewer = start(
        "load_viewer.py", "--connect", served.publish, "--times", str(seen), cores=what.load_on
    )
    load = start(
        "load.py",
        f"--connect={served.ingest}",
        f"--wearers={what.wearers}",
        f"--seconds={what.warm_s + what.seconds}",
        f"--frames={what.frames}",
        f"--times={sent}",
        cores=what.load_on,
    )
    try:
        line(load)
        began = time.monotonic()
        _scraping(served, began + what.warm_s, load)
        before = served.used()
        _scraping(served, began + what.warm_s + what.seconds, load)
        after = served.used()
        pss_mb = served.pss_mb()
        loaded = line(load)
        time.sleep(LAST_S)
        viewer.terminate()
        viewed = line(viewer)
        viewer.wait(10)
        load.wait(10)
    finally:
        for process in (viewer, load):
            process.kill()
            process.wait()
    seconds = max(judged(seen, before.at, after.at), 1)
    found, missing = delays(sent, seen, what.warm_s)
    result: dict[str, Any] = {
        "wearers": what.wearers,
        "frames": what.frames,
        "seconds": round(after.at - before.at, 1),
        "judged": seconds,
        "cpu": after.since(before, seconds),
        "pss_mb": round(pss_mb, 1),
        "latency": quantiles(found),
        "missing": missing,
        "load": loaded,
        "viewer": viewed,
        "warnings": served.warnings()[:3],
    }
    return result | {"held": held(result)}


def held(result: dict[str, Any]) -> bool:
    """Tell whether a round was in real time and lost nothing."""
    load, viewer = result["load"], result["viewer"]
    return not (
        load["overrun"]
        or load["unacknowledged"]
        or load["refused"]
        or viewer["lost"]
        or result["missing"]
    )


def measured(what: LiveRound) -> dict[str, Any]:
    """Start a monitor, play a round to it, and stop it; see `play`."""
    with (
        scratch() as folder,
        ServeProcess(
            folder, what.wearers, what.tree, what.serve_on, workers=what.workers
        ) as served,
    ):
        return play(what, served, folder) | {"ready_s": round(served.ready_s, 2)}


def _scraping(served: ServeProcess, until: float, load: "subprocess.Popen[str]") -> None:
    """Read the metrics now and then, until a moment or until the load has ended."""
    while (left := until - time.monotonic()) > 0 and load.poll() is None:
        served.scrape()
        time.sleep(min(SCRAPE_S, max(left, 0)))
