"""Every hazard on the page of intended use is held by tests that exist."""

import re

from tests.support.named_tests import ROOT, missing

PAGE = (ROOT / "docs" / "intended-use.md").read_text()
ROWS = re.findall(r"^\| (.+) \|$", PAGE.partition("## Hazards")[2], re.MULTILINE)


def test_each_hazard_names_tests_and_what_remains():
    hazards = [row.split(" | ") for row in ROWS if not row.startswith("hazard | ")]
    assert len(hazards) >= 20
    for row in hazards:
        assert len(row) == 5, row
        assert all(cell.strip() for cell in row), row
        assert re.search(r"`tests/[\w/]+\.py::\w+`", row[3]), row


def test_every_named_test_exists():
    assert missing(re.findall(r"`(tests/[\w/.]+\.py(?:::\w+)?)`", PAGE)) == []


def test_what_does_not_exist_is_seen():
    names = ["tests/test_intended_use.py::test_nothing", "tests/test_nowhere.py"]
    assert missing([*names, "tests/test_intended_use.py"]) == names
