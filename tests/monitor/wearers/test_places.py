"""A full ward: who gets a place, who gives one up, and who is informed."""

import logging
import time

import numpy as np
import pytest

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import NO_VALUE
from ecgmon.wire import messages
from monitor import daemon
from replay.simulator.simulation import simulate
from tests.support.rig import Rig

CALM = simulate("normal", duration_s=20).record.samples


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(daemon, "LINK_S", 0.02)


def full(folder, capacity, **more):
    limits = AlarmLimits(silent_s=0.4)
    return Rig(
        folder, capacity=capacity, limits=lambda _: limits, captured=folder / "captured", **more
    )


def test_the_longest_silent_wearer_gives_its_place_up_and_its_alarms_stay_active(tmp_path):
    with full(tmp_path, 2) as rig:
        listener, gone, late, new = rig.listener(), rig.device(), rig.device(), rig.device()
        gone.greet("gone", 1)
        gone.send_all(np.full(4 * 360, NO_VALUE))  # a lead is off
        gone.until_acked(4 * 360)
        listener.until(messages.Alarm, "gone", kind="no-signal", state="raised")
        late.greet("late", 2)
        listener.until(messages.Alarm, "gone", kind="silent", state="raised")
        listener.until(messages.Alarm, "late", kind="silent", state="raised")
        late.send(0, CALM[:100])  # it sends again
        listener.until(messages.Alarm, "late", kind="silent", state="cleared")
        assert new.greet("new", 3).next == 0
        assert listener.until(messages.Event, "gone", event="place-lost").text
        assert not listener.all(messages.Closed, "gone")
        newcomer = rig.newcomer().subscribed()
        states = {alarm.kind: alarm.state for alarm in newcomer.all(messages.Alarm, "gone")}
        assert states == {"no-signal": "raised", "silent": "raised"}
        gone.send(4 * 360, CALM[:100])
        gone.is_refused("say hello first")
        new.finish(0)
        again = rig.device()
        assert again.greet("gone", 1).next == 4 * 360, "it goes on where it was"
        again.send_all(CALM[: 5 * 360], first=4 * 360)
        again.until_acked(9 * 360)
        listener.until(messages.Alarm, "gone", kind="silent", state="cleared")
        listener.until(messages.Alarm, "gone", kind="no-signal", state="cleared")


def test_who_is_refused_for_want_of_room_is_alarmed_until_there_is_room(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    with full(tmp_path, 1) as rig:
        listener, here, refused = rig.listener(), rig.device(), rig.device()
        here.greet("here", 1)
        here.send(0, CALM[:10])
        refused.hello("late", 2)
        refused.is_refused("watches 1 wearers already")
        raised = listener.until(messages.Alarm, None, kind="room", state="raised")
        assert (raised.priority, raised.category) == ("medium", "technical")
        assert "all 1 places are taken" in raised.text
        assert "late" not in raised.text, "viewers of one wearer read it, too"
        here.finish(10)
        listener.until(messages.Alarm, None, kind="room", state="cleared")
        refused.greet("late", 2)


def test_a_ward_whose_devices_all_vanish_is_open_to_others(tmp_path):
    with full(tmp_path, 4) as rig:
        vanished = rig.device()
        for round_ in range(3):
            for number in range(4):
                vanished.greet(f"v{round_}-{number}", 10 * round_ + number)
            time.sleep(0.5)
        found_messages = rig.newcomer("alarm/", "opened/").subscribed().received
        silent = {
            m.wearer for m in found_messages if isinstance(m, messages.Alarm) and m.kind == "silent"
        }
        assert silent == {f"v{round_}-{number}" for round_ in range(3) for number in range(4)}
        open_ = {m.wearer for m in found_messages if isinstance(m, messages.Opened)}
        assert open_ == {f"v2-{number}" for number in range(4)}
