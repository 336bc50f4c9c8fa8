"""A copy of the program with all examples of docs/guide/extending.md in it."""

import re
import shutil
from pathlib import Path

import pytest

from tests.support.subprocesses import environment

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/guide/extending.md").read_text()
PACKAGES = ("ecgmon", "ecgmon_cli", "monitor", "replay", "trainer", "viewer")
STEP = re.compile(
    r"^## (?P<what>[^\n]+)\n\nCopy \[`(?P<example>[^`]+)`\]\([^)]+\)\s+to\s+`(?P<target>[^`]+)`\."
    r"(?: In\s+`(?P<registry>[^`]+)`,\s+after\s+`(?P<after>[^`]+)`,\s+add\n\n"
    r"```text\n(?P<line>[^\n]+\n)```)?",
    re.MULTILINE,
)
STEPS = {step["what"]: step.groupdict() for step in STEP.finditer(PAGE)}


def follow(step, program):
    """Apply the instructions of a section of the page to a copy of the program."""
    target = program / step["target"]
    assert not target.exists()
    shutil.copy(ROOT / step["example"], target)
    if step["registry"] is None:
        return
    registry = program / step["registry"]
    before, found, rest = registry.read_text().partition(f"{step['after']}\n")
    assert found, f"{step['registry']} has no line {step['after']}"
    registry.write_text(before + found + step["line"] + rest)


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    """Give the folder of the copy."""
    folder = tmp_path_factory.mktemp("program")
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for step in STEPS.values():
        follow(step, folder)
    return folder


@pytest.fixture
def env(program, tmp_path):
    """Give an environment in which the copy is imported, with an empty home."""
    return environment(tmp_path / "home", PYTHONPATH=program, PYTHONSAFEPATH=1)
