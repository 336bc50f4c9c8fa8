"""Atrial fibrillation, live: judged every five seconds, one alarm for an episode."""

import numpy as np
import pytest

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import RATE
from ecgmon.core.errors import StateError
from ecgmon.core.rhythm_limits import RhythmLimits
from ecgmon.models.atrial_bundle import AtrialModel
from ecgmon.models.beat_bundle import BeatModel
from ecgmon.models.resolve import GENERIC_ATRIAL, GENERIC_BEATS, built_in
from ecgmon.wire import messages
from monitor.wearers.stream_tail import StreamTail
from replay.simulator.simulation import simulate
from tests.monitor.inference.test_rhythms import opened, play, raised, real, registry_of
from tests.support.rig import output_of

BUILT_IN = built_in()[GENERIC_ATRIAL]
AF = "atrial-fibrillation"
CALM = simulate("normal", duration_s=90).record.samples
BEATS = {"resolve_beats": lambda _: built_in()[GENERIC_BEATS]}
ATRIAL_ONLY = {"resolve_rhythms": lambda _: None, "resolve_atrial": lambda _: BUILT_IN}


def judged(samples, cuts=(36,), **settings):
    registry = registry_of(**ATRIAL_ONLY | settings)
    opened(registry)
    return play(registry, samples, cuts)


def says(monkeypatch, probability):
    """Let every model of atrial rhythms say the same."""
    monkeypatch.setattr(
        AtrialModel,
        "probability",
        lambda _, inputs: np.tile(
            np.array([[1 - probability, probability]], dtype=np.float32), (len(inputs), 1)
        ),
    )


def calls_early(monkeypatch):
    """Let every model of beats call each beat S."""
    said = {"N": 0.25, "S": 0.5, "V": 0.25}

    def early(model, inputs):
        one = [said.get(name, 0.0) for name in model.card.classes]
        return np.tile(np.array(one, dtype=np.float32), (len(inputs), 1))

    monkeypatch.setattr(BeatModel, "probability", early)


def labels(output):
    return [message.label for message in output if isinstance(message, messages.Beat)]


def test_a_regular_heart_raises_nothing():
    assert raised(judged(CALM), AF) == []


@pytest.mark.parametrize("cuts", [(36,), (1801, 7), (360,)])
def test_an_episode_is_announced_after_six_verdicts_however_the_stream_is_cut(monkeypatch, cuts):
    says(monkeypatch, 0.99)
    (at,) = raised(judged(CALM, cuts), AF)
    # Eight beats must have been found before the first verdict.
    assert at in [RATE * seconds for seconds in (30, 35, 40)]
    assert output_of(judged(CALM, cuts), "ann") == output_of(judged(CALM), "ann")


def test_a_wearer_goes_on_elsewhere_in_the_middle_of_an_episode(monkeypatch):
    says(monkeypatch, 0.99)
    calls_early(monkeypatch)
    here, there = (registry_of(**ATRIAL_ONLY | BEATS) for _ in range(2))
    opened(here)
    half = 27 * RATE + 100
    play(here, CALM[:half])
    there.load(here.save("ann"))
    one, other = (play(each, CALM[half:], first=half) for each in (here, there))
    assert output_of(one, "ann") == output_of(other, "ann")
    assert len(raised(one, AF)) == 1
    assert {*labels(one)} == {"S", "N"}
    with pytest.raises(StateError, match="put the same model into service first"):
        registry_of(**ATRIAL_ONLY | {"resolve_atrial": lambda _: None}).load(here.save("ann"))


@pytest.mark.parametrize("level", ["low", "off"])
@pytest.mark.parametrize("cuts", [(36,), (1801, 7), (360,)])
def test_in_fibrillation_no_beat_is_supraventricular(monkeypatch, cuts, level):
    says(monkeypatch, 0.99)
    calls_early(monkeypatch)
    limits = AlarmLimits(
        rhythms=RhythmLimits(atrial_fibrillation=level, supraventricular_run_rate=60.0)
    )
    output = judged(
        CALM,
        cuts,
        **BEATS,
        limits=lambda _: limits,
    )
    beats = [message for message in output if isinstance(message, messages.Beat)]
    first = next(beat.at for beat in beats if beat.label == "N")
    assert first / RATE == pytest.approx(30, abs=11)
    assert {(beat.label, beat.at >= first) for beat in beats} == {("S", False), ("N", True)}
    assert {beat.probability for beat in beats} == {0.5, 0.75}
    runs = [m for m in output if getattr(m, "kind", "") == "supraventricular-run"]
    assert [m.state for m in runs] == ["raised", "cleared"]
    assert runs[0].at < first < runs[1].at < first + 11 * RATE


def test_a_restart_ends_no_episode(monkeypatch):
    """At odds that hold an episode, and would begin none."""
    says(monkeypatch, 0.7)
    calls_early(monkeypatch)
    registry = registry_of(**ATRIAL_ONLY | BEATS)
    held = messages.Alarm(
        wearer="ann",
        stream=messages.stream_id(7),
        alarm=3,
        kind=AF,
        priority="low",
        category="physiological",
        state="raised",
        at=30 * RATE,
        time=1.0,
        text="atrial fibrillation",
    )
    registry.restore([held], [], 0.0)
    hello = messages.Hello(wearer="ann", stream=messages.stream_id(7), rate=360.0, leads=["II"])
    first, end = 100 * RATE, 140 * RATE
    registry.open(hello, StreamTail(first, CALM[: end - first], 360_000, 200.0, "II", end), 0.0)
    output = []
    while registry.recovering:
        output += registry.advance(lambda _: False)
    output += play(registry, CALM[end - first :], first=end)
    changes = [m.state for m in output if isinstance(m, messages.Alarm) and m.kind == AF]
    assert "cleared" not in changes
    assert {*labels(output)} == {"N"}


def test_who_judges_is_an_event():
    _, published = opened(registry_of(**ATRIAL_ONLY))
    (event,) = (message for message in published if isinstance(message, messages.Event))
    assert (event.event, event.text) == ("rhythm-model", "atrial judges atrial rhythms")


@pytest.mark.thorough
def test_real_fibrillation_is_announced_within_a_minute():
    """210 fibrillates from the first sample; the built-in model was fitted to this person."""
    record = real("mitdb/210")
    registry = registry_of(**ATRIAL_ONLY)
    opened(registry)
    output = play(registry, record.samples[: 90 * RATE], (3600,), gain=record.gain)
    (at,) = raised(output, AF)
    assert at <= 60 * RATE
