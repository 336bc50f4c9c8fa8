"""Authentication at real sockets: users who are let in, their names, and refusals."""

import contextlib
import logging
import time

import msgspec
import pytest
import zmq

from ecgmon.core.errors import AccessError
from ecgmon.keys import PrivateKey
from monitor.network.access import LOCAL, Access, guard, is_local, user_of
from monitor.ops.logs import quoted
from tests.support.door import (
    MAX_BYTES,
    SOON_S,
    Desk,
    greeting,
    message,
    open_desk,
    until_closed,
)
from tests.support.keyring import OWN, PAIRS, STRANGER, device, keyring


@pytest.fixture
def store(tmp_path):
    return keyring(tmp_path / "keys")


@pytest.fixture
def access(store):
    return Access(store)


@pytest.fixture
def desk(access):
    with open_desk(access) as desk:
        yield desk


def test_each_message_says_who_sent_it_at_one_socket_with_two_endpoints(desk, access):
    for endpoint, key, name in (
        (desk.plain, None, "(this machine)"),
        (desk.encrypted, PAIRS[0], "ann-watch"),
        (desk.encrypted, PAIRS[1], "desk"),
        (desk.plain, None, "(this machine)"),
    ):
        desk.client(endpoint, key).send(b"here")
        user, data = desk.take()
        assert user == (key.public if key else LOCAL)
        assert (access.name_of(user), data) == (name, b"here")


REFUSED = {
    "a key that nobody knows": (PrivateKey.generate().to(OWN), zmq.EVENT_HANDSHAKE_FAILED_AUTH),
    "a plain connection": (None, zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL),
    "a key that fits another monitor": (
        PAIRS[0].to(STRANGER),
        zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL,
    ),
    "a public key without its secret": (
        msgspec.structs.replace(PAIRS[0], secret=STRANGER.secret),
        zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL,
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_network_is_refused_without_a_known_key(desk, case):
    key, event = REFUSED[case]
    desk.knock(desk.encrypted, key, b"let me in")
    assert desk.failure() == event
    desk.client(desk.encrypted, PAIRS[0]).send(b"still here")
    assert desk.take() == (PAIRS[0].public, b"still here")


def test_a_client_with_a_key_sends_nothing_to_a_plain_endpoint(desk):
    desk.knock(desk.plain, PAIRS[0], b"for the monitor alone")
    assert desk.failure() == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL


def test_nobody_names_himself_another_user(desk):
    raw = desk.shaken(User_Id=PAIRS[1].public.encode())
    raw.sendall(message(b"I am the desk"))
    assert desk.take() == (LOCAL, b"I am the desk")


def test_a_revoked_key_may_nothing_from_the_next_look_on(desk, store, access, caplog):
    caplog.set_level(logging.DEBUG)
    client = desk.client(desk.encrypted, PAIRS[0])
    client.send(b"before")
    user, _ = desk.take()
    assert access.may_write(user, "ann")
    assert access.refresh() == {}
    store.revoke("ann-watch")
    assert access.refresh() == {user: "ann-watch"}
    client.send(b"after")  # the connection is still there
    assert desk.take() == (user, b"after")
    assert not access.may_write(user, "ann")
    assert access.name_of(user) == "(unknown)"
    assert access.refresh() == {}
    desk.knock(desk.encrypted, PAIRS[0], b"again")
    assert desk.failure() == zmq.EVENT_HANDSHAKE_FAILED_AUTH
    assert f'key={quoted(user)} reason="ann-watch is revoked"' in caplog.text
    assert not any(key.secret in caplog.text for key in (OWN, *PAIRS))


def test_a_key_made_while_the_monitor_runs_is_known_at_the_next_look(desk, store, access):
    store.add(device("bob-watch", PAIRS[2], "bob"))
    assert access.refresh() == {}
    desk.client(desk.encrypted, PAIRS[2]).send(b"new")
    user, _ = desk.take()
    assert access.may_write(user, "bob")
    assert not access.may_write(user, "ann")


def test_a_message_that_is_too_large_costs_its_sender_the_connection_alone(desk):
    good, bad = (desk.client(desk.encrypted, key) for key in PAIRS[:2])
    for client in (good, bad):
        client.send(b"x" * (MAX_BYTES // 2))
        desk.take()
    bad.send(b"y" * (MAX_BYTES + 1))
    assert desk.failure() == zmq.EVENT_DISCONNECTED
    good.send(b"unaffected")
    assert desk.take() == (PAIRS[0].public, b"unaffected")
    raw = desk.shaken()
    raw.sendall(b"\x02" + (1 << 40).to_bytes(8, "big"))  # it announces a terabyte
    assert until_closed(raw) < SOON_S


UNFINISHED = {
    "nothing": b"",
    "half a greeting": greeting()[:20],
    "a greeting": greeting(b"CURVE"),
    "a web browser": b"GET / HTTP/1.1\r\n",
}


@pytest.mark.parametrize("sent", UNFINISHED.values(), ids=UNFINISHED)
def test_a_connection_that_never_says_who_it_is_is_closed(access, sent):
    with open_desk(access, handshake_ivl=200) as desk:
        raws = [desk.raw(endpoint, sent) for endpoint in (desk.plain, desk.encrypted)]
        good = desk.client(desk.encrypted, PAIRS[0])
        good.send(b"meanwhile")
        assert desk.take() == (PAIRS[0].public, b"meanwhile")
        assert all(until_closed(raw) < SOON_S for raw in raws)


def test_a_connection_that_falls_silent_within_a_message_is_closed(access):
    with open_desk(access, heartbeat_ivl=100, heartbeat_timeout=300) as desk:
        raw = desk.shaken()
        raw.sendall(message(b"whole") + b"\x00\x64half")
        assert desk.take() == (LOCAL, b"whole")
        assert until_closed(raw) < SOON_S
        assert not desk.router.poll(0)


def test_a_message_that_comes_byte_by_byte_does_not_keep_a_connection_alive(access):
    with open_desk(access, heartbeat_ivl=100, heartbeat_timeout=300) as desk:
        raw = desk.shaken()
        raw.sendall(b"\x00\xff")
        sent = 0
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            while sent < 254:
                raw.sendall(b"x")
                sent += 1
                time.sleep(0.02)
        assert sent < 254


def test_while_nobody_authenticates_nobody_gets_in():
    context = zmq.Context()
    desk = Desk(context)
    for endpoint, key in ((desk.plain, None), (desk.encrypted, PAIRS[0])):
        desk.knock(endpoint, key, b"let me in")
        assert desk.failure() == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    desk.close()
    context.term()


def test_where_nobody_is_authenticated_a_message_has_no_user(access):
    context = zmq.Context()
    with context.socket(zmq.ROUTER) as router, context.socket(zmq.DEALER) as dealer:
        router.bind("inproc://here")
        dealer.connect("inproc://here")
        dealer.send(b"hello")
        user = user_of(router.recv_multipart(copy=False)[1])
    context.term()
    assert not access.may_write(user, "ann")


def test_the_network_cannot_be_served_without_a_key():
    context = zmq.Context()
    with context.socket(zmq.ROUTER) as router:
        with pytest.raises(
            AccessError, match=r"tcp://\*:5555 can be reached over the network, and"
        ):
            guard(router, "tcp://*:5555", None)
        guard(router, "tcp://127.0.0.1:5555", None)
        assert (router.mechanism, router.handshake_ivl) == (zmq.NULL, 5_000)
        guard(router, "tcp://*:5555", OWN)
        assert (router.mechanism, router.handshake_ivl) == (zmq.CURVE, 5_000)
    context.term()


@pytest.mark.parametrize(
    ("endpoint", "local"),
    [
        ("tcp://127.0.0.1:5555", True),
        ("tcp://127.1.2.3:*", True),
        ("tcp://localhost:5555", True),
        ("tcp://[::1]:5555", True),
        ("ipc:///run/ecgmon/ingest", True),
        ("inproc://ingest", False),
        ("tcp://0.0.0.0:5555", False),
        ("tcp://*:5555", False),
        ("tcp://[::]:5555", False),
        ("tcp://eth0:5555", False),
        ("tcp://192.168.0.7:5555", False),
        ("tcp://127.evil.org:5555", False),
        ("tcp://127.0.0.1.evil.org:5555", False),
        ("tcp://127.0.0.1:1;192.168.0.7:5555", False),
        ("TCP://127.0.0.1:5555", False),
        ("ws://127.0.0.1:5555", False),
        ("nonsense", False),
    ],
)
def test_an_endpoint_is_plain_only_where_the_network_cannot_reach_it(endpoint, local):
    assert is_local(endpoint) == local
