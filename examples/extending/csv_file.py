"""Records as tables of comma-separated values: a column of seconds, and one of mV for each lead.

seconds,II,V5
0.000,0.015,-0.120
0.004,0.020,-0.115
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ecgmon.core.constants import NO_VALUE
from ecgmon.core.errors import RecordError
from ecgmon.records.record import Record

if TYPE_CHECKING:
    from ecgmon.records.record import Found

MAX_BYTES: Final = 200_000_000
"""Largest file read: some six hours of two leads at 250 Hz."""
GAIN: Final = 1000.0
"""Counts per mV that the samples are given, so that up to 32 mV fit."""
LARGEST_MV: Final = 32.0


class CsvFile:
    """Records that are one file ``NAME.csv``; they have no annotations."""

    suffixes: Final = (".csv",)

    def holds(self, path: Path) -> bool:
        """Tell whether the file is there."""
        return os.path.isfile(f"{path}.csv")  # noqa: PTH113 - Path.is_file raises on long names

    def read(
        self, found: "Found", *, lead: str | None, annotator: str | None, lenient: bool
    ) -> Record:
        """Read a lead, the first where none is named; an empty cell is a value not measured."""
        path = Path(f"{found.path}.csv")
        try:
            if path.stat().st_size > MAX_BYTES:
                raise ValueError(f"it is longer than {MAX_BYTES:,} bytes")
            with path.open(encoding="utf-8") as file:
                names = [name.strip() for name in file.readline().split(",")]
                table = np.genfromtxt(file, delimiter=",", ndmin=2)
            return _record(found, names, table, lead)
        except (OSError, ValueError) as error:
            raise RecordError(f"{path} cannot be read ({error}): mend or leave it out.") from error


def _record(found: "Found", names: list[str], table: np.ndarray, lead: str | None) -> Record:
    if len(names) < 2 or names[0] != "seconds" or table.shape[1] != len(names) or len(table) < 2:
        raise ValueError("it needs a line such as seconds,II and two or more lines of numbers")
    leads = names[1:]
    chosen = lead or leads[0]
    if chosen.isdecimal() and 1 <= int(chosen) <= len(leads):
        chosen = leads[int(chosen) - 1]
    if chosen not in leads:
        raise ValueError(f"it has no lead {chosen}, only {', '.join(leads)}")
    seconds, mv = table[:, 0], table[:, names.index(chosen)]
    step = (seconds[-1] - seconds[0]) / (len(seconds) - 1)
    if not step > 0 or not np.allclose(np.diff(seconds), step, atol=step / 2):
        raise ValueError("its seconds do not rise by equal steps")
    if np.nanmax(np.abs(mv), initial=0.0) > LARGEST_MV:
        raise ValueError(f"it has values beyond {LARGEST_MV:g} mV")
    counts = np.where(np.isnan(mv), NO_VALUE, np.rint(np.nan_to_num(mv) * GAIN))
    return Record(
        name=found.name,
        wearer=found.wearer,
        rate=float(round(1 / step, 3)),
        gain=GAIN,
        lead=chosen[:8],
        samples=counts.astype(np.int16),
    )
