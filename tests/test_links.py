"""Links between the pages lead somewhere."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "examples/*.md", "findings/*.md", "changes/*.md")
    for page in ROOT.glob(pattern)
)


def anchors(page):
    """The fragments that a page's headings give, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_pages_are_found():
    assert {ROOT / "README.md", ROOT / "docs" / "adr" / "0001-rooms.md"} <= {*PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_names_a_file_and_a_heading_that_are_there(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_decision_is_listed_once_and_in_order():
    listed = re.findall(r"\(adr/(.+?)\)", (ROOT / "docs" / "architecture.md").read_text())
    there = sorted(page.name for page in (ROOT / "docs" / "adr").glob("*.md"))
    assert listed == there
    assert [int(name[:4]) for name in there] == list(range(1, len(there) + 1))


def test_files_that_decisions_and_guides_name_are_there():
    known = {*_tracked()}
    folders = {str(parent) for path in known for parent in Path(path).parents}
    pages = [page for page in PAGES if "results" not in page.parts]
    for page in pages:
        for name in re.findall(r"`((?:[\w.-]+/)+(?:\w+\.py)?)`", page.read_text()):
            first, last = name.split("/")[0], name.split("/")[-1]
            copied = f"examples/extending/{last}" in known or last == "mine.py"  # by readers
            if (ROOT / first).is_dir() and not copied:
                assert name in known or name.rstrip("/") in folders, f"{page.name}: {name}"


def _tracked():
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()
