"""Showing a configuration as the commented TOML that, read again, is the same configuration."""

import json
import re
from collections.abc import Mapping
from typing import Final

from ecgmon.config.entry import ConfigEntry, Section, entries
from ecgmon.config.reading import WEARERS, Key
from ecgmon.config.schema import SECTIONS, Config, Wearer
from ecgmon.core.rate_profiles import PROFILES

_EXAMPLE: Final = """\
# [wearers.ann]
# lead = "II"
# high_rate = 140
"""


def toml(config: Config, origins: Mapping[Key, str] | None = None) -> str:
    """Return a configuration as commented TOML.

    Parameters
    ----------
    config : Config
        What to show.
    origins : mapping, optional
        Where the keys that are not defaults came from; with it, each line says so.
    """
    parts = [
        _heading(kind, name) + _lines((name,), getattr(config, name), entries(kind), origins)
        for name, kind in SECTIONS.items()
    ]
    about = f"# {_doc(Wearer)}\n# lead: {entries(Wearer)['lead'].description}\n"
    parts.append(about + ("" if config.wearers else _EXAMPLE))
    for wearer, own in config.wearers.items():
        table = f"[{WEARERS}.{_bare(wearer)}]\n"
        known = {
            name: entry
            for name, entry in entries(Wearer).items()
            if (WEARERS, wearer, name) in (origins or ())
            or (own.profile != config.alarms.profile and name in PROFILES[own.profile])
            or getattr(own, name) != getattr(config.alarms, name, Wearer().lead)
        } or {"lead": entries(Wearer)["lead"]}
        parts.append(table + _lines((WEARERS, wearer), own, known, origins, documented=False))
    return "\n".join(parts)


def _heading(kind: type[Section], name: str) -> str:
    return f"# {_doc(kind)}\n[{name}]\n"


def _lines(
    prefix: Key,
    section: Section,
    known: Mapping[str, ConfigEntry],
    origins: Mapping[Key, str] | None,
    *,
    documented: bool = True,
) -> str:
    text = ""
    for name, entry in known.items():
        text += f"# {entry.description}\n" if documented else ""
        origin = (origins or {}).get((*prefix, name), "default")
        printable = "".join(c if c.isprintable() else "?" for c in origin)
        comment = f"  # {printable}" if origins is not None else ""
        text += f"{name} = {_value(getattr(section, name))}{comment}\n"
    return text


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return json.dumps(value, ensure_ascii=False)


def _bare(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def _doc(kind: type[Section]) -> str:
    return (kind.__doc__ or "").splitlines()[0]
