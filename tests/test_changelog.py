"""Fragments of the changelog are such as towncrier collects."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_fragment_has_a_known_type_and_a_sentence():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    types = {kind["directory"] for kind in project["tool"]["towncrier"]["type"]}
    for path in (ROOT / "changes").iterdir():
        if path.name != "README.md":
            name = re.fullmatch(r"\+[a-z0-9-]+\.([a-z]+)\.md", path.name)
            assert name is not None, path.name
            assert name[1] in types, path.name
            assert path.read_text().strip().endswith("."), path.name


def test_the_version_is_written_once_for_the_wheel_and_once_for_the_program():
    from ecgmon import __version__

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["version"] == __version__
