"""A wearer's own model is told to be out of date once the usual beat is another one for long."""

import numpy as np
import pytest

from ecgmon.core.constants import RATE
from ecgmon.models.bundle import Model
from ecgmon.models.card import Card
from ecgmon.signal.offline import windows_and_beats
from ecgmon.signal.usual_beat import middle
from ecgmon.wire import Frame, messages
from monitor.alarms.conditions.usual_beat import KIND, MINUTES
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from replay.simulator.simulation import simulate
from tests.support.beat_bundles import of_wearer
from tests.support.rig import GENERIC

MINUTE = 60 * RATE
BEFORE, LONG = 2, MINUTES + 1
HEART = simulate("normal", seed=4, duration_s=60 * LONG).record
REVERSED = (-HEART.samples).astype(np.int16)
"""The same heart where both electrodes have changed places."""
SIGNAL = np.concatenate([HEART.samples[: BEFORE * MINUTE], REVERSED, HEART.samples])
"""As enrolled, then another beat for long, then the first again for as long."""
BEGINS, ENDS = (BEFORE + MINUTES) * MINUTE, (BEFORE + LONG + MINUTES) * MINUTE


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """The generic model as if it were a wearer's own, enrolled on five minutes."""
    ((_, usual),) = windows_and_beats(HEART.millivolts()[None, : 5 * MINUTE], SEES)
    path = tmp_path_factory.mktemp("models") / "own.onnx"
    return of_wearer(GENERIC, path, "203", Card, usual_beat=middle(usual))


SEES = Model.load(GENERIC).card.geometry


def new_registry(model, **policy):
    return WearerRegistry(WearerPolicy(lambda _: model, **policy))


def opened(registry, leads=("II",)):
    hello = messages.Hello(wearer="203", stream=f"{7:016x}", rate=360.0, leads=list(leads))
    return registry.open(hello, None, 0.0)[0].stream


def play(registry, stream, samples, first=0, cut=30 * RATE, lead="II"):
    found = []
    for at in range(0, len(samples), cut):
        part = samples[at : at + cut]
        stream.accept(Frame(7, first + at, 0, 360_000, HEART.gain, lead, part), 0.0)
        found += registry.advance(lambda _: False)
    return found


def alarms(found):
    return [(m.state, m.at) for m in found if isinstance(m, messages.Alarm) and m.kind == KIND]


def likeness(registry):
    (link,) = registry.links(0.0)
    return link.likeness


def test_ten_minutes_of_another_beat_suggest_enrolling_again(own):
    registry = new_registry(own)
    stream = opened(registry)
    assert likeness(registry) is None
    found = play(registry, stream, SIGNAL[:BEGINS])
    (alarm,) = (m for m in found if isinstance(m, messages.Alarm) and m.kind == KIND)
    assert (alarm.state, alarm.priority, alarm.at) == ("raised", "low", BEGINS)
    assert "ecgmon enroll" in alarm.text
    assert likeness(registry) < 0.5
    found = play(registry, stream, SIGNAL[BEGINS:], BEGINS)
    assert alarms(found) == [("cleared", ENDS)]
    assert likeness(registry) > 0.95


@pytest.mark.parametrize("cut", [10_007, BEGINS])
def test_it_does_not_matter_how_the_signal_is_cut(own, cut):
    registry = new_registry(own)
    found = play(registry, opened(registry), SIGNAL[:BEGINS], cut=cut)
    assert alarms(found) == [("raised", BEGINS)]
    assert likeness(registry) < 0.5


def test_another_monitor_goes_on_with_the_minutes(own):
    registry, at = new_registry(own), BEGINS - MINUTE // 3
    play(registry, opened(registry), SIGNAL[:at])
    saved, other = registry.save("203"), new_registry(own)
    other.load(saved)
    assert other.save("203") == saved
    (stream,) = other.streams
    assert alarms(play(other, stream, SIGNAL[at:BEGINS], at)) == [("raised", BEGINS)]


def test_a_model_that_knows_no_usual_beat_is_not_watched(own, tmp_path):
    old = of_wearer(own, tmp_path / "old.onnx", "203", Card, usual_beat=())
    for model in (GENERIC, old):
        registry = new_registry(model)
        assert alarms(play(registry, opened(registry), SIGNAL[: 3 * MINUTE])) == []
        assert likeness(registry) is None


def test_another_model_in_service_ends_it_at_once(own, tmp_path):
    serving = [own]
    registry = WearerRegistry(WearerPolicy(lambda _: serving[-1]))
    play(registry, opened(registry), SIGNAL[:BEGINS])
    ((_, usual),) = windows_and_beats(-HEART.millivolts()[None, : 5 * MINUTE], SEES)
    serving.append(of_wearer(own, tmp_path / "new.onnx", "203", Card, usual_beat=middle(usual)))
    assert [state for state, _ in alarms(registry.take_up_models())] == ["cleared"]
    assert likeness(registry) is None
    (stream,) = registry.streams
    assert alarms(play(registry, stream, SIGNAL[BEGINS : BEGINS + MINUTE], BEGINS)) == []
    assert likeness(registry) > 0.95


def test_after_a_restart_it_goes_on_unless_there_is_nothing_to_compare(own):
    before = new_registry(own)
    found = play(before, opened(before), SIGNAL[:BEGINS])
    for model, told in ((own, []), (GENERIC, ["cleared"])):
        registry = new_registry(model)
        registry.restore([m for m in found if isinstance(m, messages.Alarm)], [], 0.0)
        hello = messages.Hello(wearer="203", stream=f"{8:016x}", rate=360.0, leads=["II"])
        _, published = registry.open(hello, None, 0.0)
        assert [state for state, _ in alarms(published)] == told


def test_the_lead_that_the_model_does_not_know_is_not_compared(own):
    registry = new_registry(own)
    stream = opened(registry, ("II", "V1"))
    second = registry.hear(stream, "V1")
    off = np.full(2 * MINUTE, np.iinfo(np.int16).min, dtype=np.int16)
    found = []
    for at in range(0, len(off), 5 * RATE):
        for each, lead, samples in ((stream, "II", off), (second, "V1", REVERSED)):
            part = samples[at : at + 5 * RATE]
            each.accept(Frame(7, at, 0, 360_000, HEART.gain, lead, part), 0.0)
        found += registry.advance(lambda _: False)
    windows = [m for m in found if isinstance(m, messages.Window)]
    assert windows[-1].lead == "V1"
    assert likeness(registry) is None
