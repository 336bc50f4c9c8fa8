"""Beats, live: judged as the trainer judges them, published once, withdrawn only for noise."""

from dataclasses import replace
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import RATE
from ecgmon.core.errors import StateError
from ecgmon.models.store import Store
from ecgmon.signal.beat_segments import AFTER
from ecgmon.wire import Frame, messages
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from replay.simulator.simulation import simulate
from tests.support.beat_bundles import export_random, of_wearer
from tests.support.beats import final_beats, offline_beats, within_signal
from tests.support.rig import GENERIC, output_of

RECORD = simulate("premature", duration_s=40, seed=3).record
SAMPLES = RECORD.samples
OF_BEATS = messages.Beat | messages.BeatWithdrawn


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return export_random(tmp_path_factory.mktemp("bundle") / "beats.onnx", wearer="ann")


def registry_of(bundle, **settings):
    settings = {"resolve_beats": lambda wearer: bundle if wearer == "ann" else None} | settings
    return WearerRegistry(WearerPolicy(resolve=lambda _: GENERIC, capacity=3, **settings))


def opened(registry, wearer="ann", number=7):
    hello = messages.Hello(
        wearer=wearer, stream=messages.stream_id(number), rate=360.0, leads=["II"]
    )
    return registry.open(hello, None, 0.0)


def play(registry, samples, chunks=(36,), first=0, number=7, wearer="ann"):
    """Give a registry samples and return what is published, with the samples given by then."""
    (stream,) = (one for one in registry.streams if one.wearer == wearer)
    output, at, count = [], 0, 0
    while at < len(samples):
        n = chunks[count % len(chunks)]
        stream.accept(Frame(number, first + at, 0, 360_000, 200.0, "II", samples[at : at + n]), 0.0)
        at, count = at + n, count + 1
        output += [(first + at, m) for m in registry.advance(lambda _: False)]
    return output


def published(registry, samples, chunks=(36,)):
    return [message for _, message in play(registry, samples, chunks)]


def noisy():
    """The record with bursts of noise, that begin and end within seconds."""
    rng = np.random.default_rng(4)
    samples = SAMPLES.astype(np.float64)
    for start, n in ((11 * RATE + 300, 700), (20 * RATE + 100, 400), (30 * RATE + 350, 1000)):
        samples[start : start + n] += rng.normal(0, 400, n)
    return np.clip(samples, -32767, 32767).astype(np.int16)


@given(chunks=st.lists(st.sampled_from([7, 36, 179, 360, 361, 1801]), min_size=1, max_size=5))
@settings(max_examples=6)
def test_beats_are_those_of_the_trainer_however_the_stream_is_cut(bundle, chunks):
    registry = registry_of(bundle)
    opened(registry)
    output = published(registry, SAMPLES, chunks)
    assert final_beats(output) == offline_beats(RECORD, bundle)
    beats = [m for m in output if isinstance(m, messages.Beat)]
    assert len({beat.label for beat in beats}) > 1
    for before, beat in pairwise(beats):
        assert beat.rr == beat.at - before.at
    assert beats[0].rr is None
    assert all(0.2 < beat.probability <= 1 for beat in beats)


def test_a_beat_comes_half_a_second_after_its_peak_and_is_withdrawn_within_a_second(bundle):
    registry = registry_of(bundle)
    opened(registry)
    samples = noisy()
    output = play(registry, samples, (36,))
    beats = {m.at: at for at, m in output if isinstance(m, messages.Beat)}
    withdrawn = {m.at: at for at, m in output if isinstance(m, messages.BeatWithdrawn)}
    assert withdrawn
    assert all(AFTER <= at - peak < AFTER + 36 for peak, at in beats.items())
    assert all(at - peak < RATE + 36 for peak, at in withdrawn.items())
    assert max(at - peak for peak, at in beats.items()) <= 0.6 * RATE
    assert max(at - peak for peak, at in withdrawn.items()) <= 1.5 * RATE
    output_messages = [m for _, m in output]
    wanted = offline_beats(replace(RECORD, samples=samples), bundle)
    assert final_beats(output_messages) == within_signal(wanted, output_messages)
    assert len(wanted) > len(final_beats(output_messages)) > 30


def test_what_is_published_and_withdrawn_does_not_depend_on_the_cut(bundle):
    def of_beats(chunks):
        registry = registry_of(bundle)
        opened(registry)
        output = [m for m in published(registry, noisy(), chunks) if isinstance(m, OF_BEATS)]
        return [
            msgspec.structs.replace(m, probability=0.0) if isinstance(m, messages.Beat) else m
            for m in output
        ]

    assert of_beats((36,)) == of_beats((1801, 5, 360)) == of_beats((len(SAMPLES),))


def test_a_gap_begins_anew(bundle):
    registry = registry_of(bundle)
    opened(registry)
    play(registry, SAMPLES[: 10 * RATE])
    (stream,) = registry.streams
    output = [m for _, m in play(registry, SAMPLES[15 * RATE :], first=15 * RATE)]
    assert [m.first for m in output if isinstance(m, messages.Gap)] == [10 * RATE]
    output += registry.close(stream)
    beats = [m for m in output if isinstance(m, messages.Beat)]
    assert all(beat.at >= 16 * RATE for beat in beats)
    assert beats[0].rr is None
    assert all(beat.rr for beat in beats[1:])


def test_a_wearer_without_a_model_of_beats_goes_on_as_before(bundle):
    alone, beside = registry_of(None), registry_of(bundle)
    output = []
    for registry in (alone, beside):
        output_messages = opened(registry, "bob", 8)[1]
        if registry is beside:
            opened(registry, "ann", 7)
            play(registry, SAMPLES[: 20 * RATE])
        output_messages += [m for _, m in play(registry, SAMPLES, wearer="bob", number=8)]
        output.append(output_of([*output_messages, *registry.take_up_models()], "bob"))
    assert output[0] == output[1]
    assert not any(one["type"].startswith("Beat") for one in output[0])


def test_a_model_of_beats_changes_verdicts_on_seconds_and_nothing_else_of_them(bundle):
    output = []
    for registry in (registry_of(None), registry_of(bundle)):
        opened(registry)
        found = output_of(published(registry, noisy(), (100,)), "ann")
        for one in found:
            if one["type"] == "Window" and one["reason"] in (None, "strange"):
                one.update(dict.fromkeys(("probability", "abnormal", "reason")))
        kinds = ("Beat", "Alarm")
        output.append([one for one in found if not one["type"].startswith(kinds)])
    assert output[0] == output[1]


def test_models_of_beats_are_swapped_and_rolled_back_while_a_wearer_is_watched(bundle, tmp_path):
    store = Store(tmp_path / "models")
    other = export_random(tmp_path / "other.onnx", seed=2, wearer="ann")
    registry = registry_of(None, resolve_beats=lambda wearer: store.in_service(wearer, "beat"))
    _, output_messages = opened(registry)
    assert not [m for m in output_messages if isinstance(m, messages.Event)]
    assert not [m for m in published(registry, SAMPLES[:1800]) if isinstance(m, messages.Beat)]

    def change(what):
        what()
        return [m.text for m in registry.take_up_models() if isinstance(m, messages.Event)]

    def go_on(first):
        output = play(registry, SAMPLES[first : first + 1800], first=first)
        return [m for _, m in output if isinstance(m, messages.Beat)]

    assert change(lambda: store.activate("ann", store.add("ann", bundle))) == [
        "context judges beats"
    ]
    assert change(lambda: None) == []
    first = go_on(1800)
    assert first[0].at >= 1800 + RATE
    assert len(change(lambda: store.activate("ann", store.add("ann", other)))) == 1
    second = go_on(3600)
    # What is known of the wearer stays: the first beat has its RR interval.
    assert second[0].rr == second[0].at - first[-1].at
    assert len(change(lambda: store.rollback("ann", "beat"))) == 1
    assert go_on(5400)
    assert change(lambda: store.rollback("ann", "beat")) == ["beats are not judged"]
    assert go_on(7200) == []


def test_a_model_that_cannot_serve_is_alarmed_and_the_other_goes_on(bundle, tmp_path):
    serving = [bundle]
    registry = registry_of(None, resolve_beats=lambda _: serving[0])
    opened(registry)
    assert [m for m in published(registry, SAMPLES[:3600]) if isinstance(m, messages.Beat)]
    serving[0] = of_wearer(bundle, tmp_path / "old.onnx", "ann", segments="published")
    output_messages = registry.take_up_models()
    (alarm,) = (m for m in output_messages if isinstance(m, messages.Alarm))
    assert (alarm.kind, alarm.state) == ("no-model", "raised")
    assert "sees beats as no monitor has them" in alarm.text
    output = play(registry, SAMPLES[3600:7200], first=3600)
    assert [m for _, m in output if isinstance(m, messages.Beat)]
    assert not [m for m in registry.take_up_models() if isinstance(m, messages.Alarm)]
    serving[0] = bundle
    (alarm,) = (m for m in registry.take_up_models() if isinstance(m, messages.Alarm))
    assert alarm.state == "cleared"


@given(share=st.floats(0.02, 0.95))
@settings(max_examples=6)
def test_a_wearers_beats_go_on_in_another_monitor_bit_by_bit(bundle, share):
    here, there = registry_of(bundle), registry_of(bundle)
    opened(here)
    opened(there, "bob", 9)  # so that the row is another one
    samples, at = noisy(), round(share * len(SAMPLES))
    play(here, samples[:at])
    data = here.save("ann")
    there.load(data)
    assert there.save("ann") == data
    output = [play(one, samples[at:], (50,), first=at) for one in (here, there)]
    assert output_of([m for _, m in output[0]], "ann") == output_of(
        [m for _, m in output[1]], "ann"
    )


def test_a_wearer_whose_beats_are_judged_otherwise_there_is_refused(bundle):
    here = registry_of(bundle)
    opened(here)
    with pytest.raises(StateError, match="here it is none"):
        registry_of(None).load(here.save("ann"))


def test_the_conditions_receive_beats_if_they_accept_them(bundle, monkeypatch):
    calls = []
    registry = registry_of(bundle)
    active, _ = opened(registry)
    kind = type(active.conditions)
    monkeypatch.setattr(kind, "beat", lambda _, *given: calls.append(given), raising=False)
    monkeypatch.setattr(kind, "withdraw", lambda _, at: calls.append((at,)), raising=False)
    output = published(registry, noisy())
    assert calls == [
        (m.at, m.label, m.probability, m.rr) if isinstance(m, messages.Beat) else (m.at,)
        for m in output
        if isinstance(m, OF_BEATS)
    ]
