"""Reading the configuration: defaults, a file, the environment and options, each over the former.

Every value is checked where it comes from, so that what is refused is refused by file and line.
"""

import contextlib
import difflib
import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import platformdirs

from ecgmon.config.entry import ConfigEntry, Section, entries
from ecgmon.config.schema import ID, SECTIONS, Config, Wearer
from ecgmon.config.values import Endpoints
from ecgmon.core.errors import ConfigError, LimitsError
from ecgmon.core.rate_profiles import PROFILES

MAX_BYTES: Final = 1_000_000
"""Largest file read."""
SYSTEM: Final = Path("/etc/ecgmon/ecgmon.toml")
WEARERS: Final = "wearers"

Key = tuple[str, ...]
"""Section and key, such as ``("alarms", "low_rate")`` or ``("wearers", "ann", "low_rate")``."""


@dataclass(frozen=True, slots=True)
class Given:
    """A value, and where it was given: ``--ingest``, a variable, or a file and line."""

    key: Key
    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration, and where each key came from that is not the default."""

    config: Config
    origins: dict[Key, str]
    file: Path | None


def load(
    file: Path | None = None,
    options: Sequence[Given] = (),
    environ: Mapping[str, str] | None = None,
) -> LoadedConfig:
    """Read the configuration.

    Parameters
    ----------
    file : Path, optional
        A TOML file; otherwise ``$ECGMON_CONFIG``, else the machine's, else the user's own.
    options : sequence of Given
        What counts more than all else.
    environ : mapping, optional
        The environment; by default that of the process.

    Raises
    ------
    ConfigError
        If something cannot be read, is not known or not allowed.
    """
    environ = os.environ if environ is None else environ
    file = file or _find(environ)
    every = [*(_from_file(file) if file else ()), *_from_environment(environ), *options]
    values: dict[Key, Any] = {}
    for given in every:
        values[given.key] = _checked(given)
    origins = {given.key: given.origin for given in every}
    return LoadedConfig(_build(values, origins), origins, file)


def _find(environ: Mapping[str, str]) -> Path | None:
    if named := environ.get("ECGMON_CONFIG"):
        return Path(named)
    if _may_exist(SYSTEM):
        return SYSTEM
    try:
        own = platformdirs.user_config_path("ecgmon", appauthor=False) / "ecgmon.toml"
    except RuntimeError:  # a user without a home, as services have
        return None
    return own if _may_exist(own) else None


def _may_exist(path: Path) -> bool:
    """Tell whether a file is there, or in a folder that this user may not enter.

    A configuration that cannot be read is refused when it is read, not silently passed over.
    """
    try:
        return path.exists()
    except PermissionError:
        return True


def _from_file(path: Path) -> Iterator[Given]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ConfigError(f"{path} is longer than {MAX_BYTES:,} bytes: give a configuration.")
        text = data.decode()
        tables = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"The configuration {path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not TOML: {str(error) or 'too deep'}.") from error
    for section, table in tables.items():
        if section not in (*SECTIONS, WEARERS):
            where = _where(path, text, (section,))
            raise _unknown(where, f"[{section}]", section, [*SECTIONS, WEARERS])
        named = _tables(path, text, section, table)
        for prefix, values in named:
            for name, value in values.items():
                key = (*prefix, name)
                yield Given(key, value, _where(path, text, key))


def _tables(path: Path, text: str, section: str, table: object) -> list[tuple[Key, dict[str, Any]]]:
    """Return the tables of a section: itself, or one for each wearer."""
    if not isinstance(table, dict):
        where = _where(path, text, (section,))
        raise ConfigError(f"{where}: {section} is a section: write [{section}] in its own line.")
    if section != WEARERS:
        return [((section,), table)]
    for wearer, values in table.items():
        where = _where(path, text, (section, wearer))
        if not ID.fullmatch(wearer):
            raise ConfigError(
                f"{where}: {_quoted(wearer)} cannot be a wearer's id: take up to 64 letters, "
                "digits, '.', '_' or '-', a letter or digit first."
            )
        if not isinstance(values, dict):
            raise ConfigError(f"{where}: {wearer} is no table: write [{WEARERS}.{wearer}].")
        for name, value in values.items():
            if isinstance(value, dict):
                quoted_key = f'[{WEARERS}."{wearer}.{_plain(name)}"]'
                raise ConfigError(f"{where}: an id with dots needs quotes: write {quoted_key}.")
    return [((section, wearer), values) for wearer, values in table.items()]


def _from_environment(environ: Mapping[str, str]) -> Iterator[Given]:
    """Read ``ECGMON_<SECTION>_<KEY>``; other variables may be anybody's, but hardly a near miss."""
    known = {
        f"ECGMON_{section}_{name}".upper(): (section, name)
        for section, table in SECTIONS.items()
        for name in entries(table)
    }
    begins = tuple(f"ECGMON_{section}_".upper() for section in SECTIONS)
    for variable, text in environ.items():
        if variable in known:
            key = known[variable]
            yield Given(key, _read(key, text), f"${variable}")
        elif variable.startswith("ECGMON_") and (
            variable.startswith(begins) or difflib.get_close_matches(variable, known, cutoff=0.85)
        ):
            raise _unknown("The environment", variable, variable, known)


def _read(key: Key, text: str) -> object:
    """Return a variable's text as what the key takes; what cannot be one stays text."""
    base = _entries(key)[key[-1]].base
    if base in (bool, int, float):
        with contextlib.suppress(msgspec.ValidationError):
            return msgspec.convert(text, base, strict=False)
    if base == Endpoints:
        return [part.strip() for part in text.split(",")] if text else []
    return text


def _checked(given: Given) -> Any:  # noqa: ANN401 - whatever the key's type is
    """Return a value as its type; raises `ConfigError` if it is none of what is allowed."""
    *table, name = given.key
    known = _entries(given.key)
    if name not in known:
        raise _unknown(given.origin, ".".join(given.key), name, known, ".".join(table))
    entry, value = known[name], given.value
    if entry.base == Endpoints and isinstance(value, str):
        value = [value]
    try:
        return msgspec.convert(value, entry.kind)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"{given.origin}: {'.'.join(given.key)} cannot be {_quoted(given.value)}: "
            f"give {entry.allowed}."
        ) from error


def _entries(key: Key) -> dict[str, ConfigEntry]:
    return entries(Wearer if key[0] == WEARERS else SECTIONS[key[0]])


def _build(values: Mapping[Key, Any], origins: Mapping[Key, str]) -> Config:
    def made(kind: type[Section], *tables: Key) -> Any:  # noqa: ANN401 - kind
        keys = [key for table in tables for key in values if key[:-1] == table]
        settings: dict[str, Any] = {}
        for table in tables:
            own = {key[-1]: values[key] for key in keys if key[:-1] == table}
            # A wearer's profile counts more than the limits of all others.
            settings |= {**PROFILES.get(own.get("profile", ""), {}), **own}
        try:
            return kind(**settings)
        except LimitsError as error:
            # The later table counts; what it does not name is a default or of the table before.
            given = {key[-1]: origins[key] for key in keys if key[-1] in error.fields}
            where = " and ".join(dict.fromkeys(given.values()))
            raise ConfigError(f"{where}: in [{'.'.join(tables[-1])}] {error}") from error
        except ValueError as error:
            where = " and ".join(dict.fromkeys(origins[key] for key in keys))
            raise ConfigError(f"{where}: in [{'.'.join(tables[-1])}] {error}.") from error

    sections = {name: made(kind, (name,)) for name, kind in SECTIONS.items()}
    ids = dict.fromkeys(key[1] for key in values if key[0] == WEARERS)
    wearers = {wearer: made(Wearer, ("alarms",), (WEARERS, wearer)) for wearer in ids}
    return Config(**sections, wearers=wearers)


def _unknown(
    where: str, what: str, name: str, known: Iterable[str], prefix: str = ""
) -> ConfigError:
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    dot = f"{prefix}." if prefix else ""
    advice = f"did you mean {dot}{near[0]}?" if near else f"known are {', '.join(known)}."
    return ConfigError(f"{where}: there is no {_plain(what)}; {advice}")


def _where(path: Path, text: str, key: Key) -> str:
    """Return file and line of a key, as far as a look at the lines can tell."""
    *prefix, name = key
    header = r"\s*\.\s*".join(_any_quotes(part) for part in prefix)
    inside = not prefix
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("["):
            inside = not prefix or bool(re.match(rf"\s*\[\s*{header}\s*\]", line))
            quoted_key = r"\s*\.\s*".join(_any_quotes(part) for part in key)
            if re.match(rf"\s*\[\[?\s*{quoted_key}\s*[\].]", line):
                return f"{path}, line {number}"
        elif inside and re.match(rf"\s*{_any_quotes(name)}\s*[=.]", line):
            return f"{path}, line {number}"
    return str(path)


def _any_quotes(name: str) -> str:
    return rf"[\"']?{re.escape(name)}[\"']?"


def _quoted(value: object) -> str:
    """Return a value as TOML would write it, nearly; short, and harmless on a terminal."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)[:100]
