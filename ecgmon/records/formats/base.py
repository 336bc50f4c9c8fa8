"""The port of file formats: what finds and reads the records of one."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ecgmon.records.record import Found, Record


class Format(Protocol):
    """A file format of records.

    A record is named by the path of its files without their suffix. Files are hostile input: what
    is wrong with one is a `RecordError` of one sentence that says what to do.
    """

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Of files that may be given for their record: ``(".csv",)``."""

    def holds(self, path: Path) -> bool:
        """Tell whether a record lies there, never failing: ``os.path.isfile(f"{path}.csv")``."""

    def read(
        self, found: "Found", *, lead: str | None, annotator: str | None, lenient: bool
    ) -> "Record":
        """Read a lead as `ecgmon.records.read.read` does: ``Record(samples=..., rate=250.0)``."""
