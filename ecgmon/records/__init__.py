"""Records: what they are, where they are found, how they are fetched and read.

Only the light parts are exported here; `find`, `fetch` and `read` are imported where used, since
wfdb, which fetches, takes a quarter of a second to load.
"""

from ecgmon.records.record import Annotations, Record, millivolts

__all__ = ["Annotations", "Record", "millivolts"]
