"""A wearer's models of beats beside those of windows: one store, a service entry for each."""

import json

import pytest

from ecgmon.core.errors import BundleError, StoreError
from ecgmon.models.bundle import Model
from ecgmon.models.store import SERVICE, Store
from tests.support.beat_bundles import export_random, of_wearer
from tests.support.bundles import write_bundle

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    window = write_bundle(
        folder / "window.onnx", wearer="ann", history_s=0, look_ahead_s=0, rate=120
    )
    return window, export_random(folder / "beat.onnx", wearer="ann")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "models")


def test_each_kind_has_its_own_service(store, bundles):
    window, beat = bundles
    versions = [store.add("ann", one) for one in (window, beat, beat, window)]
    assert versions == [1, 2, 3, 4]
    store.activate("ann", 2)
    assert store.in_service("ann") is None
    store.activate("ann", 1)
    store.activate("ann", 3)
    assert store.in_service("ann") == store.path("ann", 1)
    assert store.in_service("ann", "beat") == store.path("ann", 3)
    assert store.rollback("ann", "beat") == 2
    store.activate("ann", 4)
    assert store.in_service("ann", "beat") == store.path("ann", 2)
    assert store.rollback("ann") == 1
    assert store.rollback("ann", "beat") is None
    with pytest.raises(StoreError, match="No model of beats of ann's own is in service"):
        store.rollback("ann", "beat")
    assert store.in_service("ann") == store.path("ann", 1)


def test_a_store_made_before_is_read_and_written_as_it_was(store, bundles):
    store.activate("ann", store.add("ann", bundles[0]))
    entry = store.folder / "ann" / "service.json"
    before = entry.read_bytes()
    assert list(json.loads(before)) == ["activations"]
    store.activate("ann", store.add("ann", bundles[1]))
    assert entry.read_bytes() == before
    entries = {path.name for path in entry.parent.glob("service*")}
    assert entries == {"service-beat.json", SERVICE["window"]}
    Model.load(store.in_service("ann"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"segments": "published"}, "sees beats as no monitor has them"),
        ({"rate": 100}, "sees beats as no monitor has them"),
        ({"classes": ("N", "S", "V", "F", "X")}, "classes that a monitor does not publish: X"),
    ],
)
def test_a_model_that_no_monitor_can_serve_is_stored_and_not_put_into_service(
    store, bundles, tmp_path, changes, why
):
    version = store.add("ann", of_wearer(bundles[1], tmp_path / "other.onnx", "ann", **changes))
    with pytest.raises(BundleError, match=why):
        store.activate("ann", version)
    assert store.in_service("ann", "beat") is None


def test_forgetting_a_wearer_forgets_both_kinds(store, bundles):
    for one in bundles:
        store.activate("ann", store.add("ann", one))
    store.forget("ann")
    assert not (store.folder / "ann").exists()


def test_another_wearers_beat_model_is_refused(store, bundles, tmp_path):
    with pytest.raises(BundleError, match="is a model of bob, not of ann"):
        store.add("ann", of_wearer(bundles[1], tmp_path / "bob.onnx", "bob"))
