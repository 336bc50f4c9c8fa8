"""Write docs/results/coverage.md from what coverage.py measured in a run of the tests.

coverage json -o runs/coverage.json && python benchmarks/coverage_page.py
"""

import json
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from alarms_decided import git

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "results" / "coverage.md"
TARGET: Final = 95.0
"""Wanted of each room, in percent of lines."""
LEAST: Final = 12
"""So many files with the lowest coverage are listed."""
HEAD: Final = """# What the tests run

Lines of each room that the fast and the thorough tests execute, programs that tests start
included. Recomputed by `make coverage` (commit {commit}, {date}). A process that is ended by
SIGKILL reports nothing, and slow tests (`make slow`) are not counted: the figures are lower bounds.

| room | lines | target | measured | |
|---|---|---|---|---|
"""
LOWEST: Final = """
## Files with the lowest coverage

| file | lines | run | not run |
|---|---|---|---|
"""


def main() -> None:
    """Write the page."""
    found = json.loads((ROOT / "runs" / "coverage.json").read_text())["files"]
    # Copies of the program that tests install elsewhere are no files of ours.
    files = {name: one for name, one in found.items() if not Path(name).is_absolute()}
    rooms: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for name, one in files.items():
        room = "/".join(Path(name).parts[:2]) if Path(name).parts[2:] else Path(name).parts[0]
        rooms[room].append(_lines(one))
        rooms["all"].append(_lines(one))
    text = HEAD.format(
        commit=git("rev-parse", "--short", "HEAD"), date=f"{datetime.now(UTC):%Y-%m-%d}"
    )
    for room, lines in sorted(rooms.items()):
        run, of = (sum(column) for column in zip(*lines, strict=True))
        percent = 100 * run / of if of else 100.0
        met = "met" if percent >= TARGET else "missed"
        text += f"| {room} | {of:,} | {TARGET:.0f} % | {percent:.1f} % | {met} |\n"
    text += LOWEST
    lowest = sorted(files, key=lambda name: files[name]["summary"]["percent_covered"])[:LEAST]
    for name in lowest:
        run, of = _lines(files[name])
        text += f"| {name} | {of} | {100 * run / of:.0f} % | {_ranges(files[name])} |\n"
    PAGE.write_text(text)


def _lines(found: dict[str, Any]) -> tuple[int, int]:
    return found["summary"]["covered_lines"], found["summary"]["num_statements"]


def _ranges(found: dict[str, Any]) -> str:
    """Return the lines that no test runs as ranges, the first eight of them."""
    ranges: list[list[int]] = []
    for line in found["missing_lines"]:
        if ranges and line == ranges[-1][1] + 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    texts = [f"{a}-{b}" if a != b else f"{a}" for a, b in ranges]
    return ", ".join(texts[:8]) + (", ..." if texts[8:] else "")


if __name__ == "__main__":
    main()
