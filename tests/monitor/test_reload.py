"""A configuration that is read again while streams are open."""

import time
from dataclasses import replace

import pytest

from ecgmon.core.errors import BundleError
from ecgmon.wire import messages
from monitor import daemon
from monitor.wearers import registry as registry
from replay.simulator.simulation import simulate
from tests.support.rig import GENERIC, Rig

CALM = simulate("normal", duration_s=10).record.samples


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(daemon, "LINK_S", 0.02)


def reload(rig, **policy):
    """Let the monitor apply another policy."""
    settings = replace(rig.settings, policy=replace(rig.settings.policy, **policy))
    rig.monitor.reload(settings)
    time.sleep(0.15)


@pytest.mark.parametrize("capacity", [1, 3])
def test_there_is_room_for_as_many_wearers_as_at_the_start(tmp_path, capacity):
    with Rig(tmp_path, capacity=2) as rig:
        rig.device().greet("203", 7)
        reload(rig, capacity=capacity)
        rig.device().greet("119", 8)
        late = rig.device()
        late.hello("230", 9)
        late.is_refused("watches 2 wearers")


def test_the_model_that_goes_on_is_no_news(tmp_path):
    with Rig(tmp_path) as rig:
        listener, device = rig.listener(), rig.device()
        device.greet("203", 7)
        reload(rig, forget_s=1000.0)
        device.finish(0)
        listener.until(messages.Closed, "203")
        assert listener.all(messages.Swap, "203") == []


def test_a_stream_that_cannot_begin_ends_none(tmp_path, monkeypatch):
    """The stream that is open goes on, because ending it would lose its messages."""
    monkeypatch.setattr(registry, "TAKEOVER_S", 0.0)

    def missing(_):
        raise BundleError("There is no model.")

    with Rig(tmp_path) as rig:
        listener, device, other = rig.listener(), rig.device(), rig.device()
        device.greet("203", 7)
        reload(rig, resolve=missing)
        other.hello("203", 8)
        other.is_refused("no model")
        reload(rig, resolve=lambda _: GENERIC)
        device.send_all(CALM)
        device.until_acked(len(CALM))
        listener.until(messages.Window, "203", stream=messages.stream_id(7))
        assert listener.all(messages.Closed, "203") == []
