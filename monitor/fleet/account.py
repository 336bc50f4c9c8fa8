"""As whom a connection comes to NATS: the file that ``fleet.credentials`` names."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from ecgmon.core.errors import UsageError

MAX_BYTES: Final = 10_000
"""Largest file of credentials that is read."""
_DECORATED: Final = "-----BEGIN NATS USER JWT-----"
_FILE_OF: Final = "give fleet.credentials a file of one line, name:password"


@dataclass(frozen=True, slots=True, repr=False)
class FleetAccount:
    """A user of NATS; the secret is shown nowhere.

    Parameters
    ----------
    user, password : str
        Both empty for nobody, or where a file of NATS's own says it.
    file : str
        That file; it needs the package nkeys.
    """

    user: str = ""
    password: str = ""
    file: str = ""

    def options(self) -> dict[str, Any]:
        """Return what the client is told.

        Answers go to an inbox of the user's own: nobody else may listen there (`setup_users`).
        """
        if not self.user:
            return {"user_credentials": self.file or None}
        inbox = f"_INBOX_{self.user}"
        return {"user": self.user, "password": self.password, "inbox_prefix": inbox}


def read_account(file: str) -> FleetAccount:
    """Read a file of credentials; an empty name is nobody.

    Raises
    ------
    UsageError
        If it cannot be read or is none; what it holds is not quoted.
    """
    if not file:
        return FleetAccount()
    try:
        with Path(file).expanduser().open("rb") as opened:
            text = opened.read(MAX_BYTES + 1).decode().strip()
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"{file} cannot be read ({what}): {_FILE_OF}.") from error
    if text.startswith(_DECORATED):
        if find_spec("nkeys") is None:
            raise UsageError(f"{file} needs another package: pip install nkeys, or {_FILE_OF}.")
        return FleetAccount(file=file)
    user, colon, password = text.partition(":")
    if not (user.isidentifier() and colon and password and password.isprintable()):
        raise UsageError(f"{file} holds no credentials: {_FILE_OF}.")
    return FleetAccount(user, password)
