"""Messages that the registry makes from samples, without sockets."""

from dataclasses import replace

import numpy as np
import pytest

from ecgmon.core.errors import BundleError, RefusedError
from ecgmon.wire import Frame, messages
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from replay.player.schedule import Pace, schedule
from replay.simulator.simulation import simulate
from tests.support.rig import GENERIC

RATE = 360
LONG = simulate("normal", duration_s=60).record.samples


def opened(registry, wearer, number=7):
    hello = messages.Hello(
        wearer=wearer, stream=messages.stream_id(number), rate=360.0, leads=["II"]
    )
    return registry.open(hello, None, 0.0)[0].stream


def take(stream, record):
    for part in schedule(record, 0, len(record.samples), Pace(float("inf"))):
        frame = Frame(stream.number, part.first, 0, 360_000, record.gain, "II", part.samples)
        stream.accept(frame, arrival=0.0)


@pytest.fixture
def registry():
    return WearerRegistry(WearerPolicy(lambda _: GENERIC))


def test_traces_are_made_for_wanted_wearers_alone(registry):
    record = simulate("normal", duration_s=3).record
    for number, wearer in enumerate(("203", "119")):
        take(opened(registry, wearer, number), record)
    traces = [
        m for m in registry.advance(lambda wearer: wearer == "203") if isinstance(m, messages.Trace)
    ]
    assert [trace.wearer for trace in traces] == ["203"]
    registry = WearerRegistry(WearerPolicy(lambda _: GENERIC))
    take(opened(registry, "203"), record)
    assert not [m for m in registry.advance(lambda _: False) if isinstance(m, messages.Trace)]


@pytest.mark.parametrize("scenario", ["noise", "lead-off", "gaps"])
def test_what_is_no_signal_is_not_judged_and_what_is_judged_has_its_reason(registry, scenario):
    take(opened(registry, "203"), simulate(scenario, seed=2).record)
    windows = [m for m in registry.advance(lambda _: False) if isinstance(m, messages.Window)]
    threshold = registry.snapshot(0.0)[0].threshold
    for window in windows:
        assert (window.probability is None) == (window.abnormal is None)
        if window.state != "signal":
            assert window.probability is None
        if window.abnormal is not None:
            assert window.abnormal == (window.probability >= threshold)
            assert 0 <= window.probability <= 1
        assert window.heart_rate is None or 30 < window.heart_rate < 250
    assert [window.first for window in windows] == [i * RATE for i in range(len(windows))]
    judged = [window.abnormal is not None for window in windows]
    assert 20 < np.sum(judged) < len(judged)


def test_a_gap_in_asystole_does_not_hide_that_the_heart_beats_again():
    simulation = simulate("asystole", seed=3)
    (expected,) = simulation.expected
    for lost_s in (36, 39.5, 41.9):  # the alarm is active from 34 s, the heart beats from 42 s on
        gap = (round(lost_s * RATE), round((lost_s + 0.3) * RATE))
        registry = WearerRegistry(WearerPolicy(lambda _: GENERIC))
        take(opened(registry, "203"), replace(simulation.record, missing=(gap,)))
        received = [m for m in registry.advance(lambda _: False) if isinstance(m, messages.Alarm)]
        alarms = [m for m in received if m.kind == "asystole"]
        assert [(m.kind, m.state) for m in alarms] == [
            ("asystole", "raised"),
            ("asystole", "latched"),
        ]
        assert expected.ended[0] <= alarms[1].at <= expected.ended[1]


def test_a_stream_that_is_not_open_any_more_cannot_be_closed(registry):
    old = opened(registry, "203", 7)
    new = opened(registry, "203", 8)
    assert registry.close(old) == []
    assert registry.streams == [new]
    assert [type(message) for message in registry.close(new)] == [messages.Link, messages.Closed]
    assert registry.close(new) == []


def test_where_a_frame_is_lost_every_few_seconds_it_is_alarmed_until_they_come(registry):
    """A stopped heart could be counted anew after each gap and never be alarmed."""
    hello = messages.Hello(wearer="203", stream=messages.stream_id(7), rate=360.0, leads=["II"])
    live, found_messages = registry.open(hello, None, 0.0)
    for at in range(0, len(LONG), 72):
        if at >= 20 * 360 or at % (3 * 360 + 72) != 72:
            frame = Frame(7, at, 0, 360_000, 200.0, "II", LONG[at : at + 72])
            live.stream.accept(frame, at / 360)
        live.stream.expire(at / 360)
        found_messages += registry.advance(lambda _: False)
    alarms = [m for m in found_messages if isinstance(m, messages.Alarm)]
    assert [(m.kind, m.state) for m in alarms] == [("gaps", "raised"), ("gaps", "cleared")]
    assert alarms[0].at <= 18 * 360
    assert alarms[1].at <= 42 * 360


class Looked:
    """A policy's answers, which count how often they are asked for."""

    def __init__(self):
        self.stamps, self.asked, self.missing = {}, [], False

    def resolve(self, wearer):
        self.asked.append(wearer)
        if self.missing:
            raise BundleError("There is no model.")
        return GENERIC

    def policy(self):
        return WearerPolicy(self.resolve, stamp=self.stamps.get)

    def since(self):
        asked, self.asked = self.asked, []
        return asked


def test_models_are_looked_up_again_only_where_others_may_be_in_service():
    looked = Looked()
    registry = WearerRegistry(looked.policy())
    looked.stamps["203"] = 1
    opened(registry, "203", 7)
    opened(registry, "119", 8)  # of whom nobody can tell
    registry.take_up_models()
    looked.since()
    registry.take_up_models()
    assert looked.since() == ["119"]
    looked.stamps["203"] = 2
    registry.take_up_models()
    registry.take_up_models()
    assert sorted(looked.since()) == ["119", "119", "203"]
    registry.adopt(looked.policy())
    registry.take_up_models()
    assert sorted(looked.since()) == ["119", "203"]


def test_a_model_that_cannot_serve_is_tried_again_each_second():
    looked = Looked()
    looked.stamps["203"] = 1
    registry = WearerRegistry(looked.policy())
    opened(registry, "203", 7)
    looked.missing = True
    assert [m.kind for m in registry.take_up_models() if isinstance(m, messages.Alarm)] == [
        "no-model"
    ]
    registry.take_up_models()
    assert len(looked.since()) >= 3
    looked.missing = False
    registry.take_up_models()
    looked.since()
    registry.take_up_models()
    assert looked.since() == []


def test_places_that_other_monitors_have_taken_are_not_free_here():
    registry = WearerRegistry(WearerPolicy(lambda _: GENERIC, capacity=2))
    hellos = [
        messages.Hello(wearer=f"w{n}", stream=f"{n:016x}", rate=360.0, leads=["II"])
        for n in range(2)
    ]
    registry.share_places(1)
    registry.claim(hellos[0], 0.0)
    registry.open(hellos[0], None, 0.0)
    with pytest.raises(RefusedError, match="watches 2 wearers already"):
        registry.claim(hellos[1], 0.0)
    registry.share_places(0)
    registry.claim(hellos[1], 0.0)
