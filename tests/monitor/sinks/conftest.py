import pytest
import zmq

from monitor.network.access import Access, authenticated
from tests.monitor.sinks.test_publisher import Desk


@pytest.fixture
def desk():
    context = zmq.Context()
    with authenticated(context, Access()):
        desk = Desk(context)
        yield desk
        for socket in desk.sockets:
            socket.close(0)
    context.term()
