"""The daemon's life: what it takes to start, what it leaves behind, and whom it serves."""

import contextlib
import sqlite3
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import zmq

from ecgmon.core.errors import UsageError
from ecgmon.keys import PrivateKey
from ecgmon.wire import messages
from monitor.daemon import Monitor
from monitor.settings import MonitorSettings
from monitor.wearers.policy import WearerPolicy
from replay.simulator.scenarios import SCENARIOS
from replay.simulator.simulation import simulate
from tests.support.bundles import write_bundle
from tests.support.rig import GENERIC, PATIENCE_S, Rig, assert_same, output_of

CALM = simulate("normal", duration_s=5).record.samples


@pytest.fixture
def in_use():
    """An endpoint that something else uses."""
    with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
        socket.bind("tcp://127.0.0.1:*")
        yield socket.get_string(zmq.LAST_ENDPOINT).rstrip("\0")


def refused(folder, **settings):
    """Try to start a monitor, see that it leaves no socket behind, and return its error."""
    context = zmq.Context()
    given = {"journal": folder / "journal.db", "policy": WearerPolicy(lambda _: GENERIC)} | settings
    with pytest.raises(UsageError) as refusal:
        Monitor(MonitorSettings(**given), context).start()
    end = threading.Thread(target=context.term, daemon=True)
    end.start()
    end.join(PATIENCE_S)
    assert not end.is_alive(), "a socket is still open"
    return str(refusal.value)


def starts_at_last(folder, **settings):
    """Start a monitor as soon as the system has let go of an endpoint."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with Rig(folder, **settings) as rig:
                rig.device().greet("203", 1)
                return
        except UsageError:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.mark.parametrize("which", ["ingest", "publish"])
@pytest.mark.parametrize("endpoint", ["tcp://0.0.0.0:*", "tcp://*:*", "tcp://[::]:*"])
def test_nothing_that_the_network_can_reach_is_bound_without_a_key(tmp_path, which, endpoint):
    sentence = refused(tmp_path, **{which: ("tcp://127.0.0.1:*", endpoint)})
    assert "the monitor has no key: make keys" in sentence


@pytest.mark.parametrize("which", ["ingest", "publish"])
def test_an_endpoint_in_use_is_refused_and_nothing_stays_behind(tmp_path, in_use, which):
    free = _free_endpoint()
    other = "publish" if which == "ingest" else "ingest"
    before = _open_files()
    for _ in range(3):
        sentence = refused(tmp_path, **{which: (in_use,), other: (free,)})
        assert sentence == (
            f"The endpoint {in_use} cannot be bound (Address already in use): "
            "choose another one or stop what uses it."
        )
    _until(lambda: _open_files() <= before)
    starts_at_last(tmp_path, **{which: (free,)})


def test_an_endpoint_that_is_none_is_refused(tmp_path):
    own = PrivateKey.generate()
    for nonsense in ("tcp://nowhere.invalid:5555", "tcp://127.0.0.1:x"):
        assert "cannot be bound" in refused(tmp_path, ingest=(nonsense,), own=own)
    for nonsense in ("nonsense", "", "udp://127.0.0.1:5555"):
        assert refused(tmp_path, ingest=(nonsense,), own=own) == (
            f"network.ingest cannot be {nonsense!r}: endpoints of this monitor begin with tcp:// "
            "or ipc://."
        )


def test_a_journal_that_is_none_leaves_the_endpoints_free(tmp_path):
    endpoints = {"ingest": (_free_endpoint(),), "publish": (_free_endpoint(),)}
    before = _open_files()
    assert "journal" in refused(tmp_path, **endpoints, journal=tmp_path)
    _until(lambda: _open_files() <= before)
    starts_at_last(tmp_path, **endpoints)


def test_a_damaged_journal_leaves_nothing_open_behind(tmp_path):
    path = tmp_path / "journal.db"
    with Rig(tmp_path) as rig:
        for number in range(30):
            rig.device().greet(f"wearer-{number}", number)
    data = path.read_bytes()
    path.write_bytes(data[: 2 * 4096] + b"\xaa" * (len(data) - 2 * 4096))
    before = _open_files()
    with Rig(tmp_path) as rig:
        rig.newcomer().subscribed().until(messages.Alarm, None, kind="journal")
    _until(lambda: _open_files() <= before)


def test_a_stop_processes_what_has_come_and_leaves_the_streams_to_the_next_monitor(tmp_path):
    with Rig(tmp_path) as rig:
        listener, device = rig.listener(), rig.device()
        device.greet("203", 7)
        device.greet("119", 8)
        device.send_all(CALM)
        device.until_acked(len(CALM))
        listener.until(messages.Window, "119", first=1080)
        rig.stop()
        received = listener.drain()
    published = [
        m
        for m in received
        if not isinstance(m, messages.Trace | messages.Link | messages.Subscribed)
    ]
    assert written(rig.journal) == published
    assert {type(m) for m in published} == {messages.Opened, messages.Event, messages.Window}
    assert [w.first for w in listener.all(messages.Window, "119")] == [0, 360, 720, 1080]


def test_a_goodbye_just_before_the_stop_is_known_to_the_next_monitor(tmp_path, gate):
    """The stream ends once its last samples are on disk, which may be in the last moment."""
    with Rig(tmp_path, captured=tmp_path / "captured") as rig:
        device = rig.device()
        device.greet("203", 7)
        gate.clear()
        device.send(0, CALM[:360])
        device.bye(360)
        device.say(messages.Heartbeat(stream=messages.stream_id(7)))
        assert device.hear().next == 0
        rig.monitor.stop()
        gate.set()
        rig.stop()
    assert type(written(tmp_path / "journal.db")[-1]) is messages.Closed


def test_a_monitor_that_takes_over_the_journal_appends_to_it(tmp_path):
    for number in range(2):
        with Rig(tmp_path) as rig:
            rig.device().greet(f"wearer-{number}", 7)
    written_kinds = [(type(m), m.wearer) for m in written(tmp_path / "journal.db")]
    assert written_kinds == [
        (kind, f"wearer-{number}")
        for number in range(2)
        for kind in (messages.Opened, messages.Event)
    ]


def written(path):
    """Return the messages in a journal."""
    with contextlib.closing(sqlite3.connect(path)) as reader:
        rows = reader.execute("SELECT message FROM journal ORDER BY id").fetchall()
    return [messages.decode_to_viewer(text.encode()) for (text,) in rows]


def wearers():
    """Return twenty wearers to whom all kinds of things happen."""
    return {
        f"wearer-{number}": simulate(
            scenario, seed=number, duration_s=45, wearer=f"wearer-{number}"
        ).record
        for number, scenario in zip(range(20), [*SCENARIOS] * 3, strict=False)
    }


def frames(record, rng):
    """Cut what a record delivers into frames of any size."""
    bounds = [0, *(at for gap in record.missing for at in gap), len(record.samples)]
    for start, stop in zip(bounds[::2], bounds[1::2], strict=True):
        until = start
        while until < stop:
            at, until = until, min(until + int(rng.integers(1, 1500)), stop)
            yield at, record.samples[at:until]


def played(folder, records, seed, resolve):
    """Play records side by side and return the messages about each."""
    rng = np.random.default_rng(seed)
    with Rig(folder, resolve=resolve) as rig:
        listener = rig.listener()
        devices = {wearer: rig.device() for wearer in records}
        todo = {wearer: list(frames(record, rng)) for wearer, record in records.items()}
        for number, (wearer, device) in enumerate(devices.items()):
            device.greet(wearer, number)
        while todo:
            wearer = str(rng.choice(list(todo)))
            devices[wearer].send(*todo[wearer].pop(0))
            if not todo[wearer]:
                del todo[wearer]
                devices[wearer].bye(len(records[wearer].samples))
        for wearer in records:
            listener.until_over(wearer)
        return {wearer: output_of(listener.received, wearer) for wearer in records}


def test_each_of_many_wearers_is_judged_as_if_alone(tmp_path):
    """Some have a model of their own, some one that sees more or less of the signal."""
    models = [
        GENERIC,
        GENERIC.with_name("203.onnx"),
        write_bundle(tmp_path / "more.onnx", history_s=6.0, look_ahead_s=0.5, rate=360),
        write_bundle(tmp_path / "less.onnx", history_s=0.0, look_ahead_s=0.0, rate=60),
    ]
    records = wearers()
    chosen = {wearer: models[number % 4] for number, wearer in enumerate(records)}

    def resolve(wearer):
        return chosen.get(wearer, GENERIC)

    together = played(tmp_path / "together", records, 1, resolve)
    for number, (wearer, record) in enumerate(records.items()):
        alone = played(tmp_path / wearer, {wearer: record}, number, resolve)
        assert_same(together[wearer], alone[wearer])
    all_messages = [message for received in together.values() for message in received]
    kinds = {message.get("kind") for message in all_messages} - {None}
    assert kinds > {"abnormal", "asystole", "noisy", "no-signal", "low-rate"}
    assert all(
        len([m for m in received if m["type"] == "Window"]) > 40 for received in together.values()
    )


def _free_endpoint():
    with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
        socket.bind("tcp://127.0.0.1:*")
        return socket.get_string(zmq.LAST_ENDPOINT).rstrip("\0")


def _open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def _until(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
