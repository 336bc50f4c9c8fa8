"""The model store: each wearer's bundles by version, and which of them is in service.

A folder for each wearer holds ``0001.onnx``, ``0002.onnx`` and so on, never changed once they are
there. Which of them has been in service stands in ``service.json`` for models of windows, and in
``service-beat.json``, ``service-rhythm.json`` and ``service-atrial.json`` for the others; all kinds
share the numbers of versions. Every file is written beside its place, forced to disk and then put
there in one step: whatever is cut short, even by a power cut, leaves a store that loads.
"""

import contextlib
import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec

from ecgmon.core.atomic import atomic_write, sync_folder
from ecgmon.core.errors import BundleError, StoreError
from ecgmon.models.bundle import read
from ecgmon.models.card import Input
from ecgmon.models.loading import decode, load_servable
from ecgmon.wire.fields import WEARER

SERVICE: Final[dict[Input, str]] = {
    "window": "service.json",
    "beat": "service-beat.json",
    "rhythm": "service-rhythm.json",
    "atrial": "service-atrial.json",
}
"""The file of the service entry, by what a model judges."""
NAMES: Final[dict[Input, str]] = {
    "window": "windows",
    "beat": "beats",
    "rhythm": "rhythms",
    "atrial": "atrial rhythms",
}
"""What a model judges, in words."""
KEPT: Final = 100
"""Most activations remembered."""
MAX_BYTES: Final = 65_536
"""Largest service entry read."""
SETTLED_NS: Final = 1_000_000_000
"""A folder that has not changed for this long has a time that the next change will not have."""
_NOTHING: Final = (0, 0)
_ID: Final = re.compile(WEARER)
_VERSION: Final = re.compile(r"(\d{4,9})\.onnx")


class Activation(msgspec.Struct, frozen=True):
    """A version that was put into service; ``forced`` if against the enrolment's own judgement."""

    version: Annotated[int, msgspec.Meta(ge=1)]
    at: str
    forced: bool = False


class ServiceEntry(msgspec.Struct, frozen=True):
    """History of the versions in service, oldest first; the last one serves now."""

    activations: Annotated[tuple[Activation, ...], msgspec.Meta(max_length=KEPT)] = ()


class Store:
    """The bundles of all wearers, numbered by version, with the version in service.

    Parameters
    ----------
    folder : Path
        Where they lie; made with the first bundle.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def knows(self, wearer: str) -> bool:
        """Tell whether there is a folder of a wearer's bundles."""
        return bool(_ID.fullmatch(wearer)) and (self.folder / wearer).is_dir()

    def wearers(self) -> list[str]:
        """Return who has bundles here."""
        names = (path.name for path in self.folder.glob("*/"))
        return sorted(name for name in names if self.knows(name) and self.versions(name))

    def versions(self, wearer: str) -> list[int]:
        """Return the versions of a wearer's bundles, oldest first."""
        found = (_VERSION.fullmatch(path.name) for path in self._folder(wearer).glob("*.onnx"))
        return sorted(int(match[1]) for match in found if match)

    def path(self, wearer: str, version: int) -> Path:
        """Return the bundle of a version.

        Raises
        ------
        StoreError
            If there is no such version.
        """
        if version not in (known := self.versions(wearer)):
            have = f"has {', '.join(map(str, known))}" if known else "has none yet"
            raise StoreError(
                f"There is no version {version} of {wearer}'s models: {wearer} {have}."
            )
        return self._folder(wearer) / f"{version:04}.onnx"

    def service(self, wearer: str, kind: Input = "window") -> ServiceEntry:
        """Return what is and has been in service for a wearer, of models of one kind.

        Raises
        ------
        StoreError
            If it cannot be read.
        """
        path = self._folder(wearer) / SERVICE[kind]
        try:
            with path.open("rb") as file:
                return msgspec.json.decode(file.read(MAX_BYTES), type=ServiceEntry)
        except FileNotFoundError:
            return ServiceEntry()
        except (OSError, msgspec.DecodeError, RecursionError) as error:
            raise StoreError(
                f"{path} cannot be read ({error}): remove it and choose a version with "
                f"ecgmon models activate {wearer} VERSION."
            ) from error

    def in_service(self, wearer: str, kind: Input = "window") -> Path | None:
        """Return the bundle of a kind in service for a wearer, if there is one."""
        activations = self.service(wearer, kind).activations
        return self.path(wearer, activations[-1].version) if activations else None

    def stamp(self, wearer: str) -> tuple[int, int] | None:
        """Return what is another one once anything has changed in a wearer's folder.

        None where that cannot be told: the folder has changed just now, and the time of a folder is
        as coarse as some milliseconds; or it cannot be looked at.
        """
        if not _ID.fullmatch(wearer):
            return _NOTHING
        try:
            # No Path is made: this is asked every second for every wearer.
            found = os.stat(f"{self.folder}/{wearer}")  # noqa: PTH116 - as above
        except FileNotFoundError:
            return _NOTHING
        except OSError:
            return None
        is_settled = time.time_ns() - found.st_mtime_ns > SETTLED_NS
        return (found.st_ino, found.st_mtime_ns) if is_settled else None

    def add(self, wearer: str, bundle: Path) -> int:
        """Take a bundle in, without putting it into service.

        Parameters
        ----------
        wearer : str
            Whose model it must be.
        bundle : Path
            A file; it is verified and copied.

        Returns
        -------
        int
            Its version.

        Raises
        ------
        BundleError
            If it is no sound bundle, or another wearer's.
        StoreError
            If it cannot be stored.
        """
        data = read(bundle)
        card = decode(data, bundle).card
        if card.wearer != wearer:
            shared = card.wearer is None and card.input in ("window", "beat")
            hint = ": for everyone, name it in [models] of the configuration" if shared else ""
            raise BundleError(
                f"{bundle} is a model of {card.wearer or 'nobody'}, not of {wearer}{hint}."
            )
        with self._locked(wearer, make=True) as folder:
            version = max(self.versions(wearer), default=0) + 1
            atomic_write(folder / f"{version:04}.onnx", data)
        return version

    def activate(self, wearer: str, version: int, *, forced: bool = False) -> None:
        """Put a version into service for what it judges.

        Raises
        ------
        BundleError or StoreError
            If it cannot be.
        """
        path = self.path(wearer, version)
        with self._locked(wearer):
            kind = load_servable(path).card.input
            now = datetime.now(UTC).isoformat(timespec="seconds")
            before = self.service(wearer, kind).activations
            if not before or before[-1].version != version:
                self._serve(wearer, kind, (*before, Activation(version, now, forced))[-KEPT:])

    def rollback(self, wearer: str, kind: Input = "window") -> int | None:
        """Put back into service what was before, of models of one kind.

        Returns
        -------
        int or None
            Its version; None where no model of this store was in service before.

        Raises
        ------
        BundleError or StoreError
            If nothing is in service, or what was cannot be served any more.
        """
        with self._locked(wearer):
            activations = self.service(wearer, kind).activations
            if not activations:
                what = "model" if kind == "window" else f"model of {NAMES[kind]}"
                raise StoreError(f"No {what} of {wearer}'s own is in service.")
            before = activations[:-1]
            if before:
                load_servable(self.path(wearer, before[-1].version))
            self._serve(wearer, kind, before)
            return before[-1].version if before else None

    def forget(self, wearer: str) -> None:
        """Delete all of a wearer's bundles, first what says which serves; none is no error.

        Raises
        ------
        StoreError
            If they cannot be deleted.
        """
        if not self._folder(wearer).is_dir():
            return
        with self._locked(wearer) as folder:
            for entry in SERVICE.values():
                (folder / entry).unlink(missing_ok=True)
            shutil.rmtree(folder)
            sync_folder(folder.parent)

    def _serve(self, wearer: str, kind: Input, activations: tuple[Activation, ...]) -> None:
        entry = msgspec.json.encode(ServiceEntry(activations)) + b"\n"
        atomic_write(self._folder(wearer) / SERVICE[kind], entry)

    def _folder(self, wearer: str) -> Path:
        if not _ID.fullmatch(wearer):
            raise StoreError(
                f"{wearer!r} cannot be a wearer's id: take up to 64 letters, digits, '.', '_' or "
                "'-', a letter or digit first."
            )
        return self.folder / wearer

    @contextlib.contextmanager
    def _locked(self, wearer: str, *, make: bool = False) -> Iterator[Path]:
        """Hold a wearer's folder for oneself; the system lets go of it whatever happens."""
        folder = self._folder(wearer)
        if not (make or folder.is_dir()):
            raise StoreError(f"There are no models of {wearer} in {self.folder}.")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / ".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield folder
        except OSError as error:
            raise StoreError(f"{folder} cannot be written: {error.strerror or error}.") from error
