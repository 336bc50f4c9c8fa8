"""An HTML page that needs nothing beside it: on paper, on a phone, light and dark."""

from collections.abc import Iterable, Sequence
from html import escape
from types import MappingProxyType
from typing import Final

from trainer.enrolment.drawing import COLOURS

LONGEST: Final = 400
"""Characters that are shown of a text from outside."""
_LIGHT: Final = COLOURS | {"line": "#d8dde3"}
_DARK: Final = MappingProxyType(
    {
        "paper": "#12161b",
        "ink": "#e4e9ef",
        "faint": "#9aa3ad",
        "unusable": "#59616b",
        "normal": "#52d68c",
        "abnormal": "#e070d4",
        "line": "#323a43",
    }
)
_RULES: Final = """
body { margin: 0 auto; padding: 1rem; max-width: 60rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.45 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0.5rem 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 0.5rem; border-bottom: 1px solid var(--line); }
p, ul { margin: 0.5rem 0; }
.verdict { border: 2px solid var(--ink); padding: 0.5rem 0.75rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 1rem 0.25rem 0;
  border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
td.figure, th.figure { text-align: right; }
figure { margin: 0.5rem 0; }
figure > div { overflow-x: auto; }
svg { display: block; width: 100%; min-width: 44rem; height: auto; }
figcaption, .note { font-size: 0.9rem; }
.key { display: inline-block; width: 0.8em; height: 0.8em; }
@media print { body { padding: 0; font-size: 10pt; } svg { min-width: 0; }
  figure, table { break-inside: avoid; } h2 { break-after: avoid; } }
"""


def text(said: object) -> str:
    """Return what comes from outside as text of a page, without what is not seen."""
    shown = str(said)
    shown = shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} ..."
    return escape("".join(c if c.isprintable() else "?" for c in shown))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts whose first column names the others, which are figures."""

    def row(cells: Sequence[str], kind: str) -> str:
        name, *figures = (text(cell) for cell in cells)
        aligned = "".join(f'<{kind} class="figure">{cell}</{kind}>' for cell in figures)
        return f"<tr><{kind}>{name}</{kind}>{aligned}</tr>\n"

    body = "".join(row(cells, "td") for cells in rows)
    return f"<table>\n<thead>{row(head, 'th')}</thead>\n<tbody>{body}</tbody>\n</table>\n"


def facts(said: Iterable[tuple[str, str]]) -> str:
    """Return a table of names and texts."""
    rows = (f"<tr><th>{text(name)}</th><td>{text(what)}</td></tr>\n" for name, what in said)
    return f"<table>\n<tbody>{''.join(rows)}</tbody>\n</table>\n"


def points(said: Iterable[str]) -> str:
    """Return a list of texts; nothing where there are none."""
    items = "".join(f"<li>{text(point)}</li>\n" for point in said)
    return f"<ul>\n{items}</ul>\n" if items else ""


def figure(drawn: Iterable[str], caption: str) -> str:
    """Return plots (`trainer.enrolment.drawing`) with their caption, which is HTML."""
    plots = "".join(f"<div>{plot}</div>\n" for plot in drawn)
    return f"<figure>\n{plots}<figcaption>{caption}</figcaption>\n</figure>\n"


def key(colour: str) -> str:
    """Return a patch of a colour, to stand before its meaning."""
    return f'<span class="key" style="background: var(--{colour})"></span>'


def whole(title: str, body: str) -> str:
    """Return the page; ``title`` is text, ``body`` HTML."""
    light, dark = (
        " ".join(f"--{name}: {value};" for name, value in colours.items())
        for colours in (_LIGHT, _DARK)
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{text(title)}</title>
<style>
:root {{ {light} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} color-scheme: dark; }} }}
{_RULES}</style>
</head>
<body>
{body}</body>
</html>
"""
