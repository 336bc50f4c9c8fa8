"""More signal than the monitor can judge: it says so, and watches in time whom it can."""

import time

import numpy as np
import pytest

from ecgmon.core.errors import RefusedError
from ecgmon.wire import messages
from monitor import daemon, overload
from monitor.overload import BUSY_S, LATE_S, Load
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from monitor.wearers.stream import Stream
from tests.support.rig import GENERIC, Rig


def many(load, lags, *, paused=False):
    """Return how many wearers are too many after each of some seconds with 100 devices."""
    found = []
    for lag in lags:
        if paused:
            load.pause()
        found.append(load.too_many([lag] * 100))
    return found


def test_one_in_twenty_is_too_many_while_the_lag_grows_and_there_is_no_pause():
    assert many(Load(), [0.5 * n for n in range(1, 12)]) == [0] * 5 + [5] + [0] * 4 + [5]


@pytest.mark.parametrize(
    ("lags", "paused"),
    [
        ([9.0 + n for n in range(20)], True),  # devices that are late, which hold up nobody
        ([60.0 - n for n in range(20)], False),  # after an outage: it catches up
        ([LATE_S / 2] * 20, False),  # a replay at full speed
    ],
)
def test_nobody_is_too_many_while_the_monitor_follows(lags, paused):
    assert not any(many(Load(), lags, paused=paused))


def test_one_wearer_alone_is_never_too_many():
    load = Load()
    assert not any(load.too_many([float(n)]) for n in range(4 * BUSY_S))


def hello(wearer, number):
    return messages.Hello(
        wearer=wearer, stream=messages.stream_id(number), rate=360.0, leads=["II"]
    )


def test_who_came_last_is_set_aside_first_and_comes_back_when_there_is_room():
    registry = WearerRegistry(WearerPolicy(lambda _: GENERIC, capacity=3))
    for number, wearer in enumerate(("ann", "bob", "cem")):
        registry.open(hello(wearer, number), None, 0.0)
    published = registry.shed(2, 10.0, "the monitor is overloaded")
    events = [m for m in published if isinstance(m, messages.Event)]
    assert [(m.wearer, m.text) for m in events] == [
        ("cem", "the monitor is overloaded"),
        ("bob", "the monitor is overloaded"),
    ]
    assert [stream.wearer for stream in registry.streams] == ["ann"]
    registry.closed_until = 60.0
    with pytest.raises(RefusedError, match="overloaded"):
        registry.claim(hello("bob", 1), 20.0)
    registry.claim(hello("bob", 1), 60.0)
    assert registry.going_on(hello("ann", 0))


@pytest.mark.thorough
def test_a_monitor_that_cannot_follow_says_so_and_follows_those_who_are_left(tmp_path, monkeypatch):
    """Each frame takes as long as if the machine were slow: four wearers of six can be judged."""
    accept_next = Stream.accept_next

    def slowly(self, frame, arrival):
        time.sleep(0.021)
        return accept_next(self, frame, arrival)

    monkeypatch.setattr(Stream, "accept_next", slowly)
    monkeypatch.setattr(overload, "SHARE", 0.3)
    monkeypatch.setattr(daemon, "LINK_S", 0.3)
    x = np.zeros(36, dtype=np.int16)
    with Rig(tmp_path) as rig:
        listener = rig.listener()
        devices = [rig.device() for _ in range(6)]
        for number, device in enumerate(devices):
            device.greet(f"w{number}", number)
        began, sent, shed = time.monotonic(), 0, set()
        while len(shed) < 2 and time.monotonic() - began < 30:
            time.sleep(max(0.0, began + sent / 10 - time.monotonic()))
            for number, device in enumerate(devices):
                if number not in shed:
                    device.send(36 * sent, x)
                while device.socket.poll(0):
                    answer = messages.decode_to_device(device.socket.recv())
                    if isinstance(answer, messages.Refused):
                        shed.add(number)
            sent += 1
        assert shed == {4, 5}
        raised = listener.until(messages.Alarm, None, kind="overload", state="raised")
        assert raised.priority == "medium"
        devices[5].say(hello("w5", 5))
        while "overloaded" not in (answer := devices[5].hear()).reason:
            assert answer.retry_s is None  # frames that were on their way
        assert 0 < answer.retry_s <= overload.CLOSED_S
