"""File formats of records, one module or package each.

A new format is a file here and a line of `FORMATS` (docs/guide/extending.md).
"""

from pkgutil import resolve_name
from typing import Final

from ecgmon.records.formats.base import Format

FORMATS: Final[tuple[Format, ...]] = tuple(
    resolve_name(f"ecgmon.records.formats.{name}")()
    for name in (
        "wfdb:Wfdb",
    )
)  # fmt: skip
"""Where several hold a record of one path, the first one reads it."""
