"""Records: what they are, where they are found, how they are fetched and read.

Only the light parts are exported here; `find`, `fetch` and `read` are imported where used, since
wfdb, which fetches, takes a quarter of a second to load.
"""

from ecgmon.core.annotations import Annotations
from ecgmon.core.units import millivolts
from ecgmon.records.record import Record

__all__ = ["Annotations", "Record", "millivolts"]
