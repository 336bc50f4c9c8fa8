"""A server and a connection for the tests of this folder."""

import pytest

from monitor.fleet.layout import FleetLayout, prepare
from monitor.fleet.link import FleetLink
from tests.support.nats_server import NatsServer

PARTITIONS = 4


@pytest.fixture
def server(tmp_path):
    with NatsServer(tmp_path / "nats") as server:
        yield server


@pytest.fixture
def link(server):
    link = FleetLink((server.address,), "test")
    assert prepare(link, FleetLayout(partitions=PARTITIONS)) == PARTITIONS
    yield link
    link.close()
