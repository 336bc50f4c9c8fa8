"""Pages from templates: words and layout stand in templates, figures come from code."""

from typing import Final

from jinja2 import (
    Environment,
    PackageLoader,
    StrictUndefined,
    pass_eval_context,
    select_autoescape,
)
from jinja2.nodes import EvalContext

LONGEST: Final = 400
"""Characters of a text that an HTML page shows at most; texts may come from outside."""


@pass_eval_context
def _shown(context: EvalContext, value: object) -> object:
    """Return a value as HTML shows it, without what is not seen; Markdown takes it as it is."""
    if not context.autoescape or hasattr(value, "__html__"):
        return value
    text = str(value)
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
    return "".join(c if c.isprintable() else "?" for c in text)


def templates(package: str) -> Environment:
    """Return the templates in the folder ``templates`` of a package.

    A name that a template uses and nobody gives is an error. In HTML, files that end in
    ``.html.j2``, every text is escaped that is not `markupsafe.Markup`; Markdown is taken as it is.
    """
    found = Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=select_autoescape(("html.j2",), default=False),
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters["form"] = format
    return found
