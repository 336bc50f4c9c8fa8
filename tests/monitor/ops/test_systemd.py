"""Notifications to systemd, received by a socket like its own."""

import os
import socket
import time
from contextlib import closing

import pytest

from ecgmon.core.errors import UsageError
from monitor.ops.systemd import SystemdNotifier, watchdog_s


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    """Return a socket like systemd's, and its address for NOTIFY_SOCKET."""
    name = str(tmp_path / "n") if request.param == "path" else f"@ecgmon-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name.replace("@", "\0") if name[0] == "@" else name)
        manager.settimeout(5)
        yield manager, name


def received(manager):
    """Return all notifications received so far."""
    manager.setblocking(False)
    messages = []
    while True:
        try:
            messages.append(manager.recv(4096).decode())
        except BlockingIOError:
            return messages


def test_systemd_is_notified_of_every_change(manager):
    listener, name = manager
    with closing(SystemdNotifier({"NOTIFY_SOCKET": name})) as service:
        service.ready()
        service.status("3 wearers\nREADY=1")
        service.reloading()
        service.stopping()
    ready, status, reloading, stopping = received(listener)
    assert (ready, status, stopping) == ("READY=1", "STATUS=3 wearers?READY=1", "STOPPING=1")
    first, _, usec = reloading.rpartition("\nMONOTONIC_USEC=")
    assert first == "RELOADING=1"
    assert 0 <= time.monotonic() - int(usec) / 1e6 < 10


def test_the_watchdog_is_notified_no_more_often_than_needed(manager):
    listener, name = manager
    with closing(SystemdNotifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "400000"})) as service:
        end = time.monotonic() + 0.35
        while time.monotonic() < end:
            service.alive()
            time.sleep(0.001)
    sent = received(listener)
    assert set(sent) == {"WATCHDOG=1"}
    assert 2 <= len(sent) <= 4  # at 0, 0.1, 0.2 and 0.3 s, if nothing holds this process up


def test_without_systemd_nothing_is_sent(manager):
    listener, name = manager
    with closing(SystemdNotifier({})) as service:
        service.ready()
        service.alive()
    with closing(SystemdNotifier({"NOTIFY_SOCKET": name})) as service:
        service.alive()  # no watchdog waits
    assert received(listener) == []


def test_a_manager_that_is_gone_stops_nothing_and_is_logged_once(tmp_path, caplog):
    with closing(SystemdNotifier({"NOTIFY_SOCKET": str(tmp_path / "none")})) as service:
        service.ready()
        service.alive()
        service.stopping()
        service.alive()
    assert [record.getMessage() for record in caplog.records] == [
        'event=notify-failed error="No such file or directory"'
    ]


def test_a_manager_that_does_not_listen_never_holds_the_monitor_up(manager):
    listener, name = manager
    with closing(SystemdNotifier({"NOTIFY_SOCKET": name})) as service:
        before = time.monotonic()
        for _ in range(5000):  # more than a socket's buffer takes
            service.status("busy")
        assert time.monotonic() - before < 5
        assert set(received(listener)) == {"STATUS=busy"}
        service.ready()
        assert received(listener) == ["READY=1"]


@pytest.mark.parametrize("name", ["relative", "/" + 200 * "x"])
def test_what_can_be_no_socket_is_refused(name):
    with pytest.raises(UsageError, match="is no socket"):
        SystemdNotifier({"NOTIFY_SOCKET": name})


@pytest.mark.parametrize(
    ("usec", "pid", "expected"),
    [
        ("10000000", None, 10.0),
        ("10000000", os.getpid(), 10.0),
        ("10000000", os.getpid() + 1, None),
        ("0", None, None),
        ("-1", None, None),
        ("soon", None, None),
        (None, None, None),
    ],
    ids=["anyone's", "ours", "another's", "zero", "negative", "no number", "none"],
)
def test_the_watchdog_is_meant_for_this_process_or_nobody(usec, pid, expected):
    given = {"WATCHDOG_USEC": usec, "WATCHDOG_PID": pid and str(pid)}
    assert watchdog_s({name: value for name, value in given.items() if value}) == expected
