"""The page of faults names tests that exist."""

import tomllib

from tests.support.named_tests import ROOT, missing

FAULTS = ROOT / "docs" / "results" / "faults.toml"


def test_every_fault_is_held_by_tests_that_exist():
    faults = tomllib.loads(FAULTS.read_text())["faults"]
    assert {fault["item"] for fault in faults} == {
        *(f"A{i}" for i in range(1, 7)),
        *(f"B{i}" for i in range(7, 14)),
        *(f"C{i}" for i in range(14, 20)),
        *(f"D{i}" for i in range(20, 25)),
    }
    assert missing([test for fault in faults for test in fault["tests"]]) == []
