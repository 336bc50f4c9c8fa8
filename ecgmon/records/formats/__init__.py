"""File formats of records, one module or package each.

A new format is a file here and a line of `FORMATS` (docs/guide/extending.md).
"""

from typing import Final

from ecgmon.records.formats.base import Format
from ecgmon.records.formats.wfdb import Wfdb

FORMATS: Final[tuple[Format, ...]] = (Wfdb(),)
"""Where several hold a record of one path, the first one reads it."""
