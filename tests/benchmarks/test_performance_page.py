"""The page of costs: from what was measured, and of no more."""

import json

import pytest

SPREAD = [1000.0, 900.0, 1200.0]
CPU = {"main": 700.0, "disk": 200.0, "ZeroMQ": 90.0, "others": 10.0, "all": 1000.0}
DELAYS = {"windows": 100, "p50": 3.0, "p95": 8.0, "p99": 20.0, "max": 30.0}
MEASURED = {"commit": "abc1234", "processor": "P", "cores": 2, "load": 0.1}
ROUND = {
    "wearers": 100,
    "frames": "mixed",
    "seconds": 40.0,
    "asked_s": 40,
    "cpu": CPU,
    "pss_mb": 300.0,
    "latency": DELAYS,
    "load": {"unacknowledged": 0, "cpu_us": 50.0, "late_ms": {"p99": 6.0}, "welcomed_s": 1.5},
    "viewer": {"lost": 0},
    "held": True,
    "met": True,
}
ALL = dict.fromkeys(CPU, SPREAD)
RATIO = {name: [12.0, 11.0, 13.0] for name in CPU}
OF_BUILDS = {"base": ALL, "here": ALL, "ratio": RATIO, "load_us": SPREAD}
FILES = {
    "build-costs-4ca67f9": {
        "base": "4ca67f9",
        "wearers": {
            "300": OF_BUILDS
            | {"latency": {"here": [DELAYS], "base": [DELAYS]}, "held": {"here": True}}
        },
    },
    "capacity": {
        "confirm_s": 600.0,
        "most": {"mixed": 1234},
        "rounds": [
            ROUND,
            ROUND | {"frames": "bursts", "met": False},
            {"frames": "mixed", "wearers": 9999, "latency": {}, "error": "no"},
        ],
    },
    "worker-costs": {
        "wearers": {
            "200": {
                "one": ALL,
                "two": ALL,
                "work": [0.93, 0.91, 0.95],
                "latency": {"one": [DELAYS], "two": [DELAYS]},
                "pss_mb": {"one": SPREAD, "two": SPREAD},
                "load_cores": [0.12, 0.1, 0.14],
                "held": True,
            }
        },
    },
    "stages": {
        "limit": {"multiply_adds": 947520, "products_per_ns": 50.0, "us": 19.0},
        "counts": [
            {
                "wearers": 300,
                "stages": {"main": {"filter": 30.5, "judge windows": 38.0}, "disk": {"journal": 9}},
                "rest": {"monitor/daemon.py:run": 1.5},
                "sampler": 5.0,
                "sampled": CPU,
                "total": CPU,
            }
        ],
    },
    "others": {"costs": {"NeuroKit2, live": [9000.0, 8000.0, 9500.0]}, "versions": {"N": "1"}},
    "footprint": {
        "ready_s": [1.5, 1.4, 1.6],
        "idle": {"pss_mb": 100.0, "cpu_ms": 2.5},
        "one": {"share": 0.05, "free": ROUND, "bounded": None},
        "rounds": [ROUND, {"wearers": 1000, "error": "Not all wearers are welcomed."}],
    },
}


@pytest.fixture
def page(benchmark_of, monkeypatch, tmp_path):
    module = benchmark_of("performance_page")
    monkeypatch.setattr(benchmark_of("measurements"), "FOLDER", tmp_path)
    return lambda: module.page(tmp_path)


def write(folder, names):
    for name in names:
        (folder / f"{name}.json").write_text(json.dumps(FILES[name] | {"measured": MEASURED}))


def test_a_page_has_each_part_that_was_measured(page, tmp_path):
    write(tmp_path, FILES)
    text = page()
    assert "| at least 10 | 12.0 (11.0 to 13.0) | met |" in text
    assert "| wearers, mixed | 2,000 | 1,234 | **missed** |" in text
    assert "| wearers, bursts | 4,000 | none confirmed | **missed** |" in text
    assert "| all but inference, us | at most 114 | 40 | met |" in text
    assert "would be 1.65 times cheaper" in text
    assert "| times cheaper than NeuroKit2, live | at least 50 | 9.0 | **missed** |" in text
    assert "200 wearers, in parts of one process's | at least 0.9 | 0.93 (0.91 to 0.95) |" in text
    assert "| 200 | two workers | yes | 3.0 | 20.0 |" in text
    assert "| ready, s | below 1.2 | 1.50 (1.40 to 1.60) | **missed** |" in text
    assert "| filter | main | 30.5 |" in text
    assert "| journal | disk | 9.0 |" in text
    assert "50% of what judging windows costs" in text
    assert "| NeuroKit2, live | 9,000 (8,000 to 9,500) | 9.0 |" in text
    assert "| 100 | 300.0 | 2.00 | 1.50 |" in text
    assert "No bound could be set" in text
    assert text.count("Measured at commit abc1234") == 6
    assert {path.name for path in tmp_path.glob("*.png")} == {"delays.png", "stages.png"}


@pytest.mark.parametrize("name", FILES)
def test_a_part_that_was_not_measured_is_left_out(page, tmp_path, name):
    write(tmp_path, [name])
    assert page().count("Measured at commit") == 1
