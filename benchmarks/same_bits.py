"""Compares this build with another one over the 48 records of mitdb: docs/results/same-bits.md.

    python benchmarks/same_bits.py run [BASE [HERE]]     # 4ca67f9 and HEAD, some 20 minutes
    python benchmarks/same_bits.py page                  # the page of what was run

Both commits are checked out into temporary folders. Each record goes twice through each build:
through the signal chain, which gives the filtered samples and the beats, and by ``replay --speed
max`` through the real monitor with the generic model, whose journal holds the seconds and the
alarms. Differences are stored record by record under ``runs/same-bits``; a run that was stopped
goes on where it was.
"""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import tomllib
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

import numpy as np
from alarms_decided import git
from numpy.typing import NDArray

from trainer.data.splits import RECORDS

ROOT: Final = Path(__file__).resolve().parents[1]
RUNS: Final = ROOT / "runs" / "same-bits"
PROBE: Final = Path(__file__).with_name("same_bits_probe.py")
CODE: Final = ("ecgmon", "monitor", "replay")
"""Folders of this build on which the outcome depends."""
SECOND: Final = 360
OF_WINDOW: Final = ("state", "probability", "abnormal", "heart_rate")
"""Fields of a second's message that both builds have."""
OF_ALARM: Final = ("at", "kind", "priority", "category", "state", "text")

Builds = dict[str, Path]
Found = dict[str, Any]


def start(tree: Path, *command: str) -> "subprocess.Popen[bytes]":
    """Start Python with a build's packages."""
    environment = os.environ | {"PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(  # noqa: S603 - our own programs
        [sys.executable, *command], cwd=tree, env=environment, stdout=subprocess.DEVNULL
    )


def replay(tree: Path, record: str, journal: Path) -> "subprocess.Popen[bytes]":
    """Start a build's ``ecgmon replay``, through its monitor and as fast as it goes."""
    entry = tomllib.loads((tree / "pyproject.toml").read_text())["project"]["scripts"]["ecgmon"]
    module, _, name = entry.partition(":")
    program = f"import {module}; {module}.{name}()"
    options = ("--speed", "max", "--no-view", "--model", "generic", "--journal", str(journal))
    return start(tree, "-c", program, "replay", record, *options)


def wait(processes: "list[subprocess.Popen[bytes]]") -> None:
    """Wait for all to end well."""
    codes = [process.wait() for process in processes]
    if any(codes):
        raise SystemExit(f"a program has failed: {codes}")


def both(record: str, builds: Builds) -> Found:
    """Run a record through both builds, and return what differs."""
    with tempfile.TemporaryDirectory(prefix="ecgmon-same-bits-") as name:
        folder = Path(name)
        chains = {label: folder / f"{label}.npz" for label in builds}
        journals = {label: folder / f"{label}.db" for label in builds}
        wait([start(builds[b], str(PROBE), record, str(chains[b])) for b in builds])
        wait([replay(builds[b], record, journals[b]) for b in builds])
        first, second = (dict(np.load(path)) for path in chains.values())
        outputs = [published(path) for path in journals.values()]
    return {
        **_samples(first["filtered"], second["filtered"]),
        "beats": len(first["beats"]),
        "beats gone": _without(first["beats"], second["beats"]),
        "beats new": _without(second["beats"], first["beats"]),
        **_seconds(outputs[0]["window"], outputs[1]["window"]),
        **_alarms(outputs[0]["alarm"], outputs[1]["alarm"]),
    }


def published(journal: Path) -> dict[str, list[Found]]:
    """Return the messages of a journal by type, in the order in which they were published."""
    messages: dict[str, list[Found]] = {"window": [], "alarm": []}
    with closing(sqlite3.connect(journal)) as db:
        for kind, text in db.execute("SELECT type, message FROM journal ORDER BY id"):
            messages.setdefault(kind, []).append(json.loads(text))
    return messages


def _samples(one: NDArray[np.float32], other: NDArray[np.float32]) -> Found:
    if one.shape != other.shape:
        raise SystemExit(f"{len(one)} samples by one build, {len(other)} by the other")
    differ = np.flatnonzero(one.view(np.uint32) != other.view(np.uint32))
    largest = float(np.abs(one[differ] - other[differ]).max()) if len(differ) else 0.0
    return {
        "samples": len(one),
        "samples differ": len(differ),
        "largest difference in mV": largest,
        "seconds of them": np.unique(differ // SECOND).tolist(),
    }


def _without(beats: NDArray[np.int64], others: NDArray[np.int64]) -> list[int]:
    """Return the sample indices of beats that the others lack, or have of other strength."""
    found: list[int] = (np.setdiff1d(beats, others) // 2).tolist()
    return found


def _seconds(one: list[Found], other: list[Found]) -> Found:
    """Return the seconds of which anything differs, with both builds' results for them."""
    first, second = ({m["first"] // SECOND: m for m in part} for part in (one, other))
    differ = []
    for at in sorted({*first, *second}):
        a, b = first.get(at, {}), second.get(at, {})
        fields = {f: [a.get(f), b.get(f)] for f in OF_WINDOW if a.get(f) != b.get(f)}
        if fields or bool(a) != bool(b):
            differ.append({"second": at, **fields})
    return {
        "seconds": len(first),
        "seconds differ": differ,
        "reasons": {at: m["reason"] for at, m in second.items() if m.get("reason")},
        "spikes": sorted(k for m in second.values() for k in m.get("spikes", ())),
    }


def _alarms(one: list[Found], other: list[Found]) -> Found:
    """Return the alarms that only one build raised; numbers and times are not compared.

    Alarms without a sample, of link and disk, show how busy the machine was and are left out.
    """
    first, second = (
        [tuple(m[f] for f in OF_ALARM) for m in part if m["at"] is not None]
        for part in (one, other)
    )
    gone, new = list(first), list(second)
    for change in first:
        if change in new:
            gone.remove(change)
            new.remove(change)
    return {"alarms": len(first), "alarms gone": gone, "alarms new": new}


def run(base: str, here: str) -> None:
    """Compare all records that were not compared yet."""
    RUNS.mkdir(parents=True, exist_ok=True)
    code = git("rev-parse", base, *(f"{here}:{folder}" for folder in CODE)).split()
    names = {"base": git("rev-parse", "--short", base), "here": git("rev-parse", "--short", here)}
    with ExitStack() as stack:
        builds = {}
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for label, commit in names.items():
            builds[label] = folder / label
            git("worktree", "add", "--detach", str(builds[label]), commit)
            stack.callback(git, "worktree", "remove", "--force", str(builds[label]))
        for record in RECORDS:
            file = RUNS / f"{record}.json"
            if file.is_file() and json.loads(file.read_text())["code"] == code:
                continue
            found = both(f"mitdb/{record}", builds)
            file.write_text(json.dumps({"code": code, "builds": names, **found}) + "\n")
            print(  # noqa: T201 - progress
                record,
                *(found[key] for key in ("samples", "samples differ")),
                *(len(found[key]) for key in ("seconds differ", "alarms gone", "alarms new")),
                flush=True,
            )


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    runner = commands.add_parser("run")
    runner.add_argument("base", nargs="?", default="4ca67f9")
    runner.add_argument("here", nargs="?", default="HEAD")
    commands.add_parser("page")
    given = parser.parse_args()
    if given.command == "run":
        run(given.base, given.here)
    else:
        import same_bits_page

        same_bits_page.write(RUNS)


if __name__ == "__main__":
    main()
