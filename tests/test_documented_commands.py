"""Commands on the pages are such as the command line takes: sub-commands and options exist."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from ecgmon_cli.app import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PREFIX = r"(?:sudo )?(?:[A-Z_]+=\S+ )*"
COMMAND = re.compile(
    rf"^ {{4}}{PREFIX}(?:/opt/ecgmon/bin/|\.venv/bin/)?ecgmon (?!enroll\b.*\|)(.+)$"
)


def commands(page):
    """Yield the words after ``ecgmon`` in indented lines, without comments, pipes, redirections."""
    for line in page.read_text().splitlines():
        if found := COMMAND.match(line):
            words = shlex.split(found[1], comments=True)
            ends = [i for i, word in enumerate(words) if word in {"|", ">", "&&", "&"}]
            yield words[: min(ends, default=None)]


DOCUMENTED = [
    pytest.param(words, id=f"{page.name}: {' '.join(words)}")
    for page in PAGES
    for words in commands(page)
]


COMMANDS = typer.main.get_command(app)


def parse(words):
    """Resolve sub-commands and parse options, without running anything."""
    command = COMMANDS
    context = command.make_context("ecgmon", [], resilient_parsing=True)
    while hasattr(command, "commands"):
        assert words[0] in command.commands, words
        command, words = command.commands[words[0]], words[1:]
        context = type(context)(command, parent=context)
    command.make_parser(context).parse_args(list(words))


@pytest.mark.parametrize("words", DOCUMENTED)
def test_a_documented_command_is_one_that_there_is(words):
    parse(words)


def test_commands_are_found_and_wrong_ones_are_seen():
    assert len(DOCUMENTED) > 60
    with pytest.raises(Exception, match="No such option"):
        parse(["replay", "203", "--sped", "max"])
    with pytest.raises(AssertionError):
        parse(["remember", "ann"])
