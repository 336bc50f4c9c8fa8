"""Certificates of a fleet's servers, made by the machine's openssl or given by the user."""

import ipaddress
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ecgmon.core.errors import UsageError

VALID_DAYS: Final = 3650
PATIENCE_S: Final = 60.0
"""Longest wait for openssl, in seconds."""
_MISSING: Final = (
    "openssl is not installed here, with which certificates are made: install it, or give your own "
    "with --cert, --key and --ca."
)
_REQUEST: Final = """\
[req]
prompt = no
distinguished_name = name
[name]
O = ecgmon fleet
CN = {name}
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {places}
"""


@dataclass(frozen=True, slots=True, repr=False)
class ServerCertificates:
    """What servers show of themselves, and how one sees that it is theirs.

    Parameters
    ----------
    authority : bytes
        Certificate of who has signed them.
    authority_key : bytes or None
        Its key; None where the user keeps it.
    servers : tuple of (bytes, bytes)
        Certificate and key of each server.
    """

    authority: bytes
    authority_key: bytes | None
    servers: tuple[tuple[bytes, bytes], ...]


def given_certificates(cert: Path, key: Path, authority: Path, count: int) -> ServerCertificates:
    """Return the user's own, the same for all servers; raises `UsageError`."""
    try:
        pair = cert.read_bytes(), key.read_bytes()
        return ServerCertificates(authority.read_bytes(), None, (pair,) * count)
    except OSError as error:
        raise UsageError(
            f"{error.filename} cannot be read ({error.strerror}): name files in PEM format."
        ) from error


def made_certificates(hosts: tuple[str, ...]) -> ServerCertificates:
    """Make an authority, and a certificate for each host that it signs.

    Raises
    ------
    UsageError
        If openssl is missing or fails.
    """
    with tempfile.TemporaryDirectory() as folder:  # nobody else may enter it
        made = _Maker(Path(folder))
        made.authority()
        servers = tuple(made.server(host) for host in hosts)
        return ServerCertificates(made.read("ca.pem"), made.read("ca.key"), servers)


class _Maker:
    """Calls openssl in a folder."""

    def __init__(self, folder: Path) -> None:
        found = shutil.which("openssl")
        if found is None:
            raise UsageError(_MISSING)
        self._openssl, self._folder = found, folder

    def authority(self) -> None:
        self._describe("ecgmon fleet authority", "DNS:none.invalid")
        how = ["-x509", "-extensions", "authority", "-days", str(VALID_DAYS)]
        self._request("ca.key", "ca.pem", *how)

    def server(self, host: str) -> tuple[bytes, bytes]:
        """Return certificate and key."""
        self._describe(host[:64], f"{'IP' if is_address(host) else 'DNS'}:{host}")
        self._request("server.key", "server.csr", "-new")
        self._call(
            *("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key"),
            *("-CAcreateserial", "-days", str(VALID_DAYS), "-sha256"),
            *("-extfile", "request.conf", "-extensions", "server", "-out", "server.pem"),
        )
        return self.read("server.pem"), self.read("server.key")

    def read(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()

    def _describe(self, name: str, places: str) -> None:
        (self._folder / "request.conf").write_text(_REQUEST.format(name=name, places=places))

    def _request(self, key: str, out: str, *how: str) -> None:
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        self._call(
            "req", *how, *curve, "-config", "request.conf", "-keyout", key, "-out", out, "-sha256"
        )

    def _call(self, *words: str) -> None:
        try:
            subprocess.run(  # noqa: S603 - words of ours, and hosts that were checked
                [self._openssl, *words],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PATIENCE_S,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", None) or repr(error).encode()
            raise UsageError(
                f"openssl makes no certificate ({said.decode(errors='replace').strip()[-200:]}): "
                "give your own with --cert, --key and --ca."
            ) from error


def is_address(host: str) -> bool:
    """Tell whether a host is named by its address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
