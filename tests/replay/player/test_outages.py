"""A device whose connection breaks, and whose monitor hangs, dies, forgets or refuses."""

import time

import numpy as np
import pytest
import zmq

from ecgmon.core.errors import EcgmonError
from ecgmon.records import Record
from ecgmon.wire import Frame, messages
from replay.player.device import RecordDevice
from replay.player.schedule import Pace
from tests.support.desk import PATIENCE_S, Keeper
from tests.support.proxy import Proxy

RATE = 360
FULL_SPEED = Pace(float("inf"))
REAL_TIME = Pace(1.0)
TURN_S = 0.0005


def record(seconds, missing=()):
    samples = (np.arange(seconds * RATE) % 30_000).astype(np.int16)
    return Record("a/203", "203", 360.0, 200.0, "MLII", samples, missing=tuple(missing))


class Scene:
    """A device that plays, through a network that fails on command, to a monitor in the test."""

    def __init__(self, context, rec, pace=FULL_SPEED, slack=0, **given):
        self.record = rec
        self.keeper = Keeper(context, slack)
        self.proxy = Proxy(self.keeper.endpoint)
        self.device = RecordDevice(rec, 0, len(rec.samples), pace, **given)
        self.device.connect(self.proxy.endpoint, context)

    def turn(self):
        self.device.receive()
        self.device.send_due()
        self.keeper.turn()

    def until(self, condition):
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline
            self.turn()
            time.sleep(TURN_S)  # the network is a thread of this process

    def for_s(self, seconds):
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end)

    def begin(self):
        self.until(lambda: self.device.publish)
        self.device.start()

    def finish(self):
        self.until(lambda: self.device.finished)
        assert self.keeper.all(messages.Bye)[-1].end == self.device.retransmit.end
        assert (
            self.device.retransmit.acknowledged + self.device.retransmit.dropped == self.device.sent
        )

    def all_arrived_in_order(self):
        samples, gaps = self.keeper.samples()
        missing = self.record.missing
        retransmit = np.ones(len(self.record.samples), dtype=bool)
        for start, stop in missing:
            retransmit[start:stop] = False
        return tuple(gaps) == missing and np.array_equal(samples, self.record.samples[retransmit])


@pytest.fixture
def scene():
    context, scenes = zmq.Context(), []

    def scene(*args, **given):
        scenes.append(Scene(context, *args, **given))
        scenes[-1].proxy.__enter__()
        return scenes[-1]

    yield scene
    for each in scenes:
        each.proxy.__exit__()
    context.destroy(linger=0)


@pytest.mark.thorough
def test_every_sample_arrives_in_order_though_the_connection_is_cut_fifty_times(scene):
    rec = record(500, missing=[(777, 999), (100 * RATE + 5, 104 * RATE)])
    s = scene(rec, slack=7)
    s.begin()
    for i in range(1, 51):
        s.until(lambda i=i: s.keeper.next >= i * 9 * RATE and s.device.reconnects == i - 1)
        s.proxy.cut()
    s.finish()
    assert s.all_arrived_in_order()
    assert s.device.reconnects == s.proxy.cuts == 50
    assert s.device.retransmit.resent > 0
    assert s.device.sent == np.sum([len(rec.samples), -222, 5 - 4 * RATE])
    assert s.device.retransmit.dropped == 0


def test_every_sample_arrives_though_the_monitor_dies_and_loses_what_was_not_on_disk(scene):
    s = scene(record(60), slack=9)
    s.begin()
    for i in range(1, 6):
        s.until(lambda i=i: s.keeper.next >= i * 10 * RATE)
        s.keeper.fail()
    s.finish()
    assert s.all_arrived_in_order()
    assert s.device.reconnects == 5


def test_a_slow_and_shaky_network_delays_samples_but_loses_none(scene):
    s = scene(record(60))
    s.proxy.delay_s = (0.0, 0.03)
    s.begin()
    for i in range(1, 6):
        s.until(lambda i=i: s.keeper.next >= i * 9 * RATE)
        s.proxy.cut()
    s.finish()
    assert s.all_arrived_in_order()


def test_a_monitor_that_hangs_is_given_up_and_found_again(scene, monkeypatch, caplog):
    monkeypatch.setattr("ecgmon.wire.device_client.SILENCE_S", 0.1)
    s = scene(record(60))
    s.begin()
    s.until(lambda: s.keeper.next >= 20 * RATE)
    s.proxy.stalled = True
    s.for_s(0.3)
    assert s.device.reconnects == 0
    s.proxy.stalled = False
    s.finish()
    assert s.all_arrived_in_order()
    assert s.device.reconnects >= 1
    logged = [record.getMessage() for record in caplog.records]
    assert logged[:2] == [
        "wearer=203 connection to the monitor lost (no answer came), trying again for 60 s",
        "wearer=203 connected to the monitor again",
    ]


def test_in_real_time_samples_are_buffered_while_the_monitor_is_away_and_sent_later(scene):
    s = scene(record(2), REAL_TIME)
    s.begin()
    s.until(lambda: s.keeper.next >= RATE // 3)
    s.proxy.refusing = True
    s.proxy.cut()
    s.for_s(0.8)
    assert s.keeper.next < RATE
    assert s.device.retransmit.end >= RATE
    s.proxy.refusing = False
    s.finish()
    assert s.all_arrived_in_order()
    first = s.device.available_at(0)
    assert s.device.available_at(RATE) - first == pytest.approx(1, abs=0.1)


def test_what_no_longer_fits_is_dropped_counted_and_a_gap(scene, monkeypatch):
    monkeypatch.setattr("replay.player.device.KEPT_S", 0.5)
    s = scene(record(2), REAL_TIME)
    s.proxy.refusing = True
    s.proxy.cut()
    s.for_s(0.1)
    s.device.start()
    s.for_s(1)
    assert s.device.retransmit.span <= RATE // 2
    s.proxy.refusing = False
    s.until(lambda: s.device.finished)
    dropped = s.device.retransmit.dropped
    assert dropped >= 0.3 * RATE
    samples, gaps = s.keeper.samples()
    assert gaps == [(0, dropped)]
    assert np.array_equal(samples, s.record.samples[dropped:])
    assert s.device.sent == s.device.retransmit.acknowledged == 2 * RATE - dropped


@pytest.mark.parametrize("when", ["at first", "after a cut"])
def test_a_refusal_for_now_is_waited_out(scene, when):
    s = scene(record(30))
    if when == "after a cut":
        s.begin()
        s.until(lambda: s.keeper.next > RATE)
        s.proxy.cut()
    busy = messages.Refused(reason="Too many at once.", retry_s=0.2)
    s.keeper.refusals = [busy, busy]
    s.until(lambda: not s.keeper.refusals)
    s.until(lambda: s.device.publish)
    if when == "at first":
        s.device.start()
    s.finish()
    assert s.all_arrived_in_order()
    assert np.all(np.diff(s.keeper.hellos[-3:]) >= 0.2)


def test_a_refusal_for_good_is_the_end_though_the_stream_was_welcome_before(scene):
    s = scene(record(30))
    s.begin()
    s.until(lambda: s.keeper.next > RATE)
    s.keeper.refusals = [messages.Refused(reason="The key is revoked.")]
    s.proxy.cut()
    with pytest.raises(EcgmonError, match="refused the stream: The key is revoked"):
        s.finish()


def test_a_monitor_that_forgot_the_connection_is_greeted_again(scene):
    s = scene(record(30))
    s.begin()
    s.until(lambda: s.keeper.next > RATE)
    s.keeper._owner = None
    s.finish()
    assert s.all_arrived_in_order()
    assert s.device.reconnects == 1


def test_a_monitor_that_only_ever_refuses_frames_is_an_error_in_the_end(scene):
    s = scene(record(30), patience_s=0.5)
    s.begin()

    def refuse(_):
        s.keeper.answer(messages.Refused(reason="No room on the disk."))

    s.keeper._take = refuse
    with pytest.raises(EcgmonError, match="refused the stream: No room on the disk"):
        s.finish()
    assert 1 < len(s.keeper.hellos) < 6  # and is not pestered


def test_a_monitor_that_stays_away_is_an_error_once_patience_is_over(scene):
    s = scene(record(30), patience_s=0.4)
    s.begin()
    s.until(lambda: s.keeper.next > RATE)
    s.proxy.refusing = True
    s.proxy.cut()
    before = time.monotonic()
    with pytest.raises(EcgmonError, match=r"has not answered for 0\.4 s"):
        s.finish()
    assert 0.3 < time.monotonic() - before < 3


def test_a_monitor_that_is_ahead_is_sent_only_what_it_lacks(scene):
    s = scene(record(30))
    s.until(lambda: s.keeper.hellos)
    s.proxy.cut()
    s.keeper.write(
        Frame(1, at, 0, 360_000, 200.0, "MLII", s.record.samples[at : at + RATE])
        for at in range(0, 8 * RATE, RATE)
    )
    s.begin()
    s.until(lambda: s.device.finished)
    assert s.device.sent == 22 * RATE
    assert s.all_arrived_in_order()


def test_a_monitor_that_lost_everything_is_sent_what_is_still_buffered(scene):
    s = scene(record(30))
    s.begin()
    s.until(lambda: s.keeper.next >= 20 * RATE)
    before = s.keeper.next
    s.keeper.fail(forget=True)
    s.finish()
    samples, gaps = s.keeper.samples()
    assert len(gaps) == 1
    assert gaps[0][0] == 0
    assert np.array_equal(samples, s.record.samples[gaps[0][1] :])
    assert 0 < gaps[0][1] <= before  # only what was acknowledged is gone


def test_once_finished_it_is_quiet_though_the_connection_breaks(scene):
    s = scene(record(2))
    s.begin()
    s.finish()
    s.proxy.cut()
    s.for_s(0.2)
    assert len(s.keeper.hellos) == 1


def test_bye_is_sent_again_if_its_answer_was_lost(scene):
    s = scene(record(2))
    s.begin()
    carry_out = s.keeper._carry_out

    def deaf(message):
        if not isinstance(message, messages.Bye):
            carry_out(message)

    s.keeper._carry_out = deaf
    s.until(lambda: not s.device.retransmit)
    s.for_s(0.05)
    s.keeper._carry_out = carry_out
    s.proxy.cut()
    s.finish()
    assert s.device.reconnects == 1
    assert len(s.keeper.all(messages.Bye)) == 1
