"""The result of one check: a level, a text and a remedy."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ecgmon.core.errors import EcgmonError

Verdict = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says of one thing, and unless all is well what to do about it."""

    check: str
    verdict: Verdict
    text: str
    advice: str = ""


def ok(check: str, text: str) -> Finding:
    """Say that all is well."""
    return Finding(check, "ok", text)


def warning(check: str, text: str, advice: str) -> Finding:
    """Say that the monitor does its work, but that something should be done."""
    return Finding(check, "warning", text, advice)


def problem(check: str, text: str, advice: str) -> Finding:
    """Say that the monitor cannot do its work, or not safely."""
    return Finding(check, "problem", text, advice)


def run(checks: Mapping[str, Callable[[], Iterable[Finding]]]) -> Iterator[Finding]:
    """Make the checks; one that cannot be made is a problem, too, and the others go on."""
    for name, check in checks.items():
        try:
            yield from check()
        except (EcgmonError, OSError) as error:
            yield problem(name, str(error), "remove the cause, then run this again")
