"""Stages of the monitor's work: where sampled code belongs, and that nothing is left out."""

import json
import math
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def stage_table(benchmark_of):
    return benchmark_of("stage_table")


@pytest.mark.parametrize(
    ("stack", "stage"),
    [
        (["/t/ecgmon/signal/filter.py:push", "/t/monitor/daemon.py:tick"], "filter"),
        (["/x/numpy/linalg.py:dot", "/t/ecgmon/signal/qrs.py:push"], "find beats"),
        (["/t/ecgmon/signal/unheard_of.py:f"], "other signal"),
        (["/t/monitor/network/router.py:receive"], "receive"),
        (["/x/zmq/socket.py:send", "/t/monitor/network/router.py:answer"], "acknowledge"),
        (["/t/monitor/storage/capture.py:add"], "capture"),
        (["/t/monitor/storage/anything.py:add"], "journal"),
        (["/t/monitor/daemon.py:tick", "/t/ecgmon_cli/serve.py:serve"], "wait"),
        (["/t/monitor/daemon.py:run", "/t/ecgmon_cli/serve.py:serve"], "rest"),
        (["/elsewhere/monitor/alarms/a.py:f"], "rest"),
        ([], "rest"),
    ],
)
def test_code_belongs_to_the_stage_of_its_innermost_known_place(stage_table, stack, stage):
    assert stage_table.stage_of(stack, "/t") == stage


def test_seconds_add_up_by_thread(stage_table):
    rows = [
        ["MainThread", 0.5, ["/t/ecgmon/signal/filter.py:push"]],
        ["MainThread", 0.25, ["/t/ecgmon/signal/filter.py:other"]],
        ["MainThread", 0.1, ["/t/monitor/daemon.py:run"]],
        ["Thread-7", 0.3, ["/t/monitor/ops/prometheus.py:page"]],
        ["disk", 0.2, ["/t/monitor/storage/journal.py:append"]],
    ]
    assert stage_table.by_stage(rows, "/t") == {
        "main": {"filter": 0.75, "rest": 0.1},
        "disk": {"journal": 0.2},
        "others": {"metrics": 0.3},
    }
    assert stage_table.unattributed(rows, "/t") == {"monitor/daemon.py:run": 0.1}


def test_the_table_names_what_is_there(stage_table):
    places = [place for places in stage_table.STAGES.values() for place in places]
    assert [place for place in places if not (ROOT / place.split(":")[0]).exists()] == []
    assert len(places) == len(set(places))


def test_a_profile_weighs_what_uses_cpu_time(benchmark_of, tmp_path):
    def busy():
        began = time.thread_time()
        while time.thread_time() - began < 0.3:
            math.factorial(500)

    sampler = benchmark_of("sampled").StageSampler(tmp_path / "profile.json")
    sampler.begin()
    began = time.thread_time()
    busy()
    used = time.thread_time() - began
    sampler.end()
    profile = json.loads((tmp_path / "profile.json").read_text())
    mine = [row for row in profile["rows"] if row[0] == "MainThread"]
    inside = sum(seconds for _, seconds, stack in mine if any(":busy" in at for at in stack))
    assert 0.7 * used < inside <= used
