"""Which bundle a model's name means."""

import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ecgmon.cli.options import state_folder
from ecgmon.errors import BundleError

if TYPE_CHECKING:
    from ecgmon.store import Store

GENERIC: Final = "generic"


def built_in() -> dict[str, Path]:
    """Return the bundles that come with the program, by name."""
    return {path.stem: path for path in sorted(_folder().glob("*.onnx"))}


def stored() -> "Store":
    """Return the store of the wearers' own models."""
    from ecgmon.store import Store

    return Store(state_folder() / "models")


def everyone() -> dict[str, Path]:
    """Return the built-in bundles by name, then the wearers' own, such as ``ann/2``."""
    store = stored()
    return built_in() | {
        f"{wearer}/{version}": store.path(wearer, version)
        for wearer in store.wearers()
        for version in store.versions(wearer)
    }


def resolve(name: str | None, wearer: str | None) -> Path:
    """Return the path of a bundle.

    Parameters
    ----------
    name : str or None
        A path, a wearer's id, a wearer's id and version such as ``ann/2``, or ``generic``; None for
        the wearer's own, else the generic one.
    wearer : str or None
        Who will be monitored.

    Raises
    ------
    BundleError or StoreError
        If there is no such bundle.
    """
    if name is None:
        own = wearer and _own(wearer)
        return own or built_in()[GENERIC]
    if found := _own(name):
        return found
    if Path(name).is_file():
        return Path(name)
    store = stored()
    if (match := re.fullmatch(r"(.+)/(\d{1,9})", name)) and store.knows(match[1]):
        return store.path(match[1], int(match[2]))
    known = ", ".join(dict.fromkeys([*built_in(), *store.wearers()]))
    raise BundleError(f"There is no model {name}: give a bundle's path or one of {known}.")


def _own(wearer: str) -> Path | None:
    """Return the bundle in service for a wearer, else the one that comes with the program."""
    store = stored()
    known = wearer != GENERIC and store.knows(wearer)  # nobody's own model is everybody's
    in_service = store.in_service(wearer) if known else None
    return in_service or built_in().get(wearer)


def _folder() -> Path:
    return Path(str(files("monitor"))) / "models"
