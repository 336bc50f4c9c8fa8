"""Private keys: one small TOML file each, which nobody but its owner can ever read.

A device's or viewer's file holds all that it takes to connect::

    public = "..."     # 40 characters of Z85 each, as everywhere in ZeroMQ
    secret = "..."
    server = "..."     # the monitor's public key; the monitor's own file has none

The certificates of ``zmq.auth`` are not used: they are written with the permissions that the umask
leaves, in place, and hold no server's key.
"""

import os
import shlex
import stat
import tempfile
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import zmq

from ecgmon.core.errors import AccessError

MAX_BYTES: Final = 4096
"""Largest key file read."""
Z85: Final = r"^[0-9A-Za-z.:+=^!/*?&<>()\[\]{}@%$#-]{40}\Z"
PublicKey = Annotated[str, msgspec.Meta(pattern=Z85)]


class PrivateKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pair of keys; the secret one never appears in its ``repr``.

    Parameters
    ----------
    public, secret : str
        The pair, in Z85.
    server : str, optional
        Public key of the monitor to connect to.
    """

    public: PublicKey
    secret: Annotated[str, msgspec.Meta(pattern=Z85)]
    server: PublicKey | None = None

    @classmethod
    def generate(cls) -> "PrivateKey":
        """Return a new pair."""
        public, secret = zmq.curve_keypair()
        return cls(public.decode(), secret.decode())

    def to(self, monitor: "PrivateKey") -> "PrivateKey":
        """Return this pair for connections to a monitor."""
        return msgspec.structs.replace(self, server=monitor.public)

    @classmethod
    def read(cls, path: Path) -> "PrivateKey":
        """Read a key file.

        Raises
        ------
        AccessError
            If it cannot be read, holds no pair of keys, or is not its owner's alone.
        """
        try:
            # A pipe with no writer does not hold us up.
            file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                _refuse_exposed(path, os.fstat(file))
                data = os.read(file, MAX_BYTES + 1)
            finally:
                os.close(file)
        except OSError as error:
            raise AccessError(
                f"The key file {path} cannot be read ({error.strerror}): give one that ecgmon "
                "keys make has written."
            ) from error
        try:
            if len(data) > MAX_BYTES:
                raise ValueError
            key = msgspec.toml.decode(data, type=cls)
            fits = zmq.curve_public(key.secret.encode()) == key.public.encode()
        except (msgspec.DecodeError, ValueError, RecursionError, zmq.ZMQError):
            fits = False
        if not fits:  # what was wrong is not said, for it might quote a secret
            raise AccessError(
                f"{path} holds no pair of keys: give a file that ecgmon keys make has written."
            ) from None
        return key

    def create(self, path: Path) -> None:
        """Write a new file, readable by its owner alone from its first moment.

        Raises
        ------
        AccessError
            If there is a file already, or it cannot be written.
        """
        try:
            file, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
            try:
                with open(file, "wb") as stream:  # noqa: PTH123 - a descriptor
                    stream.write(self.encode())
                    stream.flush()
                    os.fsync(file)
                os.link(name, path)  # whole or not at all, and never over another
            finally:
                Path(name).unlink()
        except FileExistsError as error:
            raise AccessError(f"{path} exists already: name another file.") from error
        except OSError as error:
            raise AccessError(f"{path} cannot be written: {error.strerror}.") from error

    def encode(self) -> bytes:
        """Return what its file holds."""
        keys = {"public": self.public, "secret": self.secret, "server": self.server}
        lines = [f'{name} = "{key}"\n' for name, key in keys.items() if key is not None]
        head = "# A private key of ecgmon: whoever reads it, may use it.\n"
        return "".join([head, *lines]).encode()

    def secure(self, socket: "zmq.Socket[Any]") -> None:
        """Let a client's socket use this key; before it connects.

        Raises
        ------
        AccessError
            If it names no monitor, or no valid one.
        """
        if self.server is None:
            raise AccessError(
                "This is a monitor's own key: give a file that ecgmon keys make has written."
            )
        try:
            socket.curve_serverkey = self.server.encode()
        except zmq.ZMQError as error:
            raise AccessError("The key file names no valid key of a monitor.") from error
        socket.curve_publickey = self.public.encode()
        socket.curve_secretkey = self.secret.encode()

    def __repr__(self) -> str:
        return f"PrivateKey(public={self.public!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("public", self.public)]


def _refuse_exposed(path: Path, state: os.stat_result) -> None:
    """Raise `AccessError` unless an open file is the user's or root's alone."""
    named = shlex.quote(str(path))
    if not stat.S_ISREG(state.st_mode):
        raise AccessError(f"{path} is no file: give one that ecgmon keys make has written.")
    owners = {os.geteuid(), 0}
    if os.geteuid() == 0:  # who looks after a service whose files are its own
        owners.add(path.parent.stat().st_uid)
    if state.st_uid not in owners:
        raise AccessError(
            f"The key file {path} belongs to somebody else: chown it to the user who runs this, "
            f"and chmod 600 {named}."
        )
    # systemd shows a service its credentials as 0440, in a folder that only the service can enter.
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    allowed = 0o440 if folder and path.parent == Path(folder) else 0o700
    if stat.S_IMODE(state.st_mode) & 0o077 & ~allowed:
        raise AccessError(
            f"The key file {path} can be read or written by others than its owner: "
            f"chmod 600 {named}."
        )
