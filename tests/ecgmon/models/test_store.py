"""The model store: versions, what is in service, and that it always loads."""

import contextlib
import json
import os
import signal
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from ecgmon.core.errors import BundleError, StoreError
from ecgmon.models import resolve
from ecgmon.models.bundle import Model
from ecgmon.models.store import KEPT, SERVICE, Store
from tests.support.bundles import write_bundle
from tests.support.subprocesses import start

GEOMETRY = {"history_s": 0, "look_ahead_s": 0, "rate": 120}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_bundle(tmp_path_factory.mktemp("bundle") / "ann.onnx", wearer="ann", **GEOMETRY)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "models")


def test_what_is_added_is_not_in_service_until_it_is_activated(store, bundle):
    assert (store.wearers(), store.versions("ann"), store.in_service("ann")) == ([], [], None)
    assert [store.add("ann", bundle), store.add("ann", bundle)] == [1, 2]
    assert (store.wearers(), store.versions("ann"), store.in_service("ann")) == (
        ["ann"],
        [1, 2],
        None,
    )
    store.activate("ann", 2, forced=True)
    assert store.in_service("ann") == store.path("ann", 2)
    assert store.path("ann", 2).read_bytes() == bundle.read_bytes()
    assert [(a.version, a.forced) for a in store.service("ann").activations] == [(2, True)]


def test_every_change_gives_another_stamp(store, bundle):
    """Just after it there is none, for two changes may have one time; see `Store.stamp`."""
    seen = [store.stamp("ann")]
    assert store.stamp("bob") == store.stamp("../ann") == seen[0]
    for change in (
        lambda: store.add("ann", bundle),
        lambda: store.activate("ann", 1),
        lambda: store.activate("ann", store.add("ann", bundle)),
        lambda: store.rollback("ann"),
    ):
        change()
        assert store.stamp("ann") is None
        at = time.time() - 1000 + len(seen)
        os.utime(store.folder / "ann", (at, at))
        seen.append(store.stamp("ann"))
        assert seen[-1] == store.stamp("ann")
    assert None not in seen
    assert len(set(seen)) == len(seen)
    store.forget("ann")
    assert store.stamp("ann") == seen[0]


def test_models_that_are_named_for_everyone_are_part_of_the_stamp(store, bundle):
    before = resolve.stamp(store, "bob", "ann")
    assert before == (store.stamp("bob"), store.stamp("ann"))
    store.add("ann", bundle)
    assert resolve.stamp(store, "bob", "ann") is None
    os.utime(store.folder / "ann", (1000, 1000))
    assert resolve.stamp(store, "bob", "ann") not in (None, before)
    assert resolve.stamp(store, "bob") == before[:1]


def test_rollback_goes_back_step_by_step(store, bundle):
    for _ in range(3):
        store.activate("ann", store.add("ann", bundle))
    assert store.rollback("ann") == 2
    assert store.rollback("ann") == 1
    assert store.rollback("ann") is None
    assert store.in_service("ann") is None
    with pytest.raises(StoreError, match="No model of ann's own is in service"):
        store.rollback("ann")


def test_a_bundle_of_somebody_else_is_refused(store, bundle):
    with pytest.raises(BundleError, match=r"ann\.onnx is a model of ann, not of bob\."):
        store.add("bob", bundle)
    assert store.wearers() == []


def test_a_damaged_bundle_never_gets_in_and_one_damaged_later_never_into_service(
    store, bundle, tmp_path
):
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(bundle.read_bytes()[:-1])
    with pytest.raises(BundleError, match=r"damaged\.onnx"):
        store.add("ann", damaged)
    store.activate("ann", store.add("ann", bundle))
    second = store.path("ann", store.add("ann", bundle))
    second.write_bytes(damaged.read_bytes())
    with pytest.raises(BundleError):
        store.activate("ann", 2)
    assert store.in_service("ann") == store.path("ann", 1)


def test_a_version_that_is_not_there_is_named(store, bundle):
    with pytest.raises(StoreError, match="no version 1 of ann's models: ann has none yet"):
        store.activate("ann", 1)
    store.add("ann", bundle)
    with pytest.raises(StoreError, match="no version 7 of ann's models: ann has 1"):
        store.activate("ann", 7)


@pytest.mark.parametrize("name", ["", "..", "../ann", "a/b", "/etc", ".hidden", "a\n", "x" * 65])
def test_a_wearer_whose_id_is_a_path_is_refused(store, bundle, name):
    for call in (store.versions, store.in_service, store.rollback):
        with pytest.raises(StoreError, match="cannot be a wearer's id"):
            call(name)
    with pytest.raises(BundleError):
        store.add(name, bundle)
    assert not store.folder.exists()


@given(st.binary(max_size=200))
def test_a_service_file_of_any_content_is_read_or_refused(tmp_path_factory, content):
    store = Store(tmp_path_factory.mktemp("store"))
    (store.folder / "ann").mkdir()
    (store.folder / "ann" / SERVICE["window"]).write_bytes(content)
    with contextlib.suppress(StoreError):
        assert len(store.service("ann").activations) <= KEPT


def test_a_service_file_without_end_is_read_only_up_to_a_limit(store):
    (store.folder / "ann").mkdir(parents=True)
    (store.folder / "ann" / SERVICE["window"]).write_text('{"activations": [' + " " * 10**6 + "]}")
    with pytest.raises(StoreError, match="ecgmon models activate ann VERSION"):
        store.service("ann")


def test_only_the_latest_activations_are_remembered(store, bundle):
    for _ in range(2):
        store.add("ann", bundle)
    for number in range(KEPT + 2):
        store.activate("ann", 1 + number % 2)
    assert len(store.service("ann").activations) == KEPT


def test_a_full_disk_is_reported_and_nothing_is_lost(store, bundle, monkeypatch):
    store.activate("ann", store.add("ann", bundle))
    store.add("ann", bundle)

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="cannot be written: No space left on device"):
            store.add("ann", bundle)
        with pytest.raises(StoreError, match="No space left"):
            store.activate("ann", 2)
    assert (store.versions("ann"), store.in_service("ann")) == ([1, 2], store.path("ann", 1))
    assert not list((store.folder / "ann").glob("*.new"))


class Life(RuleBasedStateMachine):
    """The store against a list of versions and a stack of activations."""

    folder = None
    bundle = None

    def __init__(self):
        super().__init__()
        Life.number = getattr(Life, "number", 0) + 1
        self.store = Store(Life.folder / str(Life.number))
        self.versions, self.stack = [], []

    @rule()
    def add(self):
        self.versions.append(self.store.add("ann", Life.bundle))

    @rule(version=st.integers(1, 4))
    def activate(self, version):
        if version in self.versions:
            self.store.activate("ann", version)
            if self.stack[-1:] != [version]:  # once more changes nothing
                self.stack.append(version)
        else:
            with pytest.raises(StoreError):
                self.store.activate("ann", version)

    @rule()
    def rollback(self):
        if self.stack:
            self.stack.pop()
            assert self.store.rollback("ann") == (self.stack[-1] if self.stack else None)
        else:
            with pytest.raises(StoreError):
                self.store.rollback("ann")

    @invariant()
    def agrees(self):
        again = Store(self.store.folder)
        assert again.versions("ann") == self.versions == list(range(1, len(self.versions) + 1))
        served = again.in_service("ann")
        assert served == (again.path("ann", self.stack[-1]) if self.stack else None)


def test_any_life_of_a_store(tmp_path, bundle):
    Life.folder, Life.bundle = tmp_path, bundle
    run_state_machine_as_test(Life, settings=settings(max_examples=20, stateful_step_count=20))


BUSY = """
import sys
from pathlib import Path
from ecgmon.models.store import Store

store, bundle = Store(Path(sys.argv[1])), Path(sys.argv[2])
print("ready", flush=True)
while True:
    store.activate("ann", store.add("ann", bundle))
    store.rollback("ann") if len(store.service("ann").activations) > 5 else None
"""


@pytest.mark.thorough
def test_a_store_killed_at_any_moment_loads(store, bundle, tmp_path):
    store.activate("ann", store.add("ann", bundle))
    for number in range(5):
        program = (sys.executable, "-c", BUSY, store.folder, bundle)
        with start(*program, folder=tmp_path / "run") as busy:
            busy.wait_for("ready")
            time.sleep(0.005 * number)
            busy.end(signal.SIGKILL)
        versions = store.versions("ann")
        assert versions == list(range(1, len(versions) + 1))
        for version in versions[-2:]:
            assert Model.load(store.path("ann", version)).card.wearer == "ann"
        assert store.in_service("ann") is not None
        assert json.loads((store.folder / "ann" / SERVICE["window"]).read_bytes())["activations"]
    assert store.add("ann", bundle) == len(versions) + 1
