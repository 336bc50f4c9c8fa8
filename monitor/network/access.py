"""Authorisation: looks up for each message what its key may do."""

import contextlib
import re
import time
from collections.abc import Iterator
from typing import Any, Final

import zmq
from zmq.auth.thread import ThreadAuthenticator

from ecgmon.core.errors import AccessError
from ecgmon.keys import Device, KeyStore, PrivateKey, Viewer
from monitor.ops.logs import logger

LOCAL: Final = "anonymous"
"""User of every connection without a key. Only endpoints that the network cannot reach take those:
whoever is on this machine is its operator."""
DOMAIN: Final = "ecgmon"
"""What endpoints are called when their connections are authenticated. It must not be empty: plain
connections would not be authenticated then, and could name themselves any user."""
HANDSHAKE_MS: Final = 5_000
"""Longest time that a connection may take to say who it is."""
SETTLED_S: Final = 2.0
"""Age from which on the time of a change is certain to differ from that of the next."""
_LOCAL_ENDPOINT: Final = re.compile(
    r"ipc://.+|tcp://(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]):(?:\*|\d+)"
)

_log = logger(__name__)


class Access:
    """The keys in force.

    All but `refresh` may be called from any thread: the table is replaced, never changed.

    Parameters
    ----------
    store : KeyStore, optional
        Where keys are kept; without it none is known.

    Raises
    ------
    AccessError
        If it cannot be read.
    """

    def __init__(self, store: KeyStore | None = None) -> None:
        self._store = store
        self._live: dict[str, Device | Viewer] = {}
        self._revoked: dict[str, str] = {}
        self._stamp: int | None = None
        self._complaints: set[str] = set()
        self._said_s: dict[str, float] = {}
        if store is not None:
            self._load(store)

    def refresh(self) -> dict[str, str]:
        """Read the keys anew if they have changed; call it about once a second.

        Where they cannot be read, those known stay in force.

        Returns
        -------
        dict
            Name by user of each key that was revoked or may something else now.
        """
        if self._store is None or (self._stamp and self._stamp == _changed_at(self._store)):
            return {}
        before = self._live
        try:
            self._load(self._store)
        except AccessError as error:
            self._complain({str(error)})
        return {user: key.name for user, key in before.items() if self._live.get(user) != key}

    def may_write(self, user: str, wearer: str) -> bool:
        """Tell whether a user may send the ECG of a wearer."""
        key = self._live.get(user)
        return user == LOCAL or (isinstance(key, Device) and key.wearer == wearer)

    def may_read(self, user: str, wearer: str | None) -> bool:
        """Tell whether a user may see a wearer, or what concerns the monitor itself (None)."""
        key = self._live.get(user)
        return user == LOCAL or (isinstance(key, Viewer) and _sees(key, wearer))

    def may_act(self, user: str, wearer: str | None) -> bool:
        """Tell whether a user may acknowledge and pause alarms; those of all wearers for None."""
        key = self._live.get(user)
        return user == LOCAL or (
            isinstance(key, Viewer)
            and key.acknowledge
            and (key.wearers == "*" if wearer is None else _sees(key, wearer))
        )

    def name_of(self, user: str) -> str:
        """Return what people call a user; what stands for no key is in brackets."""
        if user == LOCAL:
            return "(this machine)"
        key = self._live.get(user)
        return key.name if key else "(unknown)"

    def callback(self, _domain: str, public: bytes) -> bool:
        """Tell whether a key may connect, as pyzmq asks a credentials provider."""
        user = public.decode("ascii", "replace")
        if user in self._live:
            return True
        name, now = self._revoked.get(user, ""), time.monotonic()
        if now - self._said_s.get(name, float("-inf")) >= 1:  # a flood does not fill the log
            self._said_s[name] = now
            reason = f"{name} is revoked" if name else "not known"
            _log.warning("key-refused", key=user, reason=reason)
        return False

    def _load(self, store: KeyStore) -> None:
        stamp = _changed_at(store)
        # What changed just now may change again within one step of the file system's clock.
        settled = stamp is not None and time.time() - stamp / 1e9 >= SETTLED_S
        keys, damaged = store.load()
        self._stamp = stamp if settled else None
        self._complain(set(damaged))
        self._live = {key.public: key for key in keys if key.revoked is None}
        self._revoked = {key.public: key.name for key in keys if key.revoked is not None}

    def _complain(self, complaints: set[str]) -> None:
        """Log what is wrong once, not once a second."""
        for complaint in sorted(complaints - self._complaints):
            _log.error("keys-unreadable", reason=complaint)
        self._complaints = complaints


def _changed_at(store: KeyStore) -> int | None:
    """Return when an entry was last put in place or removed, ns; None where that is not known."""
    try:
        return store.folder.stat().st_mtime_ns
    except OSError:
        return None


def _sees(key: Viewer, wearer: str | None) -> bool:
    return wearer is None or key.wearers == "*" or wearer in key.wearers


@contextlib.contextmanager
def authenticated(context: "zmq.Context[Any]", access: Access) -> Iterator[None]:
    """Authenticate the connections of all sockets of a context that `guard` has set up.

    A thread asks ``access`` for each new connection; sockets are bound within the block.
    """
    authenticator = ThreadAuthenticator(context)
    authenticator.configure_curve_callback(DOMAIN, credentials_provider=access)
    authenticator.start()
    try:
        yield
    finally:
        authenticator.stop()


def user_of(received: zmq.Frame) -> str:
    """Return who sent a part of a message that was received with ``copy=False``.

    It is empty, and so may nothing, where the connection was not authenticated (inproc).
    """
    try:
        return str(received.get("User-Id"))
    except zmq.ZMQError:
        return ""


def is_local(endpoint: str) -> bool:
    """Tell whether nothing but this machine can reach an endpoint."""
    return bool(_LOCAL_ENDPOINT.fullmatch(endpoint))


def guard(socket: "zmq.Socket[Any]", endpoint: str, own: PrivateKey | None) -> None:
    """Set what an endpoint demands of its connections; call it before each bind.

    One socket may be bound to several endpoints, plain and encrypted: each keeps what was set when
    it was bound.

    Parameters
    ----------
    socket : zmq.Socket
        What will be bound.
    endpoint : str
        Where to; one that the network can reach demands a key.
    own : PrivateKey, optional
        The monitor's own.

    Raises
    ------
    AccessError
        If the endpoint demands a key and the monitor has none.
    """
    socket.zap_domain = DOMAIN.encode()
    socket.zap_enforce_domain = 1  # else any key is accepted while nobody authenticates
    socket.handshake_ivl = HANDSHAKE_MS
    if is_local(endpoint):
        socket.curve_server = 0
        return
    if own is None:
        raise AccessError(
            f"The endpoint {endpoint} can be reached over the network, and the monitor has no key: "
            "make keys with ecgmon keys make."
        )
    socket.curve_secretkey = own.secret.encode()
    socket.curve_server = 1
