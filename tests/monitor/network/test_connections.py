"""Limits on the number of connections, and the reasons to close one."""

import contextlib
import resource
import socket
import time

import numpy as np
import pytest

from ecgmon.wire import messages
from monitor.network import connections
from monitor.network.connections import Connections, most, own_handle, raise_limit
from tests.support.rig import PATIENCE_S, Rig


def address(rig, endpoint=None):
    host, port = (endpoint or rig.monitor.ingest).removeprefix("tcp://").split(":")
    return host, int(port)


def is_ended(raw):
    """Tell whether a connection is ended from the other side, soon."""
    raw.settimeout(2)
    try:
        while raw.recv(1000):
            pass
    except TimeoutError:
        return False
    except ConnectionResetError:
        pass
    return True


def until(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def few(monkeypatch):
    """Eight connections at once, four of one address."""
    monkeypatch.setattr("monitor.transports.most", lambda: 8)


def test_an_address_has_half_of_all_connections_and_neighbours_are_unharmed(tmp_path, few):
    with Rig(tmp_path, captured=tmp_path / "captured") as rig:
        device = rig.device()
        device.greet("ann", 7)
        assert rig.monitor._connections.open == 1
        host, port = address(rig)
        flood = [socket.create_connection((host, port)) for _ in range(50)]
        until(lambda: rig.monitor._connections.refused == 47)
        for first in range(0, 720, 72):
            device.send(first, np.zeros(72))
        device.until_acked(720)
        # Another address has room, until all together are too many.
        others = [
            socket.create_connection((host, port), source_address=("127.0.0.2", 0))
            for _ in range(4)
        ]
        third = socket.create_connection((host, port), source_address=("127.0.0.3", 0))
        assert is_ended(third)
        assert all(is_ended(raw) for raw in flood[3:])
        for raw in (*flood, *others, third):
            raw.close()
        until(lambda: rig.monitor._connections.open == 1)
        rig.device().greet("bob", 8)  # there is room again
        sample = rig.monitor.metrics.registry.get_sample_value
        until(lambda: sample("ecgmon_connections_refused_total") == 48)


def test_viewers_count_as_devices_do(tmp_path, few):
    with Rig(tmp_path) as rig:
        raws = [socket.create_connection(address(rig, rig.monitor.publish)) for _ in range(6)]
        until(lambda: rig.monitor._connections.refused == 2)
        assert sum(is_ended(raw) for raw in raws[-2:]) == 2
        for raw in raws:
            raw.close()


def test_only_a_connection_of_the_endpoint_is_touched(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        endpoint = f"tcp://127.0.0.1:{port}"
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            with accepted, (tmp_path / "file").open("w") as file:
                for other in (client.fileno(), server.fileno(), file.fileno(), 10**6):
                    assert own_handle(other, [endpoint]) is None
                assert own_handle(accepted.fileno(), ["tcp://127.0.0.1:1"]) is None
                handle = own_handle(accepted.fileno(), ["tcp://127.0.0.1:1", endpoint])
                assert handle.getpeername() == client.getsockname()
                handle.close()
    path = str(tmp_path / "ipc")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()
        client.connect(path)
        accepted, _ = server.accept()
        with accepted:
            own_handle(accepted.fileno(), [f"ipc://{path}"]).close()
            assert own_handle(accepted.fileno(), ["ipc:///elsewhere"]) is None


def test_the_monitor_keeps_handles_for_itself(monkeypatch):
    limits = {1024: 824, 300: 100, 100: 1, 10**6: 4096, resource.RLIM_INFINITY: 4096}
    for soft, expected in limits.items():
        monkeypatch.setattr(resource, "getrlimit", lambda _, soft=soft: (soft, soft))
        assert most() == expected


def test_the_soft_limit_is_raised_as_far_as_it_may_be(monkeypatch):
    asked = []
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    for soft, hard in [(1024, 20_000), (1024, 10**6), (1024, resource.RLIM_INFINITY), (4096, 4096)]:
        monkeypatch.setattr(resource, "getrlimit", lambda _, both=(soft, hard): both)
        raise_limit()
    wanted = connections.WANTED_HANDLES
    assert asked == [(20_000, 20_000), (wanted, 10**6), (wanted, resource.RLIM_INFINITY)]


@pytest.mark.parametrize("parts", [2, 3, 50])
def test_a_message_of_several_parts_ends_its_peer_and_nobody_else_s_watch(tmp_path, parts):
    with Rig(tmp_path) as rig:
        good, bad = rig.device(), rig.device()
        good.greet("ann", 7)
        bad.greet("bob", 8)
        until(lambda: rig.monitor._connections.open == 2)
        events = bad.socket.get_monitor_socket()
        bad.socket.send_multipart([bad.frame(0, np.zeros(10))] * parts)
        good.send(0, np.zeros(720))
        good.until_acked(720)
        assert events.poll(1000 * PATIENCE_S), "the connection is not ended"
        bad.socket.disable_monitor()
        events.close()
        assert all("one part" in answer.reason for answer in bad.hear_all())
        again = rig.device()
        assert again.greet("bob", 8).next == 0, "nothing of it was accepted"


@pytest.mark.parametrize("parts", [2, 5, 11])
def test_parts_are_passed_over_a_few_in_a_turn(tmp_path, monkeypatch, parts):
    monkeypatch.setattr("monitor.network.router.MAX_PARTS", 3)
    with Rig(tmp_path) as rig:
        good, bad = rig.device(), rig.device()
        good.greet("ann", 7)
        for _ in range(5):
            with contextlib.suppress(Exception):
                bad.socket.send_multipart([b"x"] * parts)
        for first in range(0, 720, 72):
            good.send(first, np.zeros(72))
        good.until_acked(720)
        good.finish(720)


def test_a_viewer_that_sends_several_parts_is_ended_too(tmp_path):
    with Rig(tmp_path) as rig:
        listener = rig.listener("window/")
        listener.socket.send_multipart([b'{"type":"subscribe","topics":[]}'] * 3)
        sample = rig.monitor.metrics.registry.get_sample_value
        until(lambda: sample("ecgmon_refused_total", {"endpoint": "publish"}) == 1)
        other = rig.listener("window/")
        other.asks(messages.History(wearer=None))


def test_connections_whose_end_went_unheard_are_forgotten(monkeypatch):
    class Nothing:
        def get_monitor_socket(self, _):
            return None

    counted = Connections(2)
    counted.watch(Nothing())
    monkeypatch.setattr(connections, "LOGGED_S", 0.0)
    counted._known[0, 10**6] = "127.0.0.1", "tcp://127.0.0.1:1"
    counted._of_one["127.0.0.1"] = 1
    counted._say("127.0.0.1")
    assert counted.open == 0
    assert not counted._of_one


def test_who_has_got_the_number_of_a_connection_that_is_gone_is_not_ended(tmp_path, monkeypatch):
    """A file handle's number is another peer's before the message of the one before is read."""
    with Rig(tmp_path) as rig:
        handles = []

        def confused(number, endpoints):
            handles.append(own_handle(rig.neighbour, endpoints))
            return handles[-1]

        monkeypatch.setattr("monitor.network.router.own_handle", confused)
        good, bad = rig.device(), rig.device()
        good.greet("ann", 7)
        rig.neighbour = next(number for _, number in rig.monitor._connections._known)
        bad.greet("bob", 8)
        bad.socket.send_multipart([b"x"] * 3)
        bad.socket.close(linger=100)
        until(lambda: handles)
        until(lambda: not rig.monitor._sources[0]._ending)
        events = good.socket.get_monitor_socket()
        good.send(0, np.zeros(720))
        good.until_acked(720)
        assert not events.poll(100), "its connection is still open"
        good.socket.disable_monitor()
        events.close()


def test_the_thread_that_libzmq_waits_for_survives_its_own_mistakes(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(connections, "_address", lambda _: 1 / 0)
    with Rig(tmp_path) as rig:
        device = rig.device()
        device.greet("ann", 7)
        until(lambda: "connections-not-counted" in caplog.text)
        monkeypatch.undo()
        rig.device().greet("bob", 8)
        assert rig.monitor._connections.is_alive()
        assert rig.monitor._connections.open == 1
