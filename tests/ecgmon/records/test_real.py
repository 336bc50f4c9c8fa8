"""Every record of the databases at hand, sample by sample as wfdb reads it."""

import os
from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecgmon.core.constants import NO_VALUE
from ecgmon.records.find import find
from ecgmon.records.formats.wfdb.header import read_header
from ecgmon.records.read import read

DATABASES = ("mitdb", "nstdb", "svdb", "vfdb", "cudb", "qtdb", "ptbdb", "cinc2017")
DATA = os.environ.get("ECGMON_DATA", "").split(os.pathsep)[0]  # before a fixture hides it
NOT_MEASURED = {"16": -(2**15), "212": -(2**11)}


@pytest.mark.slow
@pytest.mark.parametrize("database", DATABASES)
def test_every_lead_of_every_record_is_read_as_wfdb_reads_it(database):
    folder = Path(DATA)
    if not DATA or not (folder / database / "RECORDS").is_file():
        pytest.skip(f"needs {database}: set ECGMON_DATA to a folder that holds it")
    for name in (folder / database / "RECORDS").read_text().split():
        found = find(f"{database}/{name}", folder)
        theirs = wfdb.rdrecord(str(found.path), physical=False)
        for i, signal in enumerate(read_header(found).signals):
            got, stored = read(found, lead=str(i + 1)), theirs.d_signal[:, i].astype(int)
            missing = got.samples == NO_VALUE
            assert got.rate == theirs.fs
            np.testing.assert_array_equal(missing, stored == NOT_MEASURED[signal.format])
            counts = stored[~missing] - theirs.baseline[i]
            if got.gain == theirs.adc_gain[i]:
                np.testing.assert_array_equal(got.samples[~missing], counts)
            else:  # beyond 16 bits from 0 mV
                mv = counts / theirs.adc_gain[i]
                np.testing.assert_allclose(
                    got.samples[~missing] / got.gain, mv, atol=0.6 / got.gain
                )
