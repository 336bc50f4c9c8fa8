"""A model store that version 0.1.0 wrote serves, and judges record 203 bit for bit as it did then.

``tests/fixtures/0.1.0/make_store.sh`` made the store and its verdicts with that version.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest

from ecgmon import judge_record, load_model, read_record
from ecgmon.models.store import Store

EARLIER = Path(__file__).parents[2] / "fixtures" / "0.1.0"
HISTORY = range(3)
"""Seconds that 0.1.0 judged though their history had not been measured (item A4 of faults.md)."""
STATE = ()
"""Seconds of which the state is another one now."""


@pytest.fixture
def state(tmp_path, monkeypatch):
    folder = tmp_path / "state"
    shutil.copytree(EARLIER / "state", folder)
    monkeypatch.setenv("ECGMON_STATE", str(folder))
    return folder


@pytest.fixture
def verdicts():
    with np.load(EARLIER / "verdicts-203.npz") as saved:
        return saved["probability"], saved["state"].tolist()


def test_the_store_knows_who_is_served_by_what_and_takes_a_next_version(state):
    store = Store(state / "models")
    assert (store.wearers(), store.versions("ann")) == (["ann"], [1])
    assert store.in_service("ann") == store.path("ann", 1)
    assert store.add("ann", store.path("ann", 1)) == 2
    assert store.in_service("ann") == store.path("ann", 1)
    store.activate("ann", 2)
    store.rollback("ann")
    assert store.in_service("ann") == store.path("ann", 1)


def test_its_verdicts_on_203_are_those_of_0_1_0_bit_for_bit(state, verdicts, mitdb):
    probability, states = verdicts
    now = judge_record(read_record(str(mitdb / "203")), load_model("ann"))
    assert len(now.probability) == len(probability) == 1805
    differ = now.probability.view(np.uint32) != probability.view(np.uint32)
    differ &= ~(np.isnan(now.probability) & np.isnan(probability))
    assert np.flatnonzero(differ).tolist() == [*HISTORY]
    assert np.isnan(now.probability[: len(HISTORY)]).all()
    changed = [i for i, (a, b) in enumerate(zip(states, now.state, strict=True)) if a != b]
    assert changed == [*STATE]
