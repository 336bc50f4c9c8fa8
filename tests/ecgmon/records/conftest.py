import numpy as np
import pytest
import wfdb

from ecgmon.records.record import Found

SIGNAL = (1000 * np.sin(np.arange(4000) / 30)).astype(np.int64)
BEATS = [100, 400, 700]


@pytest.fixture(autouse=True)
def only_the_test_provides_records(monkeypatch, tmp_path):
    """No record of this machine takes part: neither $ECGMON_DATA nor the user's cache."""
    monkeypatch.delenv("ECGMON_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))


def write(folder, name="100", *, counts=None, annotate=True, **changes):
    """Write a small WFDB record: two leads at 360 Hz, 200 counts per mV, in one .dat file."""
    folder.mkdir(parents=True, exist_ok=True)
    counts = np.stack([SIGNAL, -SIGNAL // 2], axis=1) if counts is None else counts
    leads = counts.shape[1]
    settings = {
        "fs": 360,
        "units": ["mV"] * leads,
        "sig_name": ["MLII", "V5", "V1"][:leads],
        "d_signal": counts,
        "fmt": ["16"] * leads,
        "adc_gain": [200.0] * leads,
        "baseline": [0] * leads,
    }
    wfdb.wrsamp(name, write_dir=str(folder), **settings | changes)
    if annotate:
        wfdb.wrann(name, "atr", np.array(BEATS), symbol=["N", "V", "N"], write_dir=str(folder))
    return Found(f"test/{name}", name, folder / name)


@pytest.fixture(scope="session")
def write_record():
    """Writes a small record into a folder; see `write`."""
    return write


@pytest.fixture
def record(tmp_path):
    """A small record on disk."""
    return write(tmp_path / "db")


def with_suffix(found, suffix):
    return found.path.with_name(found.path.name + suffix)


@pytest.fixture(scope="session")
def file_of():
    """One of a record's files, by its suffix."""
    return with_suffix
