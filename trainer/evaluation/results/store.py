"""The store of kept results: a folder with one JSON file for each."""

from pathlib import Path
from typing import Any

import msgspec

from ecgmon.core.atomic import atomic_write


class StoredResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """A result as it is kept.

    Parameters
    ----------
    result : Any
        What JSON can hold.
    digest : str
        Of what decided it (`trainer.evaluation.results.digest`). Empty in files written before
        digests were of data: such a result is not valid, and is shown as one of earlier code.
    seed : int
        Of everything random.
    processor_s : float
        Seconds of one core that it took.
    """

    result: Any
    digest: str = ""
    seed: int = 0
    processor_s: float = 0


class ResultStore:
    """Kept results by name.

    Parameters
    ----------
    folder : Path
        Made when the first result is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str) -> StoredResult | None:
        """Return a result, valid or not; None where there is none that can be read."""
        try:
            return msgspec.json.decode(self._path(name).read_bytes(), type=StoredResult)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def valid(self, name: str, digest: str) -> StoredResult | None:
        """Return a result that is decided by what has this digest, else None."""
        stored = self.get(name)
        return stored if stored is not None and stored.digest == digest else None

    def put(self, name: str, stored: StoredResult) -> None:
        """Keep a result in place of the one before, if any."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, msgspec.json.encode(stored) + b"\n")

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"
