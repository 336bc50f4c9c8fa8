"""docs/libraries.md has every dependency, with the version that is installed."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DEPENDENCIES = {
    "Of the base installation": PROJECT["project"]["dependencies"],
    "Of the train extra": PROJECT["project"]["optional-dependencies"]["train"],
    "Of the fleet extras": [
        *PROJECT["project"]["optional-dependencies"]["fleet"],
        *PROJECT["project"]["optional-dependencies"]["fleet-server"],
    ],
    "Of development": [
        *PROJECT["build-system"]["requires"],
        *PROJECT["project"]["optional-dependencies"]["dev"],
    ],
}
PAGE = (ROOT / "docs" / "libraries.md").read_text()


def name(requirement):
    """A package's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[=<>\[;~! ]", requirement)[0]).lower()


def rows(heading):
    """Name, version in use, last release and licence of each library under a heading."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("| ") and not line.startswith("| library")
    ]
    return {row[0]: row[1:] for row in found}


@pytest.mark.parametrize("heading", DEPENDENCIES)
def test_every_dependency_has_a_row_and_nothing_else_has(heading):
    assert sorted(rows(heading)) == sorted(name(each) for each in DEPENDENCIES[heading])


@pytest.mark.parametrize("heading", DEPENDENCIES)
def test_the_versions_are_those_that_are_installed(heading):
    locked = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines())
    versions = {name(each): version for each, version in locked.items()}
    versions |= {
        name(each): each.partition("==")[2] for each in PROJECT["build-system"]["requires"]
    }
    for library, (what_for, in_use, last, licence) in rows(heading).items():
        assert in_use == versions[library], library
        assert re.fullmatch(r"[\d.]+, 20\d\d-\d\d-\d\d", last), library
        assert what_for, library
        assert licence, library


def test_where_our_own_code_stays_it_is_where_the_page_says():
    own = PAGE.partition("## Where our own code stays")[2]
    places = re.findall(r"^\| [^|]*`([\w/.]+)` \|", own, re.MULTILINE)
    assert len(places) >= 8
    assert all((ROOT / place).exists() for place in places)
