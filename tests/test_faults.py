"""The page of faults names tests that exist."""

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
FAULTS = ROOT / "docs" / "results" / "faults.toml"


def functions(path):
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if hasattr(node, "name")}


def test_every_fault_is_held_by_tests_that_exist():
    faults = tomllib.loads(FAULTS.read_text())["faults"]
    assert {fault["item"] for fault in faults} == {
        *(f"A{i}" for i in range(1, 7)),
        *(f"B{i}" for i in range(7, 14)),
        *(f"C{i}" for i in range(14, 20)),
        *(f"D{i}" for i in range(20, 25)),
    }
    for test in (test for fault in faults for test in fault["tests"]):
        file, _, name = test.partition("::")
        assert (ROOT / file).is_file(), test
        assert not name or name in functions(ROOT / file), test
