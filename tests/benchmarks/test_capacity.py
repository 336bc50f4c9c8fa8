"""The search for the largest count, and which rounds are met."""

import pytest


@pytest.fixture(scope="module")
def capacity(benchmark_of):
    return benchmark_of("capacity")


@pytest.mark.parametrize("most", [0, 1, 7, 99, 100, 101, 640, 5000])
def test_the_largest_count_is_found_to_within_four_percent(capacity, most):
    asked = []

    def holds(count):
        asked.append(count)
        return count <= most

    found = capacity.largest(holds, 100)
    assert found <= most <= found * 1.04 + 1
    assert len(asked) == len(set(asked)) < 20


def test_a_confirmation_goes_down_until_a_count_holds(capacity):
    assert capacity.confirmed(lambda count: count <= 90, 100) in range(83, 91)
    assert capacity.confirmed(lambda count: count <= 100, 100) == 100
    assert capacity.confirmed(lambda _: False, 30) == 0


def test_a_round_is_met_if_nothing_is_lost_and_verdicts_are_soon(capacity):
    assert capacity.is_met({"held": True, "latency": {"p99": 99.0}})
    assert not capacity.is_met({"held": False, "latency": {"p99": 9.0}})
    assert not capacity.is_met({"held": True, "latency": {"p99": 100.0}})
    assert not capacity.is_met({"held": True, "latency": {"windows": 0}})


def test_a_run_goes_on_with_what_is_kept(capacity, benchmark_of, monkeypatch, tmp_path):
    played = []

    def measured(what):
        played.append((what.wearers, what.seconds))
        if what.wearers > 200:
            raise SystemExit("Not all wearers are welcomed.")
        return {"held": what.wearers <= 60, "latency": {"p99": 20.0}}

    monkeypatch.setattr(capacity, "measured", measured)
    monkeypatch.setattr(benchmark_of("measurements"), "FOLDER", tmp_path)
    lengths = capacity.CapacityLengths(1.0, 2.0, 3.0)
    run = capacity.CapacityRun(lengths)
    run.frames("mixed", 250)
    assert run.result["most"] == {"mixed": 55}  # a step below what short rounds have found
    assert (55, 3.0) in played
    first = len(played)
    again = capacity.CapacityRun(lengths)
    assert again.result["rounds"] == run.result["rounds"]
    again.frames("mixed", 250)
    assert len(played) == first
    other = capacity.CapacityRun(capacity.CapacityLengths(1.0, 2.0, 9.0))
    assert other.result["rounds"] == []
