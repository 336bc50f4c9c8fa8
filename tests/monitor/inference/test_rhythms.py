"""Rhythms, live: judged each second, alarmed, and a second of fibrillation never told normal."""

import os
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from ecgmon.core.constants import RATE
from ecgmon.core.errors import StateError
from ecgmon.models.resolve import GENERIC_RHYTHMS, built_in
from ecgmon.models.rhythm_bundle import RhythmModel
from ecgmon.models.store import Store
from ecgmon.records.converted import read_converted
from ecgmon.signal.types import RhythmInputs
from ecgmon.wire import Frame, messages
from monitor.inference.rhythms import DOUBTFUL, SURE, classify_rhythms
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from replay.simulator.simulation import simulate
from tests.support.rhythm_bundles import changed
from tests.support.rig import GENERIC, output_of

BUILT_IN = built_in()[GENERIC_RHYTHMS]
CALM = simulate("normal", duration_s=30).record.samples
VF = "ventricular-fibrillation"


def waving(seconds, seed=1):
    """Return counts of a coarse fibrillation: waves of changing size, some five a second."""
    rng = np.random.default_rng(seed)
    n = seconds * RATE
    hz = 5 + np.convolve(rng.normal(0, 8, n + 400), np.ones(400) / 400, "valid")[:n]
    size = 1 + 0.6 * np.sin(2 * np.pi * 0.4 * np.arange(n) / RATE + rng.uniform(0, 6))
    return (120 * size * np.sin(2 * np.pi * np.cumsum(hz) / RATE)).astype(np.int16)


def registry_of(**settings):
    settings = {"resolve_rhythms": lambda _: BUILT_IN} | settings
    return WearerRegistry(WearerPolicy(resolve=lambda _: GENERIC, capacity=3, **settings))


def opened(registry, wearer="ann", number=7):
    stream = messages.stream_id(number)
    hello = messages.Hello(wearer=wearer, stream=stream, rate=360.0, leads=["II"])
    return registry.open(hello, None, 0.0)


def play(registry, samples, cuts=(36,), first=0, number=7, wearer="ann", gain=200.0):
    """Give a registry samples and return what is published."""
    (stream,) = (one for one in registry.streams if one.wearer == wearer)
    output, at, count = [], 0, 0
    while at < len(samples):
        piece = samples[at : at + cuts[count % len(cuts)]]
        stream.accept(Frame(number, first + at, 0, 360_000, gain, "II", piece), 0.0)
        at, count = at + len(piece), count + 1
        output += registry.advance(lambda _: False)
    return output


def published(samples, cuts=(36,), **settings):
    registry = registry_of(**settings)
    opened(registry)
    return play(registry, samples, cuts)


def windows(output):
    return [message for message in output if isinstance(message, messages.Window)]


def raised(output, kind=VF):
    return [
        message.at
        for message in output
        if isinstance(message, messages.Alarm) and (message.kind, message.state) == (kind, "raised")
    ]


SAMPLES = np.concatenate([CALM, waving(30)])


@pytest.mark.parametrize("cuts", [(1801,), (7, 361, 36), (360,)])
def test_what_is_published_does_not_depend_on_how_the_stream_was_cut(cuts):
    assert output_of(published(SAMPLES, cuts), "ann") == output_of(published(SAMPLES), "ann")


def test_fibrillation_is_alarmed_within_six_seconds_and_no_second_of_it_is_normal():
    output = published(SAMPLES)
    (at,) = raised(output)
    assert len(CALM) < at <= len(CALM) + 6 * RATE
    (alarm,) = (m for m in output if isinstance(m, messages.Alarm) and m.kind == VF)
    assert alarm.priority == "high"
    assert alarm.text == "ventricular fibrillation: by the shape of the signal"
    inside = [one for one in windows(output) if one.first >= len(CALM) + RATE]
    assert not any(one.abnormal is False for one in inside)
    assert sum(one.abnormal is True and one.probability >= SURE for one in inside) > 20
    before = [one for one in windows(output) if one.first < len(CALM) - RATE]
    assert sum(one.abnormal is False for one in before) >= 25
    assert not any(one.reason == "rhythm" for one in before)


def test_a_doubtful_second_is_not_classified_and_says_why(monkeypatch):
    monkeypatch.setattr(
        RhythmModel,
        "probability",
        lambda _, inputs: np.tile(
            np.array([[1 - DOUBTFUL - 0.01, 0.2, DOUBTFUL - 0.19]], dtype=np.float32),
            (len(inputs), 1),
        ),
    )
    output = published(CALM)
    judged = [one for one in windows(output) if one.first >= 4 * RATE]
    assert {(one.abnormal, one.probability, one.reason) for one in judged} == {
        (None, None, "rhythm")
    }
    assert raised(output) == []


def test_without_a_rhythm_model_the_window_model_alone_judges():
    output = published(SAMPLES, resolve_rhythms=lambda _: None)
    assert raised(output) == []
    assert not any(one.reason == "rhythm" for one in windows(output))


def test_each_row_is_judged_by_its_own_model_and_in_order():
    rng = np.random.default_rng(2)
    inputs = rng.normal(size=(6, 480)).astype(np.float32)
    settled = np.array([True, True, False, True, True, True])
    rows, ends = np.array([0, 1, 0, 2, 1, 0], dtype=np.intp), np.arange(6) * RATE
    one, other = RhythmModel.load(BUILT_IN), RhythmModel.load(BUILT_IN)
    found = list(classify_rhythms(RhythmInputs(rows, ends, inputs, settled), {0: one, 1: other}))
    assert [(row, end) for row, end, _ in found] == [
        (row, end) for row, end in zip(rows.tolist(), ends.tolist(), strict=True) if row != 2
    ]
    for (_, end, verdict), at in zip(found, (0, 1, 2, 4, 5), strict=True):
        if not settled[at]:
            assert verdict is None
            continue
        said = one.probability(inputs[[at]])[0]
        assert verdict[1:] == pytest.approx(said[1:].tolist(), abs=1e-6)
        assert (verdict.end, verdict.ventricular) == (end, verdict[1] + verdict[2])


def test_a_wearer_goes_on_elsewhere_with_the_same_rhythm():
    here, there = registry_of(), registry_of()
    opened(here)
    half = len(CALM) + 3 * RATE + 100
    play(here, SAMPLES[:half])
    there.load(here.save("ann"))
    rest = SAMPLES[half:]
    assert output_of(play(there, rest, first=half), "ann") == output_of(
        play(here, rest, first=half), "ann"
    )
    unlike = registry_of(resolve_rhythms=lambda _: None)
    with pytest.raises(StateError, match="put the same model into service first"):
        unlike.load(here.save("ann"))


def test_another_model_is_taken_up_and_one_that_cannot_serve_is_told(tmp_path):
    store = Store(tmp_path)
    registry = registry_of(
        resolve_rhythms=lambda wearer: store.in_service(wearer, "rhythm") or BUILT_IN
    )
    _, first = opened(registry)
    assert [m.text for m in first if isinstance(m, messages.Event)] == ["rhythms judges rhythms"]
    own = changed(tmp_path / "own.onnx", wearer="ann", name="ann-rhythms")
    store.activate("ann", store.add("ann", own))
    (event,) = registry.take_up_models()
    assert (event.event, event.text) == ("rhythm-model", "ann-rhythms judges rhythms")
    assert registry.take_up_models() == []
    path = store.in_service("ann", "rhythm")
    registry.adopt(replace(registry._policy))  # as after a reload: nothing is loaded any more
    path.chmod(0o644)
    path.write_bytes(b"no bundle")
    told = registry.take_up_models()
    assert [m.kind for m in told if isinstance(m, messages.Alarm)] == ["no-model"]
    (event,) = (m for m in told if isinstance(m, messages.Event))
    assert event.text.startswith("ann-rhythms judges rhythms: ")
    output = play(registry, SAMPLES)
    assert len(raised(output)) == 1


def test_a_stream_s_state_keeps_the_newest_verdict():
    registry = registry_of()
    active, _ = opened(registry)
    play(registry, CALM[: 7 * RATE])
    assert active.rhythm.end == 7 * RATE
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(active.rhythm))[0] == 7 * RATE


def real(name):
    for folder in os.environ.get("ECGMON_DATA", "").split(os.pathsep):
        if folder and (Path(folder) / f"{name}.hea").is_file():
            return read_converted(name, data=Path(folder))
    return pytest.skip(f"needs {name}: set ECGMON_DATA to a folder that holds it")


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "begins_s"), [("cudb/cu01", 214), ("vfdb/424", 1259), ("mitdb/207", 41)]
)
def test_real_fibrillation_is_alarmed(name, begins_s):
    """The built-in model was fitted to these people: what is tested is the way to the alarm."""
    record = real(name)
    registry = registry_of()
    opened(registry)
    samples = record.samples[: (begins_s + 15) * RATE]
    output = play(registry, samples, (3600,), gain=record.gain)
    both = [*raised(output), *raised(output, "ventricular-tachycardia")]
    assert min(at for at in both if at >= begins_s * RATE) <= (begins_s + 8) * RATE
