"""A wearer with a judge of windows and one of beats: each kind of input has its own."""

from types import SimpleNamespace

import numpy as np

from ecgmon.models.bundle import Model
from ecgmon.wire import Frame, messages
from monitor.inference.judge import Judge
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from replay.simulator.simulation import simulate
from tests.support.bundles import write_bundle

RECORD = simulate("normal", duration_s=6).record.samples
GEOMETRY = {"history_s": 1.0, "look_ahead_s": 0.5, "rate": 120}


class Beats:
    """Stands for a judge of beats; nobody asks it about windows."""

    card = SimpleNamespace(name="beats", input="beat")
    sha256 = "b" * 64

    def probability(self, inputs):
        raise AssertionError("it does not judge windows")


def play(registry, live, first, stop):
    samples = RECORD[first:stop]
    live.stream.accept(Frame(7, first, 0, 360_000, 200.0, "MLII", samples), 0.0)
    found_messages = registry.advance(lambda _: False)
    return [message for message in found_messages if isinstance(message, messages.Window)]


def test_windows_come_from_the_judge_of_windows_and_a_swap_leaves_the_other_judges(tmp_path):
    paths = {
        name: write_bundle(tmp_path / name, name=name, level=level, **GEOMETRY)
        for name, level in (("first", 0.3), ("second", 0.05))
    }
    serving = ["first"]
    registry = WearerRegistry(WearerPolicy(lambda _: paths[serving[0]], capacity=2))
    number = messages.stream_id(7)
    hello = messages.Hello(wearer="ann", stream=number, rate=360.0, leads=["MLII"])
    live, _ = registry.open(hello, None, 0.0)
    beats: Judge = Beats()
    live.serve(Beats, beats)
    before = play(registry, live, 0, 1080)
    serving[0] = "second"
    found_messages = registry.take_up_models()
    after = play(registry, live, 1080, len(RECORD))
    assert [message.model for message in found_messages if isinstance(message, messages.Swap)] == [
        "second"
    ]
    assert {window.model for window in before} == {"first"}
    assert {window.model for window in after} == {"second"}
    assert any(window.probability is not None for window in after)
    assert live.judge_of(Beats) is beats
    assert live.model.card.name == "second"
    assert isinstance(live.model, Model)
    assert live.model.probability(np.zeros((1, 300), dtype=np.float32)).shape == (1,)
