import numpy as np

from ecgmon.signal import Geometry, Windows, process_record, process_records
from replay.simulator.simulation import simulate

SEES = Geometry(history_s=3, look_ahead_s=0.5, rate=120)


def test_records_processed_together_are_those_processed_alone():
    together = np.stack(
        [simulate("runs", seed=seed, duration_s=40).record.millivolts() for seed in range(3)]
    )
    together[1, 5000:9000] = np.nan
    for row, windows in enumerate(process_records(together, SEES)):
        alone = process_record(together[row], SEES)
        assert (windows.rows == row).all()
        for name in Windows.__slots__[1:]:
            np.testing.assert_array_equal(getattr(windows, name), getattr(alone, name))
