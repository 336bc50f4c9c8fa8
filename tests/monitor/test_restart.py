"""A monitor that was stopped, or killed, goes on where it was."""

import time
from dataclasses import replace

import numpy as np
import pytest

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import NO_VALUE
from ecgmon.wire import messages
from monitor import daemon
from replay.player.resampled import at_rate
from replay.simulator.simulation import simulate
from tests.monitor.storage.test_journal import journal_messages
from tests.support.kills import files_left
from tests.support.rig import QUIET_MS, Rig, assert_same, output_of

RATE = 360
PREMATURE = simulate("premature", duration_s=40).record.samples
CALM = simulate("normal", duration_s=20).record.samples
OFF = np.full(4 * RATE, NO_VALUE)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(daemon, "LINK_S", 0.05)


def monitor(folder, **settings):
    """A monitor that keeps everything in a folder."""
    return Rig(folder, captured=folder / "captured", **settings)


def spoken_of(folder):
    """Return the windows and alarms in a journal, in its order."""
    stored = [m for m in journal_messages(folder / "journal.db") if isinstance(m, messages.Window)]
    return output_of(stored, "203")


def undisturbed(folder):
    with monitor(folder) as rig:
        device = rig.device()
        device.greet("203", 7)
        device.send_all(PREMATURE)
        device.finish(len(PREMATURE))
    return spoken_of(folder)


@pytest.mark.parametrize("end", ["stopped", "killed", "killed early"])
def test_a_stream_goes_on_from_the_captured_signal_and_each_second_is_published_once(tmp_path, end):
    sent = 3 * RATE + 100 if end == "killed early" else 20 * RATE + 100
    folder = tmp_path / "first"
    with monitor(folder) as rig:
        listener, device = rig.listener(), rig.device()
        device.greet("203", 7)
        device.send_all(PREMATURE[:sent])
        device.until_acked(sent)
        if end == "killed":
            listener.until(messages.Window, "203", first=18 * RATE)
        if end != "stopped":
            folder = files_left(folder, tmp_path / "second")
    with monitor(folder) as rig:
        device = rig.device()
        assert device.greet("203", 7).next == sent
        device.say(messages.Heartbeat(stream=messages.stream_id(7)))
        assert device.hear().next == sent
        device.send_all(PREMATURE[sent - 50 :], first=sent - 50)
        device.finish(len(PREMATURE))
    windows = spoken_of(folder)
    assert [window["first"] for window in windows] == list(range(0, 39 * RATE, RATE))
    assert_same(windows, undisturbed(tmp_path / "alone"))
    alarms = [m for m in journal_messages(folder / "journal.db") if isinstance(m, messages.Alarm)]
    assert {alarm.kind for alarm in alarms} <= {"abnormal"}


def test_alarms_and_pauses_come_back_as_they_were_and_are_not_raised_again(tmp_path):
    with monitor(tmp_path) as rig:
        listener, device, other = rig.listener(), rig.device(), rig.device()
        device.greet("203", 7)
        latching = simulate("asystole", seed=3).record.samples
        device.send_all(latching)
        listener.until(messages.Alarm, "203", kind="asystole", state="latched")
        other.greet("119", 8)
        other.send_all(CALM[:720])
        other.send_all(OFF, first=720)
        number = listener.until(messages.Alarm, "119", kind="no-signal").alarm
        request = messages.Acknowledge(wearer="119", alarm=number, by="Ann")
        assert listener.asks(request) == messages.Done()
        pause = messages.Pause(wearer="119", kind="abnormal", seconds=600, by="Ann")
        assert listener.asks(pause) == messages.Done()
        device.until_acked(len(latching))
        other.until_acked(720 + len(OFF))
        before = rig.newcomer("alarm/", "paused/").subscribed().received
    assert {m.state for m in before if isinstance(m, messages.Alarm)} >= {"latched", "acknowledged"}
    with monitor(tmp_path) as rig:
        listener = rig.newcomer("alarm/", "paused/").subscribed()
        assert sorted(map(repr, listener.received)) == sorted(map(repr, before))
        listener.received.clear()
        device, other = rig.device(), rig.device()
        assert device.greet("203", 7).next == len(latching)
        assert other.greet("119", 8).next == 720 + len(OFF)
        time.sleep(QUIET_MS / 1000)
        assert [m for m in listener.drain() if isinstance(m, messages.Alarm)] == []
        other.send_all(CALM, first=720 + len(OFF))
        cleared = listener.until(messages.Alarm, "119", alarm=number)
        assert (cleared.kind, cleared.state) == ("no-signal", "cleared")


def test_whose_stream_had_not_ended_is_missed_until_it_is_back(tmp_path):
    with monitor(tmp_path) as rig:
        for number, wearer in enumerate(("203", "119")):
            device = rig.device()
            device.greet(wearer, number)
            device.send_all(CALM[:720])
            device.until_acked(720)
        device.finish(720)
    with monitor(tmp_path, limits=lambda _: AlarmLimits(silent_s=0.2)) as rig:
        listener = rig.newcomer().subscribed()
        missed = listener.until(messages.Alarm, "203")
        assert (missed.kind, missed.state) == ("silent", "raised")
        device = rig.device()
        assert device.greet("203", 0).next == 720
        assert listener.until(messages.Alarm, "203", state="cleared").alarm == missed.alarm
        assert listener.all(messages.Alarm, "119") == []


def test_a_wearer_who_never_comes_back_is_given_up(tmp_path):
    with monitor(tmp_path) as rig:
        rig.device().greet("203", 7)
    with monitor(tmp_path, limits=lambda _: AlarmLimits(silent_s=0.1), forget_s=0.3) as rig:
        listener = rig.newcomer().subscribed()
        listener.until(messages.Alarm, "203", kind="silent", state="raised")
        listener.until(messages.Alarm, "203", kind="silent", state="cleared")
        assert listener.all(messages.Closed, "203")
    with monitor(tmp_path, limits=lambda _: AlarmLimits(silent_s=0.1)) as rig:
        listener = rig.newcomer().subscribed()
        time.sleep(0.3)
        assert set(listener.drain()) == {messages.Subscribed()}  # nobody is missed any more


def test_numbers_of_alarms_are_never_used_again(tmp_path):
    def off(rig, stream):
        """Return the number of an alarm of a stream that comes and goes."""
        listener, device = rig.listener(), rig.device()
        device.greet("203", stream)
        device.send_all(OFF)
        number = listener.until(messages.Alarm, "203", kind="no-signal").alarm
        device.finish(len(OFF))
        listener.until_over("203")
        time.sleep(0.15)  # the monitor looks after wearers that are gone
        return number

    numbers = []
    for _ in range(2):
        with monitor(tmp_path) as rig:
            numbers += [off(rig, len(numbers)), off(rig, len(numbers) + 1)]
    assert numbers == [1, 2, 3, 4]


def test_another_stream_begins_anew(tmp_path):
    with monitor(tmp_path) as rig:
        device = rig.device()
        device.greet("203", 7)
        device.send_all(CALM[:720])
        device.until_acked(720)
    with monitor(tmp_path) as rig:
        assert rig.device().greet("203", 8).next == 0


def test_a_short_memory_makes_no_alarm(tmp_path):
    """The recovered tail has one gain: here it is one second, which may hold a single beat."""
    with monitor(tmp_path) as rig:
        device = rig.device()
        device.greet("203", 7)
        device.send_all(CALM[: 10 * RATE])
        device.send(10 * RATE, CALM[10 * RATE : 11 * RATE], gain=201.0)
        device.until_acked(11 * RATE)
    with monitor(tmp_path) as rig:
        listener, device = rig.listener(), rig.device()
        assert device.greet("203", 7).next == 11 * RATE
        device.send_all(CALM[11 * RATE :], first=11 * RATE, gain=201.0)
        device.until_acked(len(CALM))
        listener.until(messages.Window, "203", first=18 * RATE)
        assert listener.all(messages.Alarm, "203") == []


def test_a_gain_that_came_back_does_not_hide_what_is_captured(tmp_path):
    with monitor(tmp_path) as rig:
        device = rig.device()
        device.greet("203", 7)
        for at, gain in enumerate((200.0, 201.0, 200.0)):
            device.send(at * RATE, CALM[at * RATE : (at + 1) * RATE], gain=gain)
        device.until_acked(3 * RATE)
    with monitor(tmp_path) as rig:
        assert rig.device().greet("203", 7).next == 3 * RATE


def test_a_hello_that_is_looked_up_at_the_end_is_left_to_the_next_monitor(tmp_path, gate):
    """Otherwise this monitor's messages about the stream would be lost without notice."""
    with monitor(tmp_path) as rig:
        listener, device = rig.listener(), rig.device()
        gate.clear()
        device.hello("203", 7)
        device.hello("119", 8)
        listener.asks(messages.Acknowledge(wearer="203", alarm=1, by="Ann"))
        time.sleep(QUIET_MS / 1000)
        rig.monitor.stop()
        time.sleep(0.3)  # the last tick is over
        gate.set()
        rig.stop()
        assert device.hears_nothing()
    assert journal_messages(tmp_path / "journal.db") == []


def test_other_limits_are_applied_while_a_stream_is_open_and_what_is_not_is_logged(
    tmp_path, caplog
):
    with monitor(tmp_path) as rig:
        listener, device = rig.listener(), rig.device()
        device.greet("203", 7)
        device.send_all(CALM[: 5 * RATE])
        listener.until(messages.Window, "203", first=3 * RATE)
        limits = AlarmLimits(low_rate=40, high_rate=50, extreme_high_rate=290)  # it beats faster
        policy = replace(rig.settings.policy, limits=lambda _: limits)
        elsewhere = ("tcp://127.0.0.1:1",)
        rig.monitor.reload(replace(rig.settings, policy=policy, publish=elsewhere, window_days=1))
        time.sleep(0.2)
        device.send_all(CALM[5 * RATE :], first=5 * RATE)
        assert listener.until(messages.Alarm, "203").kind == "high-rate"
        device.until_acked(len(CALM))
        listener.until(messages.Window, "203", first=18 * RATE)
        assert {alarm.kind for alarm in listener.all(messages.Alarm, "203")} == {"high-rate"}
    assert "event=restart-needed settings=publish,window_days" in caplog.text


@pytest.mark.parametrize("rate", [250, 360, 1000])
def test_a_gap_just_before_a_monitor_was_killed_is_a_gap_for_the_next_one(tmp_path, rate):
    """Its history is no signal, its scale begins anew: the same verdicts as of one that lived."""
    record = at_rate(simulate("premature", duration_s=40).record, rate)
    lost, sent = (round(18.2 * rate), round(18.9 * rate)), round(20.5 * rate)
    parts = (record.samples[: lost[0]], record.samples[lost[1] : sent], record.samples[sent:])

    def play(device, first, samples):
        device.send_all(samples, first, size=rate, rate_mhz=rate * 1000, gain=record.gain)

    def began(rig):
        device = rig.device()
        device.hello("203", 7, rate=float(rate))
        assert isinstance(device.hear(), messages.Welcome)
        return device

    for name in ("alone", "first"):
        with monitor(tmp_path / name) as rig:
            device = began(rig)
            play(device, 0, parts[0])
            play(device, lost[1], parts[1])
            if name == "alone":
                play(device, sent, parts[2])
                device.finish(len(record.samples))
            else:
                device.until_acked(sent)
                left = files_left(tmp_path / name, tmp_path / "second")
    with monitor(left) as rig:
        device = began(rig)
        play(device, sent, parts[2])
        device.finish(len(record.samples))
    assert_same(spoken_of(left), spoken_of(tmp_path / "alone"))
    found_messages = [
        m for m in journal_messages(left / "journal.db") if isinstance(m, messages.Gap)
    ]
    assert len(found_messages) == 1
