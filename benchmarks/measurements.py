"""Measurements that are kept: a JSON file for each benchmark of the performance page."""

import json
import os
import statistics
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / "docs" / "results" / "performance"
"""What the page is made of; `make bench` and `make capacity` write here."""


def store(name: str, result: dict[str, Any]) -> None:
    """Write a benchmark's result, with where it was measured."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result | {"measured": circumstances()}, indent=2) + "\n"
    made = FOLDER / f".{name}.json"
    made.write_text(text)
    made.rename(FOLDER / f"{name}.json")


def stored(name: str) -> dict[str, Any]:
    """Return a benchmark's result; empty if there is none."""
    path = FOLDER / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def circumstances() -> dict[str, Any]:
    """Return the commit, the processor and the load of the machine."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "unknown")
    return {
        "commit": commit(),
        "processor": model,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[1], 1),
    }


def commit() -> str:
    """Return which code is measured: the commit, marked where files outside docs/ are changed."""
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs")
    return git("rev-parse", "--short", "HEAD") + "+" * bool(changed)


def git(*command: str) -> str:
    """Return the output of a git command in this checkout."""
    done = subprocess.run(  # noqa: S603 - ours
        ["git", *command],  # noqa: S607 - the one on the path
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def summary(values: Iterable[float]) -> list[float]:
    """Return median, lowest and highest, with four digits."""
    each = sorted(values)
    return [float(f"{value:.4g}") for value in (statistics.median(each), each[0], each[-1])]
