"""The trainer's pages: templates in `trainer/templates`."""

from typing import Final

from ecgmon.pages import templates

_TEMPLATES: Final = templates("trainer")


def page(template: str, **given: object) -> str:
    """Return the page that a template makes of what is given.

    Parameters
    ----------
    template : str
        Path of a file in `trainer/templates`. One that ends in ``.html.j2`` is HTML.
    **given : object
        What the template uses, by name.
    """
    return _TEMPLATES.get_template(template).render(given)
