"""What a round is made of: threads' costs, bounds on a process, bundles of a tree, what holds."""

import os

import pytest

from tests.support.rig import GENERIC


@pytest.fixture(scope="module")
def served(benchmark_of):
    return benchmark_of("served")


def test_costs_are_for_a_second_that_was_judged(served):
    before = served.ThreadTimes(10.0, {"main": 1.0, "disk": 0.5})
    after = served.ThreadTimes(20.0, {"main": 1.5, "disk": 0.6})
    assert after.since(before, 1000) == {"main": 500.0, "disk": 100.0, "all": 600.0}


def test_a_trees_bundles_are_found_wherever_its_version_keeps_them(served, tmp_path):
    here = served.bundles_of(served.ROOT)
    assert here == [GENERIC, GENERIC.with_name("beats.onnx")]
    (tmp_path / "monitor" / "models").mkdir(parents=True)
    old = tmp_path / "monitor" / "models" / "generic.onnx"
    old.touch()
    assert served.bundles_of(tmp_path) == [old]


@pytest.mark.parametrize(
    ("change", "is_held"),
    [
        ({}, True),
        ({"missing": 1}, False),
        ({"viewer": {"lost": 1}}, False),
        ({"load": {"overrun": True, "unacknowledged": 0, "refused": []}}, False),
        ({"load": {"overrun": False, "unacknowledged": 36, "refused": []}}, False),
        ({"load": {"overrun": False, "unacknowledged": 0, "refused": ["no"]}}, False),
    ],
)
def test_a_round_holds_if_nothing_is_lost_held_back_or_refused(benchmark_of, change, is_held):
    whole = {
        "missing": 0,
        "viewer": {"lost": 0},
        "load": {"overrun": False, "unacknowledged": 0, "refused": []},
    }
    assert benchmark_of("rounds").held(whole | change) is is_held


@pytest.mark.parametrize(
    ("legacy", "written"),
    [
        (True, {"cpu.cfs_period_us": "20000", "cpu.cfs_quota_us": "1000"}),
        (False, {"cpu.max": "1000 20000"}),
    ],
)
def test_a_process_is_bound_to_a_share_and_let_go(
    benchmark_of, monkeypatch, tmp_path, legacy, written
):
    module = benchmark_of("cpu_share")
    monkeypatch.setattr(module, "GROUPS", tmp_path)
    groups = tmp_path / "cpu" if legacy else tmp_path
    groups.mkdir(exist_ok=True)
    with module.bounded(7, 0.05) as is_bounded:
        assert is_bounded
        group = groups / "ecgmon-7"
        found = {path.name: path.read_text() for path in group.iterdir()}
        assert found == written | {"cgroup.procs": "7"}
        for path in group.iterdir():  # as the kernel does with a group's own files
            path.unlink()
    assert not group.exists()
    assert (groups / "cgroup.procs").read_text() == "7"


def test_where_no_group_can_be_made_nothing_is_bound(benchmark_of, monkeypatch, tmp_path):
    module = benchmark_of("cpu_share")
    monkeypatch.setattr(module, "GROUPS", tmp_path / "none")
    with module.bounded(os.getpid(), 0.05) as is_bounded:
        assert not is_bounded
