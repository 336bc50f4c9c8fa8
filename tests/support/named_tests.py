"""Tests that pages name: ``tests/.../test_x.py``, or ``tests/.../test_x.py::test_name``."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


def missing(names):
    """Return those of the named tests that do not exist."""
    return [name for name in names if not _exists(*name.partition("::")[::2])]


def _exists(file, test):
    path = ROOT / file
    return path.is_file() and (not test or test in _defined(path))


@cache
def _defined(path):
    """Names of functions and classes, and of state machines, which are assigned."""
    nodes = [*ast.walk(ast.parse(path.read_text()))]
    assigned = [target for node in nodes if isinstance(node, ast.Assign) for target in node.targets]
    return {node.name for node in nodes if hasattr(node, "name")} | {
        target.id for target in assigned if isinstance(target, ast.Name)
    }
