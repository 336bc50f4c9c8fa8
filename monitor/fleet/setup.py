"""What ``ecgmon fleet init`` writes: configuration of servers, gateways, monitors and viewers."""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ecgmon.core.atomic import atomic_write
from ecgmon.core.errors import UsageError
from ecgmon.pages import templates
from monitor.fleet.setup_certificates import ServerCertificates
from monitor.fleet.setup_users import users

HERE: Final = "127.0.0.1"
ROUTES_ABOVE: Final = 2000
"""Servers speak with each other at a port so far above that of clients."""
MOST_SERVERS: Final = 9
REPLICATED: Final = 3
"""Copies that a fleet of so many servers or more keeps, if nothing else is asked for."""
ROLES: Final = ("gateway", "monitor", "viewer", "admin")
SERVICES: Final = ("gateway", "monitor")
"""Roles that run as services of systemd."""
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,200}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """Which servers a fleet has, and how much they keep.

    Parameters
    ----------
    hosts : tuple of str
        Where each server runs.
    ports : tuple of int
        Where each listens for clients.
    replicas : int
        Servers that keep a copy.
    max_gb : float
        10^9 bytes that samples may have, and results.
    local : bool
        Whether all are on this machine and run in the folder where they are written.
    """

    hosts: tuple[str, ...]
    ports: tuple[int, ...]
    replicas: int
    max_gb: float
    local: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the servers, which are also those of their folders."""
        return tuple(f"n{number}" for number in range(1, len(self.hosts) + 1))

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where clients connect to."""
        return tuple(
            f"nats://{host}:{port}" for host, port in zip(self.hosts, self.ports, strict=True)
        )


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file of the folder: its place in it, what it holds, and whether only its owner reads it."""

    place: str
    data: bytes
    private: bool = False


def planned(servers: str, port: int, replicas: int | None, max_gb: float) -> FleetPlan:
    """Return the plan of what a user asks for.

    Parameters
    ----------
    servers : str
        A number of servers on this machine, or hosts with commas between them.
    port : int
        Of the first server of a machine.
    replicas : int or None
        None for as many as there is reason for.
    max_gb : float
        As in `FleetPlan`.

    Raises
    ------
    UsageError
        If that is no fleet.
    """
    local = servers.isascii() and servers.isdigit()
    hosts = (HERE,) * min(int(servers), 100) if local else tuple(servers.split(","))
    if not 1 <= len(hosts) <= MOST_SERVERS:
        raise UsageError(
            f"A fleet has 1 to {MOST_SERVERS} servers: give --servers 3 or their hosts."
        )
    if wrong := [host for host in hosts if not _HOST.fullmatch(host)]:
        shown = "".join(c if c.isprintable() else "?" for c in wrong[0])[:60]
        raise UsageError(
            f"{shown!r} is no host: give names or addresses, such as n1.ward,10.0.0.5."
        )
    if not local and len(set(hosts)) < len(hosts):
        raise UsageError("A host is named twice: name each server's own.")
    if len(hosts) == 2:
        raise UsageError(
            "Two servers stop when one of them does, for neither is a majority: take one or three."
        )
    count = replicas or (REPLICATED if len(hosts) >= REPLICATED else 1)
    if count > len(hosts) or count not in (1, 3, 5):
        raise UsageError(
            f"{len(hosts)} servers cannot keep {count} copies: give --replicas 1 or 3."
        )
    ports = tuple(port + number if local else port for number in range(len(hosts)))
    return FleetPlan(hosts, ports, count, max_gb, local)


def fleet_files(
    plan: FleetPlan, certificates: ServerCertificates, folder: Path
) -> list[WrittenFile]:
    """Return all files of a fleet, with new passwords."""
    return list(_files(plan, certificates, folder.absolute()))


def _files(
    plan: FleetPlan, certificates: ServerCertificates, folder: Path
) -> Iterator[WrittenFile]:
    pages = templates("monitor")
    accounts = users()
    routes = [
        f"{host}:{port + ROUTES_ABOVE}" for host, port in zip(plan.hosts, plan.ports, strict=True)
    ]
    between = secrets.token_urlsafe(32)
    for number, name in enumerate(plan.names):
        text = pages.get_template("nats.conf.j2").render(
            name=name,
            listen=HERE if plan.local else "0.0.0.0",  # noqa: S104 - behind TLS and passwords
            port=plan.ports[number],
            store="store" if plan.local else "/var/lib/ecgmon-nats",
            store_gb=round(2.2 * plan.max_gb + 4),
            users=accounts,
            routes=routes,
            route_port=plan.ports[number] + ROUTES_ABOVE,
            between=between,
        )
        yield WrittenFile(f"{name}/nats.conf", text.encode(), private=True)
        cert, key = certificates.servers[number]
        yield WrittenFile(f"{name}/server.pem", cert)
        yield WrittenFile(f"{name}/server.key", key, private=True)
        yield WrittenFile(f"{name}/ca.pem", certificates.authority)
        unit = pages.get_template("ecgmon-nats.service.j2").render()
        yield WrittenFile(f"{name}/ecgmon-nats.service", unit.encode())
    for user in accounts:
        role = user.name
        home = str(folder / role) if plan.local else f"/etc/ecgmon/{role}"
        config = pages.get_template("fleet.toml.j2").render(plan=plan, home=home)
        yield WrittenFile(f"{role}/ecgmon.toml", config.encode())
        yield WrittenFile(f"{role}/credentials", f"{role}:{user.password}\n".encode(), private=True)
        yield WrittenFile(f"{role}/ca.pem", certificates.authority)
        if role in SERVICES:
            unit = pages.get_template("fleet.conf.j2").render(role=role, plan=plan)
            yield WrittenFile(f"{role}/ecgmon@{role}.service.d/fleet.conf", unit.encode())
    if certificates.authority_key is not None:
        yield WrittenFile("authority/ca.pem", certificates.authority)
        yield WrittenFile("authority/ca.key", certificates.authority_key, private=True)


def write_fleet(folder: Path, files: list[WrittenFile], *, force: bool) -> None:
    """Write files into a folder, which is made; what is there is replaced only by force.

    Raises
    ------
    UsageError
        If one is there already, or cannot be written.
    """
    there = [file.place for file in files if (folder / file.place).exists()]
    if there and not force:
        raise UsageError(
            f"{folder} holds a fleet already ({there[0]}): name another folder, or replace its "
            "keys and passwords with --force."
        )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in files:
            path = folder / file.place
            path.parent.mkdir(mode=0o700 if file.private else 0o755, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            atomic_write(path, file.data)
            path.chmod(0o600 if file.private else 0o644)
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be written: {error.strerror}.") from error
