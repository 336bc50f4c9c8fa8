"""A wearer's messages are the same bits whether watched alone or among a thousand others."""

import time

import numpy as np
import pytest

from ecgmon.wire import Frame, messages
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from replay.simulator.simulation import GAIN, simulate
from tests.support.rig import GENERIC

RATE = 360
SECONDS = 40
SCENARIOS = ("asystole", "premature", "tachycardia", "noise", "lead-off", "gaps", "extreme", "runs")
FRAMES = (25, 36, 73, 360)


def records():
    """Return one record of each scenario."""
    made = [simulate(name, seed=3, duration_s=60).record.samples for name in SCENARIOS]
    return [one[: SECONDS * RATE] for one in made]


def told(watched, others, signals):
    """Return what is published about some wearers while so many others are monitored."""
    built_in = GENERIC.parent
    policy = WearerPolicy(
        lambda _: GENERIC,
        resolve_beats=lambda _: built_in / "beats.onnx",
        resolve_rhythms=lambda _: built_in / "rhythms.onnx",
        resolve_atrial=lambda _: built_in / "atrial.onnx",
        capacity=others + len(watched),
    )
    registry = WearerRegistry(policy)
    rng = np.random.default_rng(others)
    wearers = [*watched, *range(100, 100 + others)]
    rng.shuffle(wearers)  # the rows of the signal chains are others, too
    streams, lengths, begins = {}, {}, {}
    for wearer in wearers:
        name = messages.stream_id(wearer)
        hello = messages.Hello(wearer=f"w{wearer}", stream=name, rate=float(RATE), leads=["II"])
        registry.claim(hello, 0.0)
        streams[wearer] = registry.open(hello, None, 0.0)[0].stream
        link = np.random.default_rng(wearer)
        lengths[wearer] = int(link.choice(FRAMES))
        begins[wearer] = int(link.integers(RATE))
    done = dict.fromkeys(wearers, 0)
    published = {f"w{wearer}": [] for wearer in watched}
    now = 0
    while min(done.values()) < SECONDS * RATE:
        now += 18
        for wearer, stream in streams.items():
            signal, first = signals[wearer % len(signals)], done[wearer]
            until = min((now - begins[wearer]) // lengths[wearer] * lengths[wearer], len(signal))
            if until > first:
                counts = signal[first:until]
                frame = Frame(wearer, first, 0, RATE * 1000, GAIN, "II", counts)
                stream.accept(frame, now / RATE)
                done[wearer] = until
        for message in registry.advance(lambda _: False, ripe=True):
            if message.wearer in published:
                published[message.wearer].append(messages.encode(message))
    return published


@pytest.mark.slow
def test_a_wearers_messages_are_the_same_bits_alone_and_among_a_thousand(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1.7e9)
    signals = records()
    watched = range(len(SCENARIOS))
    among = told(watched, 1000, signals)
    for wearer in watched:
        alone = told([wearer], 0, signals)
        assert alone[f"w{wearer}"] == among[f"w{wearer}"], SCENARIOS[wearer]
    all_ = [messages.decode_to_viewer(data) for each in among.values() for data in each]
    assert {one.kind for one in all_ if isinstance(one, messages.Alarm)} > {"asystole", "no-signal"}
