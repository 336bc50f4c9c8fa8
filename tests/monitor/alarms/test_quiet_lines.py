"""The documented table of slow and stopped hearts on quiet lines matches the alarms."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CELLS = [(0, 1, 0), (0, 1, 1), (0, 1, 2), (10, 0.5, 5), (20, 0.2, 50), (30, 0.2, 0), (30, 2, 50)]
CELLS += [(45, 0.5, 10), (60, 1, 0)]
"""1/min, R wave in mV, noise in uV."""


@pytest.fixture(scope="module")
def quiet():
    return runpy.run_path(str(ROOT / "benchmarks" / "quiet_lines.py"))


def cell(page, rate, millivolts, noise, noises):
    part = page.split(f"R wave of {millivolts:g} mV:")[1]
    (row,) = [line for line in part.split("R wave")[0].splitlines() if f"| {rate}/min |" in line]
    return row.split("|")[2 + noises.index(noise)].strip()


def test_cells_of_the_table_are_what_is_raised(quiet):
    page = (ROOT / "docs" / "alarms.md").read_text()
    lines = [quiet["slow"](rate, millivolts, noise) for rate, millivolts, noise in CELLS]
    for at, kinds in zip(CELLS, quiet["raised"](lines), strict=True):
        published = " ".join(quiet["SHORT"][kind] for kind in kinds)
        assert cell(page, *at, quiet["NOISE_UV"]) == published, at
