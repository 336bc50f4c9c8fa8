"""Checks of the endpoints and of the keys that may connect to them."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import zmq

from ecgmon.config import Config
from ecgmon.core.errors import ProtocolError
from ecgmon.wire import messages
from ecgmon_cli.diagnosis.finding import Finding, ok, problem
from monitor.configured import keys_folder, server_key_file
from monitor.network.access import is_local
from monitor.network.host import routed

PATIENCE_MS: Final = 1000
"""Longest wait for a monitor's answer."""


def ports(config: Config) -> Iterator[Finding]:
    """Tell whether the endpoints can be bound, or a monitor has them."""
    with zmq.Context() as context:
        metrics = (f"tcp://{config.network.metrics}",) if config.network.metrics else ()
        for endpoint in (*_routed(config), *metrics):
            with context.socket(zmq.ROUTER) as socket:
                socket.linger = 0
                socket.ipv6 = True
                try:
                    _bind(socket, endpoint)
                except zmq.ZMQError as error:
                    why = zmq.strerror(error.errno or 0)
                else:
                    yield ok("ports", f"{endpoint} is free")
                    continue
            if any(_monitor_at(context, one) for one in routed(config.network.ingest)[:1]):
                yield ok("ports", f"{endpoint} is used by a running monitor")
            else:
                text = f"{endpoint} cannot be bound: {why}"
                yield problem("ports", text, "stop what uses it, or configure another endpoint")


def keys(config: Config) -> Iterator[Finding]:
    """Look at who may read the keys, and whether there is one where one is needed."""
    folder, server = keys_folder(config), server_key_file(config)
    far = [endpoint for endpoint in _routed(config) if not _private(endpoint)]
    if not server.exists():
        if far:
            text = f"other machines can reach {far[0]}, and {server} does not exist"
            yield problem("keys", text, "make the monitor's key, or listen on 127.0.0.1 only")
        else:
            yield ok("keys", "none is needed: only this machine can connect")
    if folder.exists() and _mode(folder) & 0o022:
        yield problem("keys", f"others may put keys into {folder}", f"chmod 700 {folder}")
    secrets = {path for pattern in ("*.key", "*_secret") for path in folder.glob(pattern)}
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if server.exists() and str(server.parent) != credentials:  # those are systemd's to guard
        secrets.add(server)
    for path in sorted(secrets):
        if _mode(path) & 0o077:
            yield problem("keys", f"others may read the secret {path}", f"chmod 600 {path}")
        else:
            yield ok("keys", f"{path} is private to its owner")


def _bind(socket: "zmq.Socket[bytes]", endpoint: str) -> None:
    """Bind and let go; a path that nobody listens at any more is as good as free."""
    path = Path(endpoint.removeprefix("ipc://"))
    if not endpoint.startswith("ipc://"):
        socket.bind(endpoint)
    elif path.exists():
        raise zmq.ZMQError(errno.EADDRINUSE)  # binding would take it from a monitor
    elif not os.access(path.parent, os.W_OK):
        raise zmq.ZMQError(errno.EACCES if path.parent.exists() else errno.ENOENT)


def _monitor_at(context: "zmq.Context[zmq.Socket[bytes]]", endpoint: str) -> bool:
    """Ask as a device would; a stream that is not open is refused, which is answer enough."""
    if not _private(endpoint):
        return False
    with context.socket(zmq.DEALER) as socket:
        socket.linger = 0
        socket.maxmsgsize = messages.MAX_BYTES
        socket.connect(endpoint)
        socket.send(messages.encode(messages.Heartbeat(stream="0" * 16)))
        if not socket.poll(PATIENCE_MS):
            return False
        try:
            messages.decode_to_device(socket.recv())
        except ProtocolError:
            return False
        return True


def _routed(config: Config) -> list[str]:
    return routed([*config.network.ingest, *config.network.publish])


def _private(endpoint: str) -> bool:
    return is_local(endpoint)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
