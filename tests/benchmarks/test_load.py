"""The light load: frames of the protocol, each once and in order, and times that are right."""

import threading
import time

import numpy as np
import pytest

from ecgmon.core.constants import RATE
from ecgmon.models.beat_bundle import BeatModel
from ecgmon.models.bundle import Model
from ecgmon.models.store import Store
from ecgmon.wire import Frame
from tests.support.rig import GENERIC, PATIENCE_S, Rig

SECONDS = 2.2


@pytest.fixture(scope="module")
def load(benchmark_of):
    return benchmark_of("load")


@pytest.fixture(scope="module")
def frames_of(benchmark_of):
    return benchmark_of("load_frames")


@pytest.fixture(scope="module")
def signals(frames_of):
    return frames_of.prepared(2, 4)


def test_frames_are_those_that_the_protocol_has(frames_of, signals):
    length = np.array([25, 360])
    framer = frames_of.Framer(signals, [7, (1 << 63) | 9], length)
    rows, first = np.array([1, 0, 1]), np.array([360, 25, 4 * RATE])
    frames = [Frame.decode(data) for data in framer.frames(rows, first)]
    assert [(one.stream, one.first, len(one.samples)) for one in frames] == [
        ((1 << 63) | 9, 360, 360),
        (7, 25, 25),
        ((1 << 63) | 9, 4 * RATE, 360),
    ]
    assert all(one.encode() in framer.frames(rows, first) for one in frames)
    assert [frames[2].device_time - frames[0].device_time] == [3_000_000_000]


def test_a_signal_goes_on_with_its_own_start(frames_of, signals):
    framer = frames_of.Framer(signals, [1], np.array([360]))
    frames = framer.frames(np.zeros(9, np.intp), 360 * np.arange(9))
    sent = np.concatenate([Frame.decode(data).samples for data in frames])
    once = np.frombuffer(signals[0], "<i2")[: 4 * RATE]
    assert np.array_equal(sent, np.resize(once, len(sent)))


def test_every_frame_is_planned_once_in_order_and_when_it_is_whole(load, frames_of):
    links = frames_of.Links(40, load.FRAMES["mixed"], 30.0)
    links.begin(100.0)
    times = np.arange(100.2, 130.0, 0.2)
    planned = [links.plan(until) for until in times]
    rows, number, due = (np.concatenate(parts) for parts in zip(*planned, strict=True))
    assert all(np.all(np.diff(part[2]) >= 0) for part in planned)
    assert all(np.all(part[2] < until) for part, until in zip(planned, times, strict=True))
    for wearer in range(40):
        mine = rows == wearer
        assert number[mine].tolist() == list(range(links.frames[wearer]))
        whole = 100.0 + (number[mine] + 1) * links.length[wearer] / RATE
        assert np.all(due[mine] >= whole)
        assert np.all(due[mine] < whole + 1 + frames_of.JITTER_S)
    assert len(due) / 40 / 29.5 == pytest.approx(9.7, abs=1.5)


def test_it_plays_to_a_monitor_that_keeps_all_and_the_viewer_times_it(
    load, frames_of, signals, benchmark_of, tmp_path
):
    with Rig(tmp_path) as rig:
        viewer = benchmark_of("load_viewer").LoadViewer(rig.monitor.publish)
        stopping = threading.Event()

        def watch():
            while not stopping.is_set():
                viewer.turn()

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            links = frames_of.Links(3, load.FRAMES["mixed"], SECONDS)
            generator = load.LoadGenerator(rig.monitor.ingest, links, signals)
            generator.join()
            generator.play(SECONDS)
            assert generator.leave() == 0
            deadline = time.monotonic() + PATIENCE_S
            while viewer.counts.get("window", 0) < int(((links.end - 180) // RATE).sum()):
                assert time.monotonic() < deadline
                time.sleep(0.01)
        finally:
            stopping.set()
            watching.join()
        viewer.close()
        viewer.save(tmp_path / "viewer.npz")
    figures = generator.figures()
    assert not figures["overrun"]
    assert figures["refused"] == []
    assert figures["samples"] == int(links.end.sum()) > RATE
    assert viewer.lost == 0
    names = [load.wearer_name(index) for index in range(3)]
    np.savez(tmp_path / "load.npz", names=names, length=links.length, sent=links.sent)
    delays = benchmark_of("load_latency").delays
    found, missing = delays(tmp_path / "load.npz", tmp_path / "viewer.npz")
    assert missing == 0
    assert len(found) > 0
    assert np.all(found > 0)


def test_delays_count_from_the_last_sample_that_a_window_needs(benchmark_of, tmp_path):
    np.savez(
        tmp_path / "load.npz",
        names=["a", "b"],
        length=[36, 360],
        sent=[[10 + 0.1 * k for k in range(40)], [11 + k if k < 4 else np.nan for k in range(40)]],
    )
    np.savez(
        tmp_path / "viewer.npz",
        names=["b", "a"],
        look_ahead_s=[0.5, 0.0],
        wearer=[0, 1, 1, 0],
        first=[0, 0, 360, 1440],
        arrived=[12.25, 11.0, 12.5, 99.0],
    )
    delays = benchmark_of("load_latency").delays
    found, missing = delays(tmp_path / "load.npz", tmp_path / "viewer.npz")
    assert found == pytest.approx([0.25, 0.1, 0.6])
    # Not come: of *a* the third and the fourth second, of *b* the second and the third.
    assert missing == 4
    later, missing = delays(tmp_path / "load.npz", tmp_path / "viewer.npz", warm_s=1.5)
    assert (len(later), missing) == (2, 4)
    assert isinstance(missing, int)
    judged = benchmark_of("load_latency").judged
    assert judged(tmp_path / "viewer.npz", 11.0, 12.5) == 2


def test_a_ward_has_models_of_its_own_in_service(benchmark_of, tmp_path):
    beats = GENERIC.with_name("beats.onnx")
    ward = benchmark_of("own_bundles").ward
    models = ward(tmp_path, ["ann"], [GENERIC, beats])
    assert ward(tmp_path, ["ann", "bob"], [GENERIC, beats]) == models
    store = Store(models)
    assert store.wearers() == ["ann", "bob"]
    assert Model.load(store.in_service("bob")).card.wearer == "bob"
    assert BeatModel.load(store.in_service("ann", "beat")).card.wearer == "ann"
