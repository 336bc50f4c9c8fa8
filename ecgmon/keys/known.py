"""The keys that a monitor knows, and what each is for.

A folder holds ``NAME.json`` for each key, ``monitor.key`` (the monitor's own pair) and nothing
else. Files are only ever put in place whole, so that a reader sees an entry as it was or as it is;
nobody but the owner may enter the folder.
"""

import contextlib
import fcntl
import os
import re
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal, NoReturn

import msgspec

from ecgmon.core.atomic import atomic_write, leave_to_owner
from ecgmon.core.errors import AccessError
from ecgmon.keys.private import PrivateKey, PublicKey
from ecgmon.wire.fields import WEARER, Wearer

OWN: Final = "monitor.key"
"""File of the monitor's own pair."""
MAX_BYTES: Final = 65_536
"""Largest entry read."""
MAX_KEYS: Final = 10_000
_NAME: Final = re.compile(WEARER)

Name = Annotated[str, msgspec.Meta(pattern=WEARER)]
Wearers = Annotated[tuple[Wearer, ...], msgspec.Meta(min_length=1, max_length=500)]
When = Annotated[datetime, msgspec.Meta(tz=True)]


class Key(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="role",
    tag=str.lower,
):
    """A public key that a monitor knows.

    Parameters
    ----------
    name : str
        What people call it, unique for ever.
    public : str
        The key in Z85.
    made : datetime
        Since when it is known, UTC.
    revoked : datetime, optional
        From when on it opens nothing any more, UTC.
    """

    name: Name
    public: PublicKey
    made: When
    revoked: When | None = None


class Device(Key, frozen=True):
    """It sends the ECG of one wearer and reads nothing."""

    wearer: Wearer


class Viewer(Key, frozen=True):
    """It reads of some wearers, or of all (``*``), and may act on their alarms or not."""

    wearers: Wearers | Literal["*"]
    acknowledge: bool = False


_DECODER: Final[msgspec.json.Decoder[Device | Viewer]] = msgspec.json.Decoder(Device | Viewer)


class KeyStore:
    """The keys that a monitor knows, and its own.

    Parameters
    ----------
    folder : Path
        Where they lie; made with the first key.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def own(self) -> PrivateKey:
        """Return the monitor's own pair, made now if there is none.

        Raises
        ------
        AccessError
            If it cannot be made or read.
        """
        path = self.folder / OWN
        if not path.exists():
            with self._locked():
                if not path.exists():
                    PrivateKey.generate().create(path)
                    leave_to_owner(path)
        return PrivateKey.read(path)

    def names(self) -> list[str]:
        """Return the names of all keys; raises `AccessError` if the folder cannot be read."""
        try:
            entries = [path.stem for path in self.folder.iterdir() if path.suffix == ".json"]
        except FileNotFoundError:
            return []
        except OSError as error:
            self._unreadable(error)
        return sorted(name for name in entries if _NAME.match(name))

    def get(self, name: str) -> Device | Viewer:
        """Return a key.

        Raises
        ------
        AccessError
            If there is none of this name, or its entry is damaged.
        """
        try:
            return self._read(name)
        except FileNotFoundError:
            raise AccessError(
                f"There is no key {name} in {self.folder}: ecgmon keys list shows them."
            ) from None
        except OSError as error:
            self._unreadable(error)

    def load(self) -> tuple[list[Device | Viewer], list[str]]:
        """Return all keys, and a sentence for each entry that is damaged.

        Raises
        ------
        AccessError
            If the folder or a file cannot be read, or others may write in it.
        """
        keys: list[Device | Viewer] = []
        damaged: list[str] = []
        try:
            if stat.S_IMODE(self.folder.stat().st_mode) & 0o022:
                raise AccessError(
                    f"Others may write in {self.folder}, and so add keys: chmod 700 {self.folder}."
                )
            names = self.names()
            for name in names[:MAX_KEYS]:
                try:
                    keys.append(self._read(name))
                except FileNotFoundError:  # removed meanwhile
                    continue
                except AccessError as error:
                    damaged.append(str(error))
        except FileNotFoundError:
            return [], []
        except OSError as error:
            self._unreadable(error)
        return keys, damaged

    def add(self, key: Device | Viewer) -> None:
        """Take in a key.

        Raises
        ------
        AccessError
            If its name or the key itself has been here before, or it cannot be stored.
        """
        with self._locked():
            keys, _ = self.load()
            if key.name in (names := self.names()):
                raise AccessError(
                    f"There has been a key {key.name} before: take another name, or change what "
                    f"it is for with ecgmon keys bind {key.name}."
                )
            if known := next((other for other in keys if other.public == key.public), None):
                raise AccessError(f"This is the key {known.name}, known already: make another.")
            if len(names) >= MAX_KEYS:
                raise AccessError(
                    f"There are {MAX_KEYS} keys: remove entries of revoked ones from {self.folder}."
                )
            self._place(key)

    def bind(self, key: Device | Viewer) -> None:
        """Change what a key is for; raises `AccessError` if it is not known or revoked."""
        with self._locked():
            if self.get(key.name).revoked is not None:
                raise AccessError(f"The key {key.name} is revoked: make a new one.")
            self._place(key)

    def revoke(self, name: str) -> None:
        """Let a key open nothing any more, for ever; raises `AccessError` if it is not known."""
        with self._locked():
            key = self.get(name)
            if key.revoked is None:
                self._place(msgspec.structs.replace(key, revoked=this_second()))

    def _read(self, name: str) -> Device | Viewer:
        path = self._path(name)
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        try:
            if len(data) > MAX_BYTES:
                raise ValueError("it is too large")
            key = _DECODER.decode(data)
            if key.name != name:
                raise ValueError(f"it is that of {key.name}")
        except (ValueError, RecursionError) as error:  # msgspec's errors are of the former
            raise AccessError(
                f"The entry {path} is damaged ({error}): remove it, and make a new key."
            ) from error
        return key

    def _place(self, key: Device | Viewer) -> None:
        path, data = self._path(key.name), msgspec.json.encode(key)
        try:
            _DECODER.decode(data)  # what could not be read again is not written
        except msgspec.ValidationError as error:
            raise AccessError(f"The key {key.name} cannot be stored: {error}.") from error
        atomic_write(path, data + b"\n")

    def _path(self, name: str) -> Path:
        if not _NAME.match(name):
            raise AccessError(
                f"{name!r} cannot be a key's name: take up to 64 letters, digits, '.', '_' or "
                "'-', a letter or digit first."
            )
        return self.folder / f"{name}.json"

    def _unreadable(self, error: OSError) -> NoReturn:
        raise AccessError(f"{self.folder} cannot be read: {error.strerror}.") from error

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder for oneself; the system lets go of it whatever happens."""
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            leave_to_owner(self.folder)
            folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX)
                yield
            finally:
                os.close(folder)
        except OSError as error:
            raise AccessError(f"{self.folder} cannot be written: {error.strerror}.") from error


def this_second() -> datetime:
    """Return the time to the second, UTC."""
    return datetime.now(UTC).replace(microsecond=0)
