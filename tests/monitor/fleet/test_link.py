"""A machine without NATS, or with one that does not serve, gets one clear sentence."""

import asyncio
import builtins
import re
import time

import pytest

from monitor.fleet import link as module
from monitor.fleet.layout import FleetLayout, prepare
from monitor.fleet.link import FleetError, FleetLink, Mailbox


@pytest.mark.thorough
def test_nobody_answers():
    with pytest.raises(
        FleetError, match=r"No NATS server answers at nats://127\.0\.0\.1:1 .*start it"
    ):
        FleetLink(("nats://127.0.0.1:1",), "test")


def test_the_extra_is_missing(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "nats":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(FleetError, match=re.escape(module.NOT_INSTALLED)):
        FleetLink(("nats://127.0.0.1:1",), "test")


def test_a_server_that_is_too_old(server, monkeypatch):
    monkeypatch.setattr(module, "LEAST_VERSION", (99, 0))
    with pytest.raises(FleetError, match=r"is version 2\.\d+: a fleet needs 99\.0 or newer"):
        FleetLink((server.address,), "test")


def test_a_server_without_room(server):
    link = FleetLink((server.address,), "test")
    with pytest.raises(FleetError, match=r"does not let a fleet begin .*room for 1e.09 GB"):
        prepare(link, FleetLayout(max_gb=1e9))
    link.close()


def test_a_fleet_that_is_there_keeps_its_partitions(link):
    assert prepare(link, FleetLayout(partitions=7)) == 4


def test_a_mailbox_can_be_polled():
    box = Mailbox()
    assert box.take() is None
    for number in range(3):
        box.put(number)
    assert len(box) == 3
    assert [box.take() for _ in range(4)] == [0, 1, 2, None]
    box.close()


def test_a_connection_that_is_lost_ends_at_once(server):
    link = FleetLink((server.address,), "test")
    waiting = link.start(asyncio.sleep(60))
    server.kill()
    while link.connected:
        time.sleep(0.02)
    began = time.monotonic()
    link.close()
    assert time.monotonic() - began < 2
    assert waiting.cancelled()
