"""The coefficients that stand in the code are those of scipy, which a monitor does not import."""

import numpy as np
import pytest
from scipy import signal

from ecgmon.core.constants import RATE
from ecgmon.signal import compiled
from ecgmon.signal.coefficients import BAND_PASS, QRS, SHARP, steady_state
from ecgmon.signal.filter import BAND_HZ, ORDER
from ecgmon.signal.qrs_energy import BAND_HZ as QRS_HZ
from ecgmon.signal.qrs_energy import DRIFT_HZ, SHARP_HZ
from tests.support.subprocesses import python

FILTERS = {
    "band-pass": (BAND_PASS, [(ORDER, BAND_HZ, "bandpass")]),
    "QRS": (QRS, [(1, DRIFT_HZ, "highpass"), (1, QRS_HZ, "bandpass")]),
    "sharp": (SHARP, [(2, SHARP_HZ, "bandpass")]),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_is_that_of_butterworth_in_its_steady_state(name):
    ours, designs = FILTERS[name]
    designed = [signal.butter(*design, fs=RATE, output="sos") for design in designs]
    np.testing.assert_allclose(ours, np.concatenate(designed), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(steady_state(ours), signal.sosfilt_zi(ours), rtol=1e-12)


def test_the_compiled_filter_is_found_and_what_stands_in_for_it_without(monkeypatch):
    assert compiled.fastest() is not compiled.by_scipy
    monkeypatch.setattr(compiled, "_NAME", "scipy.signal.elsewhere")
    monkeypatch.setattr(compiled, "EXTENSION_SUFFIXES", [])
    assert compiled.fastest() is compiled.by_scipy


def test_a_monitor_imports_nothing_of_scipy_but_one_compiled_file():
    program = """
import sys
import ecgmon_cli.serve, monitor.daemon, monitor.configured, monitor.inference.beats
print(*(name for name in sys.modules if name.startswith("scipy.signal.")))
import scipy.signal
assert scipy.signal.sosfilt([[1, 0, 0, 1, 0, 0]], [1.0, 2.0]).tolist() == [1, 2]
"""
    done = python(program)
    assert done.code == 0, done.err
    assert done.out.split() == ["scipy.signal._sosfilt"]
