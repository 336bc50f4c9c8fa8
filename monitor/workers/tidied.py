"""The captured records as the front sees them, which writes none and removes what is old."""

import time
from pathlib import Path
from typing import Final

from monitor.storage.capture import Capture

GROWING_S: Final = 60.0
"""A record that was written to within so many seconds may be one that a worker goes on with."""


class TidiedCapture(Capture):
    """Records that other processes write."""

    def grows(self, path: Path, changed: float) -> bool:
        """Tell whether a record, last written to at a time of the wall clock, may be growing."""
        return super().grows(path, changed) or time.time() - changed < GROWING_S
