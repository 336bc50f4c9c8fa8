"""Which bundle a model's name means."""

from importlib.resources import files
from pathlib import Path
from typing import Final

from ecgmon.errors import BundleError

GENERIC: Final = "generic"


def built_in() -> dict[str, Path]:
    """Return the bundles that come with the program, by name."""
    return {path.stem: path for path in sorted(_folder().glob("*.onnx"))}


def resolve(name: str | None, wearer: str | None) -> Path:
    """Return the path of a bundle.

    Parameters
    ----------
    name : str or None
        A path, a wearer's id or ``generic``; None for the wearer's own, else the generic one.
    wearer : str or None
        Who will be monitored.

    Raises
    ------
    BundleError
        If there is no such bundle.
    """
    folder = _folder()
    if name is None:
        own = folder / f"{wearer}.onnx"
        return own if wearer and own.is_file() else folder / f"{GENERIC}.onnx"
    built = folder / f"{name}.onnx"
    if "/" not in name and built.is_file():
        return built
    if Path(name).is_file():
        return Path(name)
    known = ", ".join(built_in())
    raise BundleError(f"There is no model {name}: give a bundle's path or one of {known}.")


def _folder() -> Path:
    return Path(str(files("monitor"))) / "models"
