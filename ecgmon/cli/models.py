"""Which bundle a model's name means."""

from importlib.resources import files
from pathlib import Path
from typing import Final

from ecgmon.errors import BundleError

GENERIC: Final = "generic"


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
    folder = Path(str(files("monitor"))) / "models"
    if name is None:
        own = folder / f"{wearer}.onnx"
        return own if wearer and own.is_file() else folder / f"{GENERIC}.onnx"
    built_in = folder / f"{name}.onnx"
    if "/" not in name and built_in.is_file():
        return built_in
    if Path(name).is_file():
        return Path(name)
    known = ", ".join(sorted(path.stem for path in folder.glob("*.onnx")))
    raise BundleError(f"There is no model {name}: give a bundle's path or one of {known}.")
