"""Pages of measurements from the templates in ``benchmarks/templates``."""

from pathlib import Path
from typing import Final

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    Template,
)

FOLDER: Final = Path(__file__).resolve().parent


def template(name: str) -> Template:
    """Return the template of a page; it may use those of the trainer's pages, too."""
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(FOLDER), PackageLoader("trainer", "templates")]),
        autoescape=False,  # noqa: S701 - the page is Markdown
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["form"] = format
    return environment.get_template(f"templates/{name}")
