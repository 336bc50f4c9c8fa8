"""The public names of ``import ecgmon`` for notebooks and scripts."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ecgmon
from ecgmon.core.constants import RATE, WINDOW
from monitor.inference.engine import classify
from monitor.inference.incremental import IncrementalWindows
from replay.simulator.simulation import simulate

NOTEBOOK = Path(__file__).parents[2] / "examples" / "notebook.py"


@pytest.fixture(scope="module")
def record():
    return simulate("premature").record


def test_every_public_name_is_there():
    assert all(getattr(ecgmon, name) for name in ecgmon.__all__)
    assert set(ecgmon.__all__) <= set(dir(ecgmon))
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        _ = ecgmon.other


def test_a_record_is_judged_as_a_monitor_judges_it(record):
    model = ecgmon.load_model("generic")
    verdicts = ecgmon.judge_record(record, model)
    windows = ecgmon.process_record(record.millivolts(), model.card.geometry)
    live = classify(windows, {0: model}, IncrementalWindows())
    np.testing.assert_allclose(verdicts.probability, live, rtol=0, atol=1e-6)
    assert np.array_equal(verdicts.abnormal, live >= model.card.threshold)
    assert np.array_equal(verdicts.start_s, np.arange(len(verdicts.start_s)) + verdicts.start_s[0])
    assert len(verdicts.state) == len(verdicts.abnormal) == len(windows)
    assert verdicts.abnormal.any()
    assert not verdicts.abnormal[np.isnan(verdicts.probability)].any()


def test_beats_of_a_record_are_found(record):
    beats = ecgmon.detect_beats(record.millivolts())
    assert len(beats) > len(record.samples) / WINDOW
    assert np.all(np.diff(beats) > 0.2 * RATE)


def test_a_record_is_read_at_360_hz(mitdb):
    read = ecgmon.read_record(str(mitdb / "100"))
    assert (read.rate, read.wearer) == (RATE, "100")
    assert read.annotations is not None


@pytest.mark.thorough
def test_the_example_runs():
    done = subprocess.run(  # noqa: S603 - our own interpreter and example
        [sys.executable, NOTEBOOK], capture_output=True, text=True, check=True
    )
    assert "106 of 109 seconds judged by generic-beatnet" in done.stdout
    assert done.stderr == ""
