import numpy as np
import pytest
import wfdb

from replay.simulator.simulation import simulate
from tests.support.subprocesses import environment


@pytest.fixture
def env(tmp_path):
    """No records, no network, an empty home."""
    return environment(tmp_path / "home")


@pytest.fixture
def mitdb_env(tmp_path, mitdb):
    """The MIT-BIH records at hand."""
    return environment(tmp_path / "home", ECGMON_DATA=mitdb.parent)


@pytest.fixture(scope="session")
def records(tmp_path_factory):
    """Folder of WFDB records: ``beats`` is annotated, ``plain`` is not, ``other`` has 500 Hz."""
    folder = tmp_path_factory.mktemp("records")
    record = simulate("premature", duration_s=30).record
    signal = record.millivolts()[:, None]
    written = {
        "fmt": ["16"],
        "adc_gain": [200.0],
        "baseline": [0],
        "units": ["mV"],
        "sig_name": ["MLII"],
        "write_dir": str(folder),
    }
    for name, rate in (("beats", 360), ("plain", 360), ("other", 500)):
        wfdb.wrsamp(name, fs=rate, p_signal=signal, **written)
    beats = record.annotations
    wfdb.wrann("beats", "atr", beats.samples, np.array(beats.symbols), write_dir=str(folder))
    return folder
