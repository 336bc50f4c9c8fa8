"""Run every test that holds a fault of docs/results/faults.toml, and write docs/results/faults.md.

    python benchmarks/faults.py          # the tests, the slow ones too, then the page
    python benchmarks/faults.py page     # the page alone, from the run before

A test records its measurement with pytest's ``record_property("figure", ...)``.
"""

import os
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from alarms_decided import git

ROOT: Final = Path(__file__).resolve().parents[1]
FAULTS: Final = ROOT / "docs" / "results" / "faults.toml"
PAGE: Final = FAULTS.with_suffix(".md")
RUN: Final = ROOT / "runs" / "faults.xml"


def run(faults: list[dict[str, Any]]) -> int:
    """Run the tests of all faults in one process; returns pytest's exit code."""
    RUN.parent.mkdir(exist_ok=True)
    tests = sorted({test for fault in faults for test in fault["tests"]})
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-m",
        "slow or not slow",
        "--override-ini=junit_family=xunit1",  # which may hold what a test measured
        f"--junitxml={RUN}",
        *tests,
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603 - ours


def outcomes() -> dict[str, tuple[str, list[str]]]:
    """Return by test (``file::name`` without parameters) what came of it, and its figures."""
    found: dict[str, tuple[str, list[str]]] = {}
    # Written by our own pytest a moment ago.
    for case in ElementTree.parse(RUN).iter("testcase"):  # noqa: S314 - ours
        file = Path(case.attrib["classname"].replace(".", "/"))
        if not (ROOT / file).with_suffix(".py").is_file():
            file = file.parent  # the test is a class in the file, as a state machine is
        name = f"{file}.py::{case.attrib['name'].partition('[')[0]}"
        bad = next(
            (tag for tag in ("failure", "error", "skipped") if case.find(tag) is not None), ""
        )
        result, figures = found.get(name, ("", []))
        figures += [one.attrib["value"] for one in case.iter("property")]
        found[name] = (result or bad, figures)
    return {name: (bad or "passed", figures) for name, (bad, figures) in found.items()}


def page(faults: list[dict[str, Any]]) -> str:
    """Return the page."""
    came = outcomes()
    text = HEAD.format(
        commit=git("rev-parse", "--short", "HEAD"), date=f"{datetime.now(UTC):%Y-%m-%d}"
    )
    rows, details = "", ""
    for fault in faults:
        results = [_of(test, came) for test in fault["tests"]]
        figures = [figure for _, found in results for figure in found]
        states = {state for state, _ in results}
        state = "passed" if states == {"passed"} else ", ".join(sorted(states - {"passed"}))
        after = "; ".join([*figures, *([fault["after"]] if "after" in fault else [])])
        rows += f"| {fault['item']} | {fault['fault']} | {fault['before']} | {after} | {state} |\n"
        tests = ", ".join(f"`{test}`" for test in fault["tests"])
        details += (
            f"\n### {fault['item']} {fault['fault']}\n\n**Kind.** {fault['kind']}\n\n"
            f"**Search.** {fault['looked']}\n\n**Repair.** {fault['cure']}\n\n"
            f"**Tests.** {tests}\n"
        )
        if "left" in fault:
            details += f"\n**Remains.** {fault['left']}\n"
    return text + TABLE + rows + "\n## Kind, search and repair of each fault\n" + details


def _of(test: str, came: dict[str, tuple[str, list[str]]]) -> tuple[str, list[str]]:
    """Return what came of a test, or of all tests of a file."""
    named = [came[name] for name in came if name == test or name.startswith(f"{test}::")]
    if not named:
        return "not run", []
    states = {state for state, _ in named}
    return (
        states.pop() if len(states) == 1 else "failure" if "failure" in states else "passed",
        [figure for _, figures in named for figure in figures],
    )


HEAD: Final = """# Faults found from outside, and the tests that prevent them

Faults that testers found from outside at commit 4ca67f9, what was measured then and now, and the
tests that fail if a fault returns.

    make faults

- *Before*: commit 4ca67f9, tested by clients that were written from the documentation alone, and by
  small records and configurations made for the purpose.
- *Now*: what the tests measured at commit {commit}, {date}. Slow tests are included.
- [alarm-events.md](alarm-events.md) has false and missed alarms before and after.

"""
TABLE: Final = "| item | fault | before | now | tests |\n|---|---|---|---|---|\n"


def main() -> None:
    """Do what the command line asks for."""
    faults = tomllib.loads(FAULTS.read_text())["faults"]
    code = 0 if sys.argv[1:] == ["page"] else run(faults)
    PAGE.write_text(page(faults))
    raise SystemExit(code)


if __name__ == "__main__":
    main()
