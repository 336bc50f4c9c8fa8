"""The device against a monitor's socket that the test answers from."""

import time

import numpy as np
import pytest
import zmq

from ecgmon.core.errors import EcgmonError, UsageError
from ecgmon.records import Record
from ecgmon.wire import messages
from replay.player.device import RecordDevice
from replay.player.schedule import Pace
from tests.support.desk import PATIENCE_S, Desk

RATE = 360
FULL_SPEED = Pace(float("inf"))
FRAME = 36


def record(n, missing=()):
    samples = (np.arange(n) % 30_000).astype(np.int16)
    return Record("a/203", "203", 360.0, 200.0, "MLII", samples, missing=tuple(missing))


@pytest.fixture
def context():
    context = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.fixture
def meet(context):
    """Return a function that connects a device to a desk."""
    desk, devices = Desk(context), []

    def meet(rec, pace=FULL_SPEED, *, welcome=True, patience_s=60.0):
        device = RecordDevice(rec, 0, len(rec.samples), pace, patience_s)
        device.connect(desk.endpoint, context)
        devices.append(device)
        deadline = time.monotonic() + PATIENCE_S
        while not desk.messages:
            assert time.monotonic() < deadline
            device.send_due()
            desk.read(wait_ms=1)
        if welcome:
            desk.welcome(device.stream)
            receive(device, lambda: device.publish is not None)
        return device, desk

    yield meet
    desk.socket.close()
    for device in devices:
        device.close()


def receive(device, condition):
    """Let a device take answers until a condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        device.socket.poll(20)
        device.receive()


def acknowledge(device, desk, index):
    desk.answer(messages.Ack(stream=device.stream, next=index))
    assert device.socket.poll(1000 * PATIENCE_S)
    device.receive()


def fails(device):
    """Let a device go on until it raises, and return the error's text."""
    with pytest.raises(EcgmonError) as failure:  # noqa: PT012 - it may take any number of turns
        while True:
            device.socket.poll(10)
            device.receive()
            device.send_due()
    return str(failure.value)


def test_hello_says_what_is_to_come_and_welcome_where_results_appear(meet):
    device, desk = meet(record(1000))
    (hello,) = desk.messages
    assert hello == messages.Hello(
        wearer="203", stream=device.stream, rate=360.0, leads=["MLII"], replay=True
    )
    assert device.publish == "tcp://somewhere"
    assert device.sent == 0


def test_every_sample_is_sent_once_as_the_record_has_it(meet):
    rec = record(3000, missing=[(500, 900)])
    device, desk = meet(rec)
    device.start()
    device.send_due()
    desk.read_all(device)
    acknowledge(device, desk, 3000)
    device.send_due()
    assert desk.until(messages.Bye) == messages.Bye(stream=device.stream, end=3000)
    indices = [i for frame in desk.frames for i in range(frame.first, frame.end)]
    assert indices == [*range(500), *range(900, 3000)]
    sent = np.concatenate([frame.samples for frame in desk.frames])
    assert np.array_equal(sent, rec.samples[indices])
    assert device.sent == 2600
    for frame in desk.frames:
        assert (frame.rate_mhz, frame.gain, frame.lead) == (360_000, 200.0, "MLII")
        assert messages.stream_id(frame.stream) == device.stream
        elapsed_s = (frame.device_time - desk.frames[0].device_time) / 1e9
        assert elapsed_s == pytest.approx(frame.first / RATE, abs=1e-6)


def test_two_devices_never_share_a_stream_id():
    streams = {RecordDevice(record(100), 0, 100, FULL_SPEED).stream for _ in range(100)}
    assert len(streams) == 100


def test_never_more_than_ten_seconds_are_unacknowledged(meet):
    rng = np.random.default_rng(1)
    n = 40 * RATE + 17
    device, desk = meet(record(n, missing=[(7001, 7003), (8000, 8100)]))
    device.start()
    acknowledged = 0
    while acknowledged < n:
        device.send_due()
        desk.read_all(device)
        in_flight = desk.frames[-1].end - acknowledged
        assert in_flight < 10 * RATE + FRAME
        assert in_flight >= 10 * RATE or desk.frames[-1].end == n  # and no time is lost
        ends = [frame.end for frame in desk.frames if frame.end > acknowledged]
        acknowledged = int(rng.choice(ends))
        acknowledge(device, desk, acknowledged)


def test_without_acknowledgements_ten_seconds_are_sent_and_then_nothing(meet):
    device, desk = meet(record(100 * RATE))
    device.start()
    for _ in range(5):
        device.send_due()
    desk.read_all(device)
    desk.read()
    assert desk.frames[-1].end == device.sent == 10 * RATE


def test_a_gap_longer_than_what_may_be_in_flight_blocks_only_until_it_is_acknowledged(meet):
    device, desk = meet(record(60 * RATE, missing=[(RATE, 50 * RATE)]))
    device.start()
    device.send_due()
    desk.read_all(device)
    acknowledge(device, desk, desk.frames[-1].end)
    device.send_due()
    desk.read_all(device)
    assert desk.frames[-1].end == 60 * RATE
    assert device.sent == 11 * RATE


def test_bye_is_sent_once_all_is_acknowledged_and_its_answer_is_the_end(meet):
    device, desk = meet(record(1000))
    device.start()
    device.send_due()
    desk.read_all(device)
    acknowledge(device, desk, 999)
    device.send_due()
    desk.read()
    assert not desk.all(messages.Bye)
    acknowledge(device, desk, 1000)
    device.send_due()
    desk.until(messages.Bye)
    assert not device.finished
    acknowledge(device, desk, 1000)
    assert device.finished
    acknowledge(device, desk, 500)  # an old one takes nothing back
    assert device.finished


def test_a_stop_sends_no_more_but_says_goodbye(meet):
    device, desk = meet(record(100 * RATE), Pace(1.0))
    device.start()
    device.send_due()
    device.stop()
    assert device.wait_s() == 0
    device.send_due()
    assert desk.until(messages.Bye).end == device.sent
    assert device.sent < 10 * RATE


def test_frames_of_real_time_leave_when_they_are_due(meet):
    device, desk = meet(record(RATE), Pace(2.0))
    start = time.monotonic()
    device.start()
    while not desk.messages or not isinstance(desk.messages[-1], messages.Bye):
        assert 0 <= device.wait_s() <= 1
        time.sleep(device.wait_s())
        device.send_due()
        assert device.sent <= 2 * RATE * (time.monotonic() - start) + 1e-3
        desk.read(wait_ms=10)
        if desk.frames:
            desk.answer(messages.Ack(stream=device.stream, next=desk.frames[-1].end))
            device.receive()
    assert time.monotonic() - start >= 0.5


@pytest.mark.parametrize("speed", [1.0, 10.0])
def test_a_sample_is_available_when_its_frame_is_due_even_if_that_left_late(meet, speed):
    device, _ = meet(record(100, missing=[(36, 72)]), Pace(speed))
    before = time.monotonic()
    device.start()
    after = time.monotonic()
    time.sleep(0.4)
    device.send_due()
    assert before <= device.available_at(0) - 0.1 / speed <= after
    first, later = device.available_at(35), device.available_at(36)
    assert later - first == pytest.approx((100 / RATE - 0.1) / speed, abs=1e-6)
    assert device.available_at(99) == later
    assert device.available_at(100) is None


def test_at_full_speed_a_sample_is_available_when_it_leaves(meet):
    device, _ = meet(record(100))
    device.start()
    time.sleep(0.1)
    before = time.monotonic()
    device.send_due()
    assert before <= device.available_at(50) <= time.monotonic()


def test_a_refusal_is_an_error_with_the_monitors_reason(meet):
    device, desk = meet(record(1000), welcome=False)
    desk.answer(messages.Refused(reason="This monitor takes 360 Hz, not 500 Hz."))
    assert fails(device).endswith("refused the stream: This monitor takes 360 Hz, not 500 Hz.")


@pytest.mark.parametrize("answer", [b"", b"garbage", b'{"type":"hello"}', b"\xff" * 100])
def test_an_answer_that_is_no_message_is_an_error(meet, answer):
    device, desk = meet(record(1000), welcome=False)
    desk.answer(answer)
    assert "not valid" in fails(device)


@pytest.mark.parametrize("silent", ["from the start", "after the welcome"])
def test_a_monitor_that_owes_an_answer_for_too_long_is_an_error(meet, monkeypatch, silent):
    monkeypatch.setattr("ecgmon.wire.device_client.PATIENCE_S", 0.3)
    device, _ = meet(record(1000), welcome=silent != "from the start", patience_s=0.3)
    if silent != "from the start":
        device.start()
    expected = {"from the start": "does not answer", "after the welcome": "not answered for 0.3 s"}
    assert expected[silent] in fails(device)


def test_a_monitor_that_owes_nothing_may_be_silent(meet, monkeypatch):
    monkeypatch.setattr("replay.player.device.HEARTBEAT_S", 0.05)
    device, desk = meet(
        record(3600), Pace(0.01), patience_s=0.1
    )  # the first frame is due after 10 s
    device.start()
    for _ in range(10):
        time.sleep(0.03)
        device.send_due()
    assert desk.until(messages.Heartbeat).stream == device.stream


@pytest.mark.parametrize("endpoint", ["nonsense", "tcp://127.0.0.1", "tcp://127.0.0.1:x", ""])
def test_an_endpoint_that_is_none_is_refused(context, endpoint):
    device = RecordDevice(record(100), 0, 100, FULL_SPEED)
    with pytest.raises(UsageError, match="is no endpoint to connect to") as refusal:
        device.connect(endpoint, context)
    assert str(refusal.value).startswith(endpoint)
    assert device.socket is None
