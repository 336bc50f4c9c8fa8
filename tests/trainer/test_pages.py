"""Templates: what they escape, what they refuse, and how they lay out tables."""

import re
from pathlib import Path

import pytest
from jinja2 import DictLoader, UndefinedError

import trainer
from trainer import pages
from trainer.enrolment import drawing

TEMPLATES = Path(trainer.__file__).parent / "templates"


@pytest.fixture
def templates(monkeypatch):
    """Templates of the test, beside the package's own."""
    own = {}
    own_loader, packaged = DictLoader(own), pages._TEMPLATES.loader

    class Both(DictLoader):
        def get_source(self, environment, template):
            loader = own_loader if template in own else packaged
            return loader.get_source(environment, template)

    monkeypatch.setattr(pages._TEMPLATES, "loader", Both({}))
    return own


def test_a_name_that_nobody_gives_is_an_error(templates):
    templates["a.md.j2"] = "{{ one }} {{ another }}"
    with pytest.raises(UndefinedError, match="another"):
        pages.page("a.md.j2", one=1)


def test_html_escapes_every_text_and_shows_no_more_than_it_can(templates):
    templates["a.html.j2"] = "{{ text }}"
    assert pages.page("a.html.j2", text="<b>\0\u202e&") == "&lt;b&gt;??&amp;"
    assert len(pages.page("a.html.j2", text="x" * 10_000)) < 500
    templates["b.html.j2"] = "{% macro m(x) %}<i>{{ x }}</i>{% endmacro %}{{ m(text) }}{{ m(2) }}"
    assert pages.page("b.html.j2", text="<") == "<i>&lt;</i><i>2</i>"


def test_markdown_takes_texts_as_they_are(templates):
    templates["a.md.j2"] = "{{ text }}\n"
    assert pages.page("a.md.j2", text="a < b, *so*" * 100) == "a < b, *so*" * 100 + "\n"


def test_a_table_has_its_words_left_and_its_figures_right(templates):
    templates["a.md.j2"] = '{% from "tables.md.j2" import table %}{{ table(head, rows, left=2) }}\n'
    text = pages.page("a.md.j2", head=["", "of", "it"], rows=[["a", "b", 0], ["c", "", "-"]])
    assert text == "| | of | it |\n|---|---|---:|\n| a | b | 0 |\n| c | | - |\n"


def test_every_template_can_be_read():
    found = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.j2"))
    assert len(found) >= 14
    for name in found:
        pages._TEMPLATES.get_template(name)


def test_an_enrolments_page_has_its_colours_in_the_dark_too():
    text = (TEMPLATES / "enrolment.html.j2").read_text()
    dark = text[text.index("prefers-color-scheme: dark") :].partition("}")[0]
    assert set(re.findall(r"--(\w+):", dark)) == {*drawing.COLOURS, "line"}
