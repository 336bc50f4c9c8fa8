"""The WFDB format of PhysioNet: header, signal and annotation files."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ecgmon.records.record import Found, Record


class Wfdb:
    """Records that have a header file."""

    suffixes: Final = (".hea", ".dat", ".mat", ".atr", ".xyz")

    def holds(self, path: Path) -> bool:
        """Tell whether a header is there; never fails, however strange the path."""
        return os.path.isfile(f"{path}.hea")  # noqa: PTH113 - Path.is_file raises on too long names

    def read(
        self, found: "Found", *, lead: str | None, annotator: str | None, lenient: bool
    ) -> "Record":
        """Read a lead; see `ecgmon.records.formats.wfdb.reader.read`."""
        from ecgmon.records.formats.wfdb.reader import read  # it knows what `find` finds

        return read(found, lead=lead, annotator=annotator, lenient=lenient)
