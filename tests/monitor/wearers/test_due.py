"""Conditions are asked only when due: what is published is the same, and in the same order."""

import numpy as np
import pytest

from ecgmon.models.resolve import GENERIC_ATRIAL, GENERIC_BEATS, GENERIC_RHYTHMS, built_in
from ecgmon.wire import Frame, messages
from monitor.alarms.conditions.condition_set import WearerConditions
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from replay.simulator.simulation import simulate
from tests.support.rig import GENERIC

RATE = 360
SECONDS = 60
SCENARIOS = ("runs", "asystole", "lead-off", "pauses")
SAMPLES = [simulate(name, duration_s=SECONDS, seed=2).record.samples for name in SCENARIOS]


def registry():
    judges = [built_in()[name] for name in (GENERIC_BEATS, GENERIC_RHYTHMS, GENERIC_ATRIAL)]
    beats, rhythms, atrial = ((lambda _, path=path: path) for path in judges)
    return WearerRegistry(
        WearerPolicy(
            lambda _: GENERIC,
            resolve_beats=beats,
            resolve_rhythms=rhythms,
            resolve_atrial=atrial,
        )
    )


def published(seed):
    """Return what is published of some wearers, played at once, of whose frames some are lost."""
    rng, here = np.random.default_rng(seed), registry()
    streams, found = [], []
    for number, name in enumerate(SCENARIOS):
        hello = messages.Hello(
            wearer=name, stream=messages.stream_id(number), rate=360.0, leads=["II"]
        )
        streams.append(here.open(hello, None, 0.0)[0].stream)
    now, sent = 0, [0] * len(streams)
    while now < SECONDS * RATE:
        now = min(now + int(rng.choice([36, 90, 180, 250])), SECONDS * RATE)
        for number, stream in enumerate(streams):
            stop = now - int(rng.integers(0, 40))
            first, sent[number] = sent[number], max(stop, sent[number])
            samples = SAMPLES[number][first : sent[number]]
            if len(samples) and rng.random() > 0.01:
                frame = Frame(number, first, 0, 360_000, 200.0, "II", samples)
                stream.accept(frame, now / RATE)
            stream.expire(now / RATE)
        found += here.advance(lambda _: False)
    return [messages.encode(message) for message in found]


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_published_later_or_in_another_order(seed, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1e9)
    asked = []
    elapsed = WearerConditions.elapsed
    monkeypatch.setattr(
        WearerConditions, "elapsed", lambda *args: asked.append(1) or elapsed(*args)
    )
    when_due, fewer = published(seed), len(asked)
    monkeypatch.setattr(WearerConditions, "_wait", lambda self: setattr(self, "due", 0))
    assert published(seed) == when_due
    assert 1.5 * fewer < len(asked) - fewer
    kinds = {
        message.kind
        for message in map(messages.decode_to_viewer, when_due)
        if hasattr(message, "kind")
    }
    assert {"asystole", "no-signal", "ventricular-run"} <= kinds
