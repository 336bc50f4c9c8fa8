import numpy as np
import pytest
import wfdb

from ecgmon.records.find import find

SYMBOLS = "NNNNNSNNVNNN~NNFNNNNQNNNNaNNN"
"""Experts' marks at each second from the first on: one of them marks noise and no beat."""


@pytest.fixture
def record(tmp_path):
    """Return 30 s of two leads at 128 Hz with a spike each second, the second one upside down.

    Each spike is annotated two samples early, as svdb is.
    """
    folder = tmp_path / "data" / "svdb"
    folder.mkdir(parents=True)
    lead = np.random.default_rng(5).integers(-4, 4, 30 * 128)
    lead[64::128] += 200
    wfdb.wrsamp(
        "t1",
        fs=128,
        units=["mV", "mV"],
        sig_name=["ECG1", "ECG2"],
        d_signal=np.stack([lead, -lead // 2], axis=1),
        fmt=["16", "16"],
        adc_gain=[200, 200],
        baseline=[0, 0],
        write_dir=str(folder),
    )
    marks = 64 - 2 + 128 * np.arange(len(SYMBOLS))
    wfdb.wrann("t1", "atr", marks, list(SYMBOLS), fs=128, write_dir=str(folder))
    return find("svdb/t1", tmp_path / "data")
