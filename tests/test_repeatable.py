"""A property test draws the same examples alone as among all others."""

import sys
from pathlib import Path
from types import ModuleType

from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[1]


def drawn():
    examples = []

    @settings(max_examples=200)
    @given(st.integers(), st.text())
    def note(number, text):
        examples.append((number, text))

    note()
    return examples


def test_constants_of_modules_that_are_loaded_do_not_change_what_is_drawn(monkeypatch):
    before = drawn()
    for path in sorted((ROOT / "monitor").glob("*/*.py")):
        module = ModuleType(f"again_{path.stem}")
        module.__file__ = str(path)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    assert drawn() == before
