"""The address and key of a monitor, found in one way for all commands."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer
from typer.core import TyperCommand, TyperGroup

from ecgmon.core.errors import UsageError
from ecgmon.core.paths import state_folder
from ecgmon_cli.options import say_renamed

if TYPE_CHECKING:
    from ecgmon.config.schema import NetworkSection
    from ecgmon.keys.address import MonitorAddress

MONITOR_VARIABLE: Final = "ECGMON_MONITOR"
"""Endpoint of the monitor; without a port, each command takes its own."""
KEY_VARIABLE: Final = "ECGMON_KEY"
"""Key file to connect with."""
CONFIGURED: Final = ""
"""What ``--connect`` without an endpoint means."""
_CONNECTABLE: Final = re.compile(r"ipc://\S+|tcp://(\[[0-9A-Fa-f:.%\w]+\]|[^\s:*/,]+)(:(\d{1,5}))?")
_FLEET: Final = re.compile(r"nats://[^\s,/]+")
_ANY: Final = {"0.0.0.0": "127.0.0.1", "*": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - replaced
"""Where to connect to what is bound to every address of this machine."""

Side = Literal["publish", "ingest"]

_DEFAULT: Final = "$ECGMON_MONITOR, else as configured"
Monitor = Annotated[
    str | None,
    typer.Option(
        "--monitor",
        metavar="ENDPOINT",
        help="Endpoint where the monitor publishes.",
        show_default=_DEFAULT,
    ),
]
MonitorOrEndpoint = Annotated[
    str | None,
    typer.Option(
        "--monitor",
        "--endpoint",
        metavar="ENDPOINT",
        help="Endpoint where the monitor publishes; --endpoint is the old name.",
        show_default=_DEFAULT,
    ),
]
OldEndpoint = Annotated[str | None, typer.Argument(metavar="[ENDPOINT]", hidden=True)]
"""Where ``--monitor`` stood before."""
Connect = Annotated[
    str | None,
    typer.Option(
        "--connect",
        "--monitor",
        metavar="[ENDPOINT]",
        help="Stream to this monitor instead of starting one. The default endpoint is "
        "$ECGMON_MONITOR, else as configured.",
        show_default=False,
    ),
]
Key = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Key file to connect with, if the monitor requires one.",
        show_default="$ECGMON_KEY, else as configured",
    ),
]


class ConnectCommand(TyperCommand):
    """A command whose ``--connect`` may stand without an endpoint: last, or before an option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's
        """Put the endpoint that was left out, which is `CONFIGURED`."""
        complete: list[str] = []
        for arg, after in zip(args, [*args[1:], "-"], strict=True):
            complete.append(arg)
            if arg in ("--connect", "--monitor") and after.startswith("-"):
                complete.append(CONFIGURED)
        return super().parse_args(ctx, complete)


class EndpointGroup(TyperGroup):
    """Commands whose ``--monitor`` may still be called ``--endpoint``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's
        """Say what the option is called now."""
        renamed = any(arg.partition("=")[0] == "--endpoint" for arg in args)
        if renamed and not ctx.resilient_parsing:  # it is not completed, but run
            say_renamed("--endpoint", "--monitor")
        return super().parse_args(ctx, args)


def where(
    side: Side, given: str | None, key: Path | None, old: str | None = None
) -> "MonitorAddress":
    """Return where to connect: as given, else as the environment or the configuration says.

    Parameters
    ----------
    side : str
        *publish* for viewers, *ingest* for devices.
    given : str or None
        The option's endpoint.
    key : Path or None
        The option's key file.
    old : str or None
        The endpoint as it was given before there was an option.

    Returns
    -------
    MonitorAddress
        A configured key is used but where only this machine can connect.

    Raises
    ------
    UsageError
        If there is no endpoint that one could connect to, or the configuration is none.
    """
    from ecgmon.keys.address import MonitorAddress
    from monitor.network.access import is_local

    if given and old:
        raise UsageError("The monitor's endpoint is given twice: leave out --monitor or the other.")
    key = key or _path(os.environ.get(KEY_VARIABLE))
    named = given or old or os.environ.get(MONITOR_VARIABLE)
    if named and side == "publish" and is_fleet(named):
        if key is not None:
            raise UsageError("A fleet is opened by fleet.credentials, not by a key: leave it out.")
        return MonitorAddress(named)
    if named:
        endpoint, local = named, is_local(named)
    else:
        endpoint = _configured(side, prefer_local=key is None)
        local = is_local(endpoint)
    if key is None and not local and (configured := _network().key):
        key = state_folder() / Path(configured).expanduser()
    found = MonitorAddress(_connectable(endpoint, side), key)
    if old:
        say_renamed("ENDPOINT", "--monitor ENDPOINT")
    return found


def is_fleet(endpoint: str) -> bool:
    """Tell whether an endpoint is a NATS server's, where the monitors of a fleet meet."""
    return bool(_FLEET.fullmatch(endpoint))


def _configured(side: Side, *, prefer_local: bool) -> str:
    """Return the endpoint to use of those that the monitor is configured to listen at."""
    from monitor.network.access import is_local
    from monitor.network.host import routed

    endpoints = routed(getattr(_network(), side))
    if not endpoints:
        raise UsageError(
            f"No endpoint of network.{side} can be connected to: give --monitor ENDPOINT."
        )
    fixed = [endpoint for endpoint in endpoints if not re.search(r":(\*|0)\Z", endpoint)]
    if not fixed:
        raise UsageError(
            f"The configured endpoint {endpoints[0]} leaves the port open: give --monitor ENDPOINT."
        )
    return min(fixed, key=lambda endpoint: is_local(endpoint) != prefer_local)


def _connectable(endpoint: str, side: Side) -> str:
    """Return an endpoint that a client can connect to; a port that was left out is the usual."""
    for bound, address in _ANY.items():
        endpoint = endpoint.replace(f"tcp://{bound}", f"tcp://{address}", 1)
    match = _CONNECTABLE.fullmatch(endpoint)
    if match is None or (match[3] and not 0 < int(match[3]) <= 65_535):
        shown = "".join(c if c.isprintable() else "?" for c in endpoint)[:100]
        port = 5555 if side == "ingest" else 5556
        raise UsageError(
            f"{shown} is no endpoint to connect to: give one such as tcp://127.0.0.1:{port}."
        )
    if endpoint.startswith("ipc://") or match[2]:
        return endpoint
    ports = [p[1] for e in getattr(_network(), side) if (p := re.search(r"^tcp.*:(\d+)\Z", e))]
    default = "5555" if side == "ingest" else "5556"
    return f"{endpoint}:{ports[0] if ports else default}"


def _network() -> "NetworkSection":
    from ecgmon.config import load

    return load().config.network


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser() if text else None
