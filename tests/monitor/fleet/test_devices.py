"""A wearer's portions are said as a device says them."""

import time

from ecgmon.wire import Frame, messages
from monitor.fleet.devices import KEPT, FleetDevice
from monitor.fleet.states import BOOT, WearerRecord
from tests.support.fleet import FleetWearer

STREAM = messages.stream_id(7)


def portions(seconds=3):
    one = FleetWearer("ann", 7, [0] * (360 * seconds))
    return [one.portion() for _ in range(seconds)]


def welcome(device):
    assert messages.decode_from_device(device.next(0.0)) == portions()[0].hello
    assert device.next(0.0) is None
    device.take(messages.Welcome(stream=STREAM, next=0, lead="II", publish=""))


def frames(device):
    """Return the indices of the frames that come next, and what comes after them."""
    found = []
    while (data := device.next(0.0)) is not None and data.startswith(b"ECGF"):
        found.append(Frame.decode(data).first)
    return found, data and messages.decode_from_device(data)


def test_hello_frames_and_goodbye():
    device = FleetDevice("ann", None)
    for number, portion in enumerate(portions(), 1):
        device.put(number, portion)
    welcome(device)
    assert frames(device) == ([*range(0, 1080, 90)], messages.Bye(stream=STREAM, end=1080))
    assert device.handed == 2, "a goodbye is handed out once it is carried out"
    device.take(messages.Ack(stream=STREAM, next=720, seen=1080))
    assert device.handed == 2
    device.take(messages.Ack(stream=STREAM, next=1080))
    assert (device.handed, device.waiting, device.held) == (3, None, 0)


def test_what_is_in_the_state_is_left_out():
    record = WearerRecord(2, BOOT, 0.0, STREAM, 720, 360.0, b"x")
    device = FleetDevice("ann", record)
    for number, portion in enumerate(portions(), 1):
        device.put(number, portion)
    assert device.waiting == 3
    assert device.newest == (STREAM, 1080)
    welcome(device)
    assert frames(device)[0] == [*range(720, 1080, 90)]


def test_who_is_refused_says_hello_later_and_keeps_what_is_new():
    device = FleetDevice("ann", None)
    for number, portion in enumerate(portions(KEPT + 30), 1):
        device.put(number, portion)
    device.next(0.0)
    device.take(messages.Refused(reason="No room.", retry_s=60.0))
    assert device.next(time.monotonic()) is None
    assert device.waiting == 31
    assert messages.decode_from_device(device.next(time.monotonic() + 61)) == portions()[0].hello


def test_the_time_on_another_machine_is_counted_in_samples():
    record = WearerRecord(2, "another", 1000.0, STREAM, 720, 360.0, b"x")
    assert record.ahead_s(5.0, STREAM, 720 + 3600) == 5.0 - 1000.0 - 10.0
    assert record.ahead_s(5.0, messages.stream_id(8), 9999) == -995.0
