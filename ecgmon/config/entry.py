"""A documented key of the configuration: its type, bounds, and the text that describes it."""

from dataclasses import dataclass
from typing import Any, get_args

import msgspec


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the configuration."""


def documented(description: str, allowed: str | None = None, **bounds: Any) -> msgspec.Meta:  # noqa: ANN401 - Meta's
    """Return the annotation of a key.

    Parameters
    ----------
    description : str
        One sentence: what the key sets, and its unit.
    allowed : str, optional
        What a value must be, where ``ge`` and ``le`` do not say it.
    **bounds
        What `msgspec.Meta` checks.
    """
    return msgspec.Meta(description=description, extra={"allowed": allowed}, **bounds)


@dataclass(frozen=True, slots=True)
class ConfigEntry:
    """A key: ``kind`` checks its values, ``base`` is its Python type, ``about`` describes it."""

    kind: Any
    base: Any
    about: msgspec.Meta

    @property
    def description(self) -> str:
        """What the key sets, in one line; the bounds of a number are in parentheses."""
        text = f"{self.about.description}"
        return text if self._stated else f"{text.removesuffix('.')} ({self._bounds})."

    @property
    def allowed(self) -> str:
        """What a value must be."""
        what = "a whole number" if self.base is int else "a number"
        return self._stated or f"{what} from {self._bounds}"

    @property
    def _stated(self) -> str | None:
        stated: str | None = (self.about.extra or {})["allowed"]
        return stated

    @property
    def _bounds(self) -> str:
        return f"{self.about.ge:,} to {self.about.le:,}"


def entries(section: type[Section]) -> dict[str, ConfigEntry]:
    """Return the keys of a section."""
    return {
        field.name: ConfigEntry(field.type, *get_args(field.type))
        for field in msgspec.structs.fields(section)
    }
