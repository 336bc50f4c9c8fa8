"""The audit of ``ecgmon forget``: which wearer was deleted, when, and at whose command.

``forgotten.jsonl`` lies in the state folder, for the journal's own lines are removed after weeks.
A wearer's id may be a name, so the file does not hold it: each line holds a digest of the id, made
with scrypt and the file's random salt. The question whether a given person was deleted can so be
answered, but the ids cannot be read off; guessing them costs some 50 ms a guess. The file proves
nothing against a person who may write to it.
"""

import hashlib
import os
import pwd
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

from ecgmon.core.atomic import leave_to_owner, sync_folder
from ecgmon.core.errors import UsageError
from monitor.storage.erasure import StoredData

NAME: Final = "forgotten.jsonl"
NOBODY: Final = 2**32 - 1
"""The kernel's login user id of a process that descends from no login."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line: what was to be deleted, before the first step and after the last one.

    Parameters
    ----------
    state : str
        *begun*, or *done*: nothing is left of it.
    at : str
        When, UTC.
    by : str
        The user who logged in, whom ``sudo`` does not change.
    salt, wearer : str
        The file's salt and the digest of the wearer's id, in hexadecimal.
    deleted : Kept
        What there was when this run began.
    """

    state: Literal["begun", "done"]
    at: str
    by: str
    salt: str
    wearer: str
    deleted: StoredData


class ErasureLog:
    """The lines of one wearer, and the place for the next.

    Parameters
    ----------
    folder : Path
        The state folder.
    wearer : str
        Who is to be forgotten.

    Raises
    ------
    UsageError
        If the file cannot be read.
    """

    def __init__(self, folder: Path, wearer: str) -> None:
        self._path = folder / NAME
        entries = self._read()
        self._salt = entries[-1].salt if entries else secrets.token_hex(16)
        self._digest = _digest(wearer, self._salt)
        mine = (entry for entry in reversed(entries) if entry.wearer == self._digest)
        self.latest: Entry | None = next(mine, None)

    @property
    def unfinished(self) -> bool:
        """Whether an earlier run was cut short."""
        return self.latest is not None and self.latest.state == "begun"

    def add(self, state: Literal["begun", "done"], stored: StoredData) -> None:
        """Append a line and force it to disk; raises `UsageError` if that fails."""
        entry = Entry(
            state=state,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            by=_user(),
            salt=self._salt,
            wearer=self._digest,
            deleted=stored,
        )
        line = msgspec.json.encode(entry) + b"\n"
        try:
            self._path.touch(mode=0o600)
            leave_to_owner(self._path)
            with self._path.open("r+b") as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(max(end - 1, 0))
                torn = file.read(1) not in (b"", b"\n")  # a run was killed while it wrote
                file.write(b"\n" * torn + line)
                file.flush()
                os.fsync(file.fileno())
            sync_folder(self._path.parent)
        except OSError as error:
            raise UsageError(
                f"{self._path} cannot be written ({error.strerror}): nobody is forgotten without a "
                "line there."
            ) from error

    def _read(self) -> list[Entry]:
        """Return the lines that are whole."""
        entries = []
        try:
            with self._path.open("rb") as file:
                for line in file:
                    try:
                        entries.append(msgspec.json.decode(line, type=Entry))
                    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                        continue
        except FileNotFoundError:
            return []
        except OSError as error:
            raise UsageError(
                f"{self._path} cannot be read ({error.strerror}): run this as its owner."
            ) from error
        return entries


def _digest(wearer: str, salt: str) -> str:
    return hashlib.scrypt(wearer.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=32).hex()


def _user() -> str:
    """Return who logged in, as the kernel knows it, else whose process this is."""
    try:
        number = int(Path("/proc/self/loginuid").read_text())
    except (OSError, ValueError):
        number = NOBODY
    if number == NOBODY:
        number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
