"""Paced wearers: their spikes are recognised, and beats that follow them are no arrhythmia."""

import numpy as np
import pytest

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import RATE
from ecgmon.models.resolve import GENERIC_BEATS, built_in
from ecgmon.wire import Frame, messages
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from tests.support.rig import GENERIC

GAIN = 1000.0
SECONDS = 60
EVERY = round(0.8 * RATE)


def bell(t, at, width, height):
    return height * np.exp(-(((t - at) / width) ** 2) / 2)


def wide_beats(spiked, extra=()):
    """A minute of wide beats at 75/min, each 55 ms after a spike, and some early without one."""
    t = np.arange(SECONDS * RATE) / RATE
    made = 0.002 * np.random.default_rng(1).standard_normal(len(t))
    beats = [*np.arange(1.0, SECONDS - 1, 0.8), *extra]
    for beat in beats:
        made += bell(t, beat, 0.03, 1.6) + bell(t, beat + 0.07, 0.03, -0.7)
        made += bell(t, beat + 0.3, 0.06, -0.5)
    for beat in beats[: len(beats) - len(extra)] if spiked else ():
        made[round((beat - 0.055) * RATE) - 10] += 3.0
    return np.round(made * GAIN).astype(np.int16)


def published(samples, *, paced, beats=True):
    limits = AlarmLimits(paced=paced)
    resolve = (lambda _: built_in()[GENERIC_BEATS]) if beats else (lambda _: None)
    registry = WearerRegistry(
        WearerPolicy(lambda _: GENERIC, lambda _: limits, resolve_beats=resolve)
    )
    hello = messages.Hello(wearer="ann", stream=f"{7:016x}", rate=360.0, leads=["II"])
    stream = registry.open(hello, None, 0.0)[0].stream
    found = []
    for at in range(0, len(samples), 90):
        stream.accept(Frame(7, at, 0, 360_000, GAIN, "II", samples[at : at + 90]), 0.0)
        found += registry.advance(lambda _: False)
    return found


def of(kind, found):
    return [one for one in found if isinstance(one, kind)]


def kinds(found):
    return {alarm.kind for alarm in of(messages.Alarm, found)}


@pytest.fixture(scope="module")
def paced():
    return wide_beats(spiked=True)


def test_paced_beats_of_a_paced_wearer_are_neither_ectopic_nor_abnormal(paced):
    found = published(paced, paced=True)
    beats = of(messages.Beat, found)
    assert {beat.label for beat in beats} == {"Q"}
    assert len(beats) > 60
    assert kinds(found) == set()
    windows = of(messages.Window, found)
    assert {window.reason for window in windows[5:]} <= {"paced", None}
    assert True not in {window.abnormal for window in windows}


def test_without_that_setting_they_are_what_the_models_take_them_for(paced):
    found = published(paced, paced=False)
    assert "Q" not in {beat.label for beat in of(messages.Beat, found)}
    assert "abnormal" in kinds(found)
    assert "paced" not in {window.reason for window in of(messages.Window, found)}


@pytest.mark.parametrize("told", [True, False])
def test_that_the_rhythm_is_paced_is_told_once(paced, told):
    (event,) = of(messages.Event, published(paced, paced=told, beats=False))
    assert event.event == "paced"
    assert ("set paced = true in [wearers.ann]" in event.text) is not told


def test_spikes_that_make_no_beat_and_beats_without_them_are_no_paced_rhythm():
    assert not of(messages.Event, published(wide_beats(spiked=False), paced=True, beats=False))
    far = wide_beats(spiked=False)
    far[100::EVERY] += round(3 * GAIN)  # in the middle between two beats
    assert not of(messages.Event, published(far, paced=True, beats=False))


def test_a_beat_that_no_spike_made_is_still_ectopic(paced):
    early = [20.0 + 0.8 * k + 0.45 for k in range(0, 12, 3)]
    samples = wide_beats(spiked=True, extra=early)
    beats = of(messages.Beat, published(samples, paced=True))
    near = [beat.label for beat in beats if min(abs(beat.at / RATE - at) for at in early) < 0.1]
    assert len(near) >= 3
    assert "Q" not in near


def test_a_state_keeps_what_was_paced(paced):
    def half(registry, stream, start, stop):
        found = []
        for at in range(start, stop, 90):
            part = paced[at : min(at + 90, stop)]
            stream.accept(Frame(7, at, 0, 360_000, GAIN, "II", part), 0.0)
            found += registry.advance(lambda _: False)
        return found

    policy = WearerPolicy(lambda _: GENERIC, lambda _: AlarmLimits(paced=True))
    here, there = WearerRegistry(policy), WearerRegistry(policy)
    hello = messages.Hello(wearer="ann", stream=f"{7:016x}", rate=360.0, leads=["II"])
    stream = here.open(hello, None, 0.0)[0].stream
    half(here, stream, 0, 20 * RATE + 7)
    there.load(here.save("ann"))
    one = half(here, stream, 20 * RATE + 7, 40 * RATE)
    two = half(there, there.streams[0], 20 * RATE + 7, 40 * RATE)
    assert of(messages.Window, one) == of(messages.Window, two)
    assert not of(messages.Event, two)
