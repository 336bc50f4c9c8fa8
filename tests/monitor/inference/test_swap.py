"""A model put into service while its wearer is watched: nothing is lost, nothing is mixed."""

import itertools
import sqlite3
import time

import pytest

from ecgmon.core.constants import WINDOW
from ecgmon.models.store import Store
from ecgmon.wire import messages
from monitor import daemon
from replay.simulator.simulation import simulate
from tests.support.bundles import write_bundle
from tests.support.rig import GENERIC, Rig

SECONDS = 40
GEOMETRY = {"history_s": 1.0, "look_ahead_s": 0.5, "rate": 120}
RECORD = simulate("premature", duration_s=SECONDS).record.samples
FRAME = 120


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store with two versions for ann, of which the first is in service."""
    monkeypatch.setattr(daemon, "LINK_S", 0.05)
    store = Store(tmp_path / "models")
    for name, level in (("first", 0.3), ("second", 0.05)):
        path = write_bundle(tmp_path / name, name=name, wearer="ann", level=level, **GEOMETRY)
        store.add("ann", path)
    store.activate("ann", 1)
    return store


def watched(folder, store, between):
    """Play the record to a monitor, with a step after every frame; return the messages."""
    with Rig(folder, resolve=lambda wearer: store.in_service(wearer) or GENERIC) as rig:
        listener, device = rig.listener(), rig.device()
        device.greet("ann", 1)
        for at in range(0, len(RECORD), FRAME):
            device.send(at, RECORD[at : at + FRAME])
            between(at // FRAME)
        device.finish(len(RECORD))
        listener.until(messages.Closed, "ann")
    with sqlite3.connect(folder / "journal.db") as journal:
        types = [kind for (kind,) in journal.execute("SELECT type FROM journal")]
    return listener, types


def test_swaps_under_load_lose_no_window_and_mix_no_two_models(store, tmp_path):
    alone = {}
    for version in (1, 2):
        store.activate("ann", version)
        listener, _ = watched(tmp_path / f"alone-{version}", store, lambda _: None)
        for window in listener.all(messages.Window, "ann"):
            alone[window.first, window.model] = window
    versions = itertools.cycle((1, 2))

    def swap(number):
        time.sleep(0.01)
        if number % 12 == 0:
            store.activate("ann", next(versions))

    listener, types = watched(tmp_path / "swapped", store, swap)
    windows = listener.all(messages.Window, "ann")
    assert [w.first for w in windows] == list(range(0, (SECONDS - 1) * WINDOW, WINDOW))
    swaps = listener.all(messages.Swap, "ann")
    assert types.count("swap") == len(swaps) >= 4
    judging = "second"  # in service when the stream began
    changes = {swap.first: swap for swap in swaps}
    for window in windows:
        if window.first in changes:
            assert changes[window.first].model != judging
            judging = changes[window.first].model
        assert window.model == judging
        assert window == alone[window.first, judging]


def test_a_damaged_model_is_refused_once_and_the_old_one_goes_on(store, tmp_path):
    store.path("ann", 2).write_bytes(b"damaged")
    pointer = store.folder / "ann" / "service.json"

    def damage(number):
        time.sleep(0.01)
        if number == 20:  # by hand: the store itself would refuse
            changed = tmp_path / "service.json"
            changed.write_text(pointer.read_text().replace('"version":1', '"version":2'))
            changed.replace(pointer)  # a monitor that reads half a file says so, too

    listener, types = watched(tmp_path / "run", store, damage)
    assert {w.model for w in listener.all(messages.Window, "ann")} == {"first"}
    (swap,) = listener.all(messages.Swap, "ann")
    assert swap.model == "first"
    assert "0002.onnx has no model card" in swap.refused
    assert types.count("swap") == 1


def test_a_model_that_sees_more_of_the_signal_is_refused(store, tmp_path):
    path = write_bundle(
        tmp_path / "more", name="more", wearer="ann", history_s=3.0, look_ahead_s=0.5, rate=120
    )

    def swap(number):
        time.sleep(0.01)
        if number == 20:
            store.activate("ann", store.add("ann", path))

    listener, _ = watched(tmp_path / "run", store, swap)
    assert {w.model for w in listener.all(messages.Window, "ann")} == {"first"}
    (refusal,) = listener.all(messages.Swap, "ann")
    assert "it can serve from the next stream on" in refusal.refused
