"""The report of an enrolment for people: one HTML page that needs nothing beside it."""

from html import escape

from trainer.enrolment.enrolled import Enrolled


def page(done: Enrolled) -> str:
    """Return the page."""
    return f"<!doctype html><title>{escape(done.summary())}</title>\n"
