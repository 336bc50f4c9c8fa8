import threading

import pytest

from monitor.storage.capture import Capture
from monitor.storage.journal import Journal
from tests.support.rig import Rig


@pytest.fixture
def rig(tmp_path):
    with Rig(tmp_path) as rig:
        yield rig


@pytest.fixture
def gate(monkeypatch):
    """A disk that hangs while this event is not set."""
    gate = threading.Event()
    gate.set()
    for writer, method in ((Capture, "flush"), (Journal, "append")):
        monkeypatch.setattr(writer, method, _waiting(gate, getattr(writer, method)))
    yield gate
    gate.set()


def _waiting(gate, write):
    def wait(*given):
        gate.wait()
        write(*given)

    return wait
