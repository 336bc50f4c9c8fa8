"""Resolution of a model name to the path of a bundle."""

import contextlib
import functools
import hashlib
import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ecgmon.core.errors import BundleError
from ecgmon.core.paths import state_folder

if TYPE_CHECKING:
    from ecgmon.models.card import Input
    from ecgmon.models.store import Store
    from ecgmon.records import Record

GENERIC: Final = "generic"
GENERIC_BEATS: Final = "beats"
GENERIC_RHYTHMS: Final = "rhythms"
GENERIC_ATRIAL: Final = "atrial"
"""Built-in models of windows, beats and rhythms, for wearers who have none of their own."""
FITTED: Final = {"203": "1a3c39bd16d7c8e43ddb457dd3a30c6046737e31696e9d4bca28479c5bdc6857"}
"""SHA-256 of the samples, little-endian, that a built-in model of one wearer was fitted to: a name
does not tell a person, for beds and other databases' records are called so, too."""


@functools.cache  # looked up every second by a monitor
def built_in() -> dict[str, Path]:
    """Return the bundles that come with the program, by name."""
    return {path.stem: path for path in sorted(_folder().glob("*.onnx"))}


def stored() -> "Store":
    """Return the store of the wearers' own models."""
    from ecgmon.models.store import Store

    return Store(state_folder() / "models")


def everyone() -> dict[str, Path]:
    """Return the built-in bundles by name, then the wearers' own, such as ``ann/2``."""
    store = stored()
    return built_in() | {
        f"{wearer}/{version}": store.path(wearer, version)
        for wearer in store.wearers()
        for version in store.versions(wearer)
    }


def resolve(name: str | None, wearer: str | None, kind: "Input" = "window") -> Path:
    """Return the path of a bundle.

    Parameters
    ----------
    name : str or None
        A path, a wearer's id, a wearer's id and version such as ``ann/2``, or a built-in model;
        None for the wearer's own in the store, else the generic one. A built-in model of one wearer
        is taken only where it is named.
    wearer : str or None
        Who will be monitored.
    kind : str
        Which of a wearer's models a wearer's id names.

    Raises
    ------
    BundleError or StoreError
        If there is no such bundle.
    """
    if name is None:
        return (wearer and _own(wearer)) or built_in()[GENERIC]
    if found := _own(name, kind) or built_in().get(name):
        return found
    with contextlib.suppress(OSError):  # as of a name that is too long for a file
        if Path(name).is_file():
            return Path(name)
    store = stored()
    if (match := re.fullmatch(r"(.+)/(\d{1,9})", name)) and store.knows(match[1]):
        return store.path(match[1], int(match[2]))
    if store.knows(name):
        from ecgmon.models.store import NAMES

        raise BundleError(f"No model of {NAMES[kind]} is in service for {name}.")
    known = ", ".join(dict.fromkeys([*built_in(), *store.wearers()]))
    raise BundleError(f"There is no model {name}: give a bundle's path or one of {known}.")


def beats_of(wearer: str) -> Path | None:
    """Return the wearer's own bundle of beats in the store, if one is in service.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    return _own(wearer, "beat")


def shared_beats(name: str) -> Path | None:
    """Return the bundle that judges all beats that no wearer's own model does.

    Parameters
    ----------
    name : str
        As in the configuration: a path or a wearer's id, *generic*, or nothing for none.

    Raises
    ------
    BundleError or StoreError
        If there is no such bundle.
    """
    if not name:
        return None
    return built_in()[GENERIC_BEATS] if name == GENERIC else resolve(name, None, "beat")


def rhythms_of(wearer: str) -> Path:
    """Return the bundle that judges a wearer's rhythms: the own one in the store, else the generic.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    return _own(wearer, "rhythm") or built_in()[GENERIC_RHYTHMS]


def atrial_of(wearer: str) -> Path:
    """Return the bundle that judges a wearer's atrial rhythm, as `rhythms_of`."""
    return _own(wearer, "atrial") or built_in()[GENERIC_ATRIAL]


def stamp(store: "Store", wearer: str, *names: str) -> tuple[tuple[int, int], ...] | None:
    """Return what is another one once the functions above may give other bundles for a wearer.

    Parameters
    ----------
    store : Store
        From `stored`.
    wearer : str
        Who.
    *names : str
        Names that they are given, of models for everyone.

    Returns
    -------
    tuple or None
        None where it cannot be told: look again.
    """
    stamps = tuple(store.stamp(each) for each in (wearer, *names))
    known = tuple(each for each in stamps if each is not None)
    return known if len(known) == len(stamps) else None


def of_record(record: "Record") -> Path | None:
    """Return the built-in model that was fitted to this very record, whatever it is called."""
    from ecgmon.models.bundle import Model

    for name, digest in FITTED.items():
        path = built_in()[name]
        if (span := Model.load(path).card.enrolment) is None:
            continue
        fitted = record.samples[round(span.start * record.rate) : round(span.stop * record.rate)]
        if hashlib.sha256(fitted.astype("<i2").tobytes()).hexdigest() == digest:
            return path
    return None


def of_replay(name: str | None, wearer: str, fitted: Path | None) -> Path:
    """Return the bundle that judges a record in replay; raises what `resolve` raises.

    Parameters
    ----------
    name : str or None
        The one asked for, as for `resolve`.
    wearer : str
        Whose own in the store comes next.
    fitted : Path or None
        What `of_record` says of the record; it comes before the generic one.
    """
    if name is not None:
        return resolve(name, None)
    return _own(wearer) or fitted or built_in()[GENERIC]


def _own(wearer: str, kind: "Input" = "window") -> Path | None:
    """Return the bundle of the store that is in service for a wearer."""
    store = stored()
    known = wearer != GENERIC and store.knows(wearer)  # nobody's own model is everybody's
    return store.in_service(wearer, kind) if known else None


def _folder() -> Path:
    return Path(str(files("ecgmon"))) / "models" / "built_in"
