"""A wearer goes on in another monitor, as if nobody had noticed."""

import sys
import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.alarm_limits import AlarmLimits, Hysteresis
from ecgmon.core.errors import RefusedError, StateError
from ecgmon.wire import Frame, messages
from monitor.sources.ingest import IngestResult
from monitor.wearers import state
from monitor.wearers.active_stream import ActiveStream
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from monitor.wearers.session import WearerSession
from monitor.wearers.stream import Stream
from monitor.wearers.stream_tail import StreamTail
from replay.simulator.simulation import simulate
from tests.support.bundles import write_bundle
from tests.support.rig import GENERIC, Listener, Rig, Wearable, assert_same, output_of
from tests.support.subprocesses import start

RATE = 360
SAMPLES = np.concatenate(
    [
        simulate("premature", duration_s=30, seed=2).record.samples,
        simulate("lead-off", duration_s=40, seed=2).record.samples,
    ]
)


def new_registry(**settings):
    return WearerRegistry(WearerPolicy(**{"resolve": lambda _: GENERIC} | settings))


def opened(registry, wearer, number=7, tail=None):
    hello = messages.Hello(
        wearer=wearer, stream=messages.stream_id(number), rate=360.0, leads=["II"]
    )
    return registry.open(hello, tail, 0.0)[0].stream


def live(registry, wearer="203"):
    (stream,) = (stream for stream in registry.streams if stream.wearer == wearer)
    return stream


def frames(rng):
    """Frames of which some are lost, late or sent twice."""
    cuts = [0, *sorted(rng.integers(1, len(SAMPLES), 250).tolist()), len(SAMPLES)]
    sent = [(a, b) for a, b in pairwise(cuts) if a < b]
    order = np.argsort(np.arange(len(sent)) + rng.exponential(0.5, len(sent)))
    return [sent[i] for i in order for _ in range(rng.choice([0, 1, 1, 1, 1, 1, 1, 2]))]


def feed(registry, sent, arrival):
    """Give a registry frames, and return what is published of the wearer, bit by bit."""
    received = []
    for a, b in sent:
        arrival += 0.2
        frame = Frame(7, a, 0, 360_000, 200.0, "II", SAMPLES[a:b])
        live(registry).accept(frame, arrival)
        live(registry).expire(arrival)
        received += [*registry.advance(lambda _: False), *registry.links(arrival)]
        received += registry.check(arrival)
    found = output_of(received, "203")
    links = [m for m in received if isinstance(m, messages.Link) and m.wearer == "203"]
    return found, links


def slots(kind):
    return {name for one in kind.__mro__ for name in getattr(one, "__slots__", ())}


def test_every_attribute_of_a_wearer_is_saved_or_comes_from_the_other_monitor():
    for kind, others in {
        Stream: {"row", "_clock", "_delivered", "_arrivals"},  # saved as clock and delivered
        ActiveStream: {
            "model",
            "_judges",
            "chain",
            "look_ahead",  # of the chain
            "stamp",
            "windows",
            "beats",
            "refused",
            "beats_refused",
            "rhythms_refused",
            "second",  # saved beside it
        },
    }.items():
        assert slots(kind) - {*kind.layout.fields, *kind.layout.given} == others
    saved = set(state._SavedWearer.layout.fields)
    assert slots(WearerSession) - saved == {"active", "alarm_messages", "limits"}


@pytest.mark.thorough
@given(
    seed=st.integers(0, 2**32 - 1), share=st.floats(0, 1), judged_s=st.none() | st.integers(10, 25)
)
@settings(max_examples=12)
def test_a_wearer_goes_on_in_another_monitor_bit_by_bit(seed, share, judged_s):
    rng = np.random.default_rng(seed)
    here, there = new_registry(capacity=3), new_registry(capacity=6)
    tail = StreamTail(0, SAMPLES[: 20 * RATE], 360_000, 200.0, "II", (judged_s or 0) * RATE)
    opened(here, "203", tail=tail if judged_s else None)
    for number, wearer in enumerate(("119", "120"), 8):
        opened(there, wearer, number)  # so that the row is another one
    sent = frames(rng)
    at = round(share**2 * len(sent))  # often while it is recovered
    feed(here, sent[:at], 0.0)
    data = here.save("203")
    there.load(data)
    assert live(there).row != live(here).row
    assert there.save("203") == data
    snapshots = [
        [m for m in registry.snapshot(0.2 * at) if m.wearer == "203"] for registry in (here, there)
    ]
    assert snapshots[0] == snapshots[1]
    assert feed(there, sent[at:], 0.2 * at) == feed(here, sent[at:], 0.2 * at)
    closed = [output_of(registry.close(live(registry)), "203") for registry in (there, here)]
    assert closed[0] == closed[1]


def test_a_wearer_can_be_saved_while_a_stream_is_recovered():
    tail = StreamTail(0, SAMPLES[: 60 * RATE], 360_000, 200.0, "II", 15 * RATE)
    here, there = new_registry(), new_registry()
    opened(here, "203", tail=tail)
    here.advance(lambda _: False)
    assert here.recovering
    there.load(here.save("203"))
    found = []
    for registry in (here, there):
        received = []
        while registry.recovering:
            received += registry.advance(lambda _: False)
        found.append(output_of(received, "203"))
    assert found[0] == found[1]
    assert found[0]


def test_alarms_and_a_missing_stream_go_on_without_a_stream():
    here, there = new_registry(), new_registry()
    closed = messages.Closed(wearer="203", stream=messages.stream_id(7), end=720)
    here.restore([], [closed], 100.0)
    assert any(m.kind == "silent" for m in here.check(111.0))
    there.load(here.save("203"))
    assert there.snapshot(111.0) == here.snapshot(111.0)
    assert not there.check(112.0)


@pytest.mark.parametrize("ahead_s", [-1e6, 3600.5])
def test_on_another_machine_a_device_is_neither_silent_nor_late_by_the_other_clock(ahead_s):
    here, there = new_registry(), new_registry()
    opened(here, "203")
    sent = [(a, a + 72) for a in range(0, 60 * RATE, 72)]
    feed(here, sent[:200], 0.0)
    there.load(here.save("203"), ahead_s)
    mine, others = feed(here, sent[200:], 40.0), feed(there, sent[200:], 40.0 + ahead_s)
    assert mine[0] == others[0]
    for one, other in zip(mine[1], others[1], strict=True):
        assert other.lag_s == pytest.approx(one.lag_s, abs=1e-6)
    assert not {m["kind"] for m in others[0] if m["type"] == "Alarm"} & {"silent", "lag"}


def test_whoever_watches_in_another_way_refuses(tmp_path):
    here = new_registry()
    opened(here, "203")
    feed(here, [(0, 720)], 0.0)
    data = here.save("203")
    for limits in (AlarmLimits(low_rate=45.0), AlarmLimits(abnormal=Hysteresis(2, 10, 30))):
        with pytest.raises(StateError, match="made the same way"):
            new_registry(limits=lambda _, limits=limits: limits).load(data)
    other = write_bundle(tmp_path / "other.onnx", history_s=3.0, look_ahead_s=0.5, rate=120)
    with pytest.raises(StateError, match="put the same model into service first"):
        new_registry(resolve=lambda _: other).load(data)
    with pytest.raises(StateError, match="is watched here already"):
        here.load(data)
    full = new_registry(capacity=1)
    opened(full, "119")
    with pytest.raises(RefusedError, match="watches 1 wearers already"):
        full.load(data)
    for bad in (b"", data[:-1], data + b"x", data[4:]):
        there = new_registry()
        with pytest.raises(StateError, match="damaged or cut off"):
            there.load(bad)
        assert not there.streams
        opened(there, "203")  # its place is free


_GOES_ON = """
import sys, threading
from pathlib import Path
import zmq
from ecgmon.core.alarm_limits import AlarmLimits
from monitor.daemon import Monitor
from monitor.settings import MonitorSettings
from monitor.wearers.policy import WearerPolicy
from tests.support.rig import GENERIC

folder = Path(sys.argv[1])
policy = WearerPolicy(lambda _: GENERIC, lambda _: AlarmLimits(silent_s=3600, lag_s=3600))
settings = MonitorSettings(journal=folder / "journal.db", policy=policy)
monitor = Monitor(settings, zmq.Context())
monitor.start()
monitor.registry.load((folder / "wearer").read_bytes())
print("ready", monitor.ingest, monitor.publish, flush=True)
monitor.run()
"""


UNHURRIED = {"limits": lambda _: AlarmLimits(silent_s=3600, lag_s=3600)}
"""A busy machine is no reason for an alarm."""


def undisturbed(folder):
    with Rig(folder, **UNHURRIED) as rig:
        listener, device = rig.listener(), rig.device()
        device.greet("203", 7)
        device.send_all(SAMPLES, size=100)
        device.finish(len(SAMPLES))
        listener.until_over("203")
        return output_of(listener.drain(), "203")


def saves_at(rig, index):
    """Let a monitor save the wearer after so many samples, and then receive nothing."""
    tick, saved = rig.monitor.tick, []

    def tick_and_save():
        tick()
        streams = rig.monitor.registry.streams
        if not saved and streams and streams[0].next >= index:
            saved.append(rig.monitor.registry.save("203"))
            rig.monitor._ingest.drain = lambda _: IngestResult()

    rig.monitor.tick = tick_and_save
    return saved


@pytest.mark.thorough
@pytest.mark.parametrize("seed", [1, 2])
def test_a_wearer_is_moved_to_another_process_while_the_device_streams(tmp_path, seed):
    rng = np.random.default_rng(seed)
    index = int(rng.integers(5 * RATE, len(SAMPLES) - 5 * RATE))
    expected = undisturbed(tmp_path / "undisturbed")
    with Rig(tmp_path / "first", **UNHURRIED) as rig:
        saved = saves_at(rig, index)
        listener, device = rig.listener(), rig.device()
        device.greet("203", 7)
        for at in range(0, len(SAMPLES), 100):
            device.send(at, SAMPLES[at : at + 100])
            if saved:
                break
            time.sleep(0.001)  # as many ticks as may be
        received = output_of(listener.drain(), "203")
    second = tmp_path / "second"
    second.mkdir()
    (second / "wearer").write_bytes(saved[0])
    with (
        start(sys.executable, "-c", _GOES_ON, second, folder=tmp_path / "out") as process,
        Rig(tmp_path / "client") as client,
    ):
        ready = process.wait_for(r"ready (\S+) (\S+)")
        listener = client.keep(Listener(client.context, ready[2])).subscribed()
        listener.received.clear()
        device = client.keep(Wearable(client.context, ready[1]))
        welcome = device.greet("203", 7)
        assert index - 2000 < welcome.next < len(SAMPLES)
        device.send_all(SAMPLES[welcome.next :], first=welcome.next, size=100)
        device.finish(len(SAMPLES))
        listener.until_over("203")
        later = output_of(listener.drain(), "203")
    assert {"Window", "Alarm"} <= {message["type"] for message in later}
    assert received
    assert_same(received + later, expected)
