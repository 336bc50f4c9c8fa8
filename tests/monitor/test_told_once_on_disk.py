"""Nobody is told of what a monitor that is killed a moment later would have forgotten."""

import numpy as np

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import NO_VALUE, RATE
from ecgmon.wire import messages
from replay.simulator.simulation import simulate
from tests.support.kills import files_left
from tests.support.rig import Rig

CALM = simulate("normal", duration_s=2).record.samples
OFF = np.full(4 * RATE, NO_VALUE)


def monitor(folder, **settings):
    """A monitor that keeps everything in a folder."""
    return Rig(folder, captured=folder / "captured", **settings)


def test_who_sent_anything_before_a_monitor_was_killed_is_missed(tmp_path):
    with monitor(tmp_path / "first") as rig:
        device = rig.device()
        device.greet("203", 7)
        device.send_all(CALM)
        device.until_acked(720)
        folder = files_left(tmp_path / "first", tmp_path / "second")
    with monitor(folder, limits=lambda _: AlarmLimits(silent_s=0.2)) as rig:
        listener = rig.newcomer().subscribed()
        assert listener.until(messages.Alarm, "203", state="raised").kind == "silent"


def test_nobody_is_told_that_an_alarm_is_paused_before_it_is_on_disk(tmp_path, gate):
    with monitor(tmp_path / "first") as rig:
        listener, device = rig.listener(), rig.device()
        device.greet("203", 7)
        device.send_all(OFF)
        number = listener.until(messages.Alarm, "203", kind="no-signal").alarm
        requests = (
            messages.Acknowledge(wearer="203", alarm=number, by="Ann"),
            messages.Acknowledge(wearer="203", alarm=number, by="Bob"),  # nothing changes by it
            messages.Pause(wearer="203", kind="abnormal", seconds=600, by="Ann"),
        )
        gate.clear()
        for request in requests:
            assert listener.viewer.say(request)
        assert messages.Done() not in listener.drain()
        gate.set()
        while listener.received.count(messages.Done()) < len(requests):
            listener.until(messages.Paused, "203")
            listener.take()
        folder = files_left(tmp_path / "first", tmp_path / "second")
    with monitor(folder) as rig:
        listener = rig.newcomer("alarm/", "paused/").subscribed()
        assert listener.all(messages.Paused, "203", kind="abnormal", by="Ann")
        assert listener.states("203") == {number: "acknowledged"}


def test_a_disk_that_hangs_keeps_no_answer_back_for_good(tmp_path, gate):
    with monitor(tmp_path) as rig:
        listener = rig.listener()
        gate.clear()
        pause = messages.Pause(wearer=None, kind="disk-low", seconds=600, by="Ann")
        assert listener.asks(pause) == messages.Done()
        gate.set()
