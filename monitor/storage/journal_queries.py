"""What is asked of the journal's database, and what is removed from it: the statements."""

from typing import Final

ALARMS: Final = (
    "SELECT id, message FROM journal WHERE type IN ('alarm', 'paused') AND type != 'window' "
    "ORDER BY id"
)
LATEST_WINDOW: Final = (
    "SELECT id, message FROM journal WHERE wearer = ? AND type = 'window' "
    "AND json_extract(message, '$.stream') = ? ORDER BY id DESC LIMIT 1"
)
LATEST_BEATS: Final = (
    "SELECT id, message FROM journal WHERE wearer = ? AND type = 'beats' AND type != 'window' "
    "AND json_extract(message, '$.stream') = ? ORDER BY id DESC LIMIT 1"
)
# A stream is judged anew from two minutes before its end: older beats are not published again.
LATEST_BEATS_OF_WINDOWS: Final = (
    "SELECT id, message FROM (SELECT id, message FROM journal WHERE wearer = ? "
    "AND type = 'window' AND json_extract(message, '$.stream') = ? ORDER BY id DESC LIMIT 300) "
    "WHERE json_extract(message, '$.beats') IS NOT NULL ORDER BY id DESC LIMIT 1"
)
GAPS: Final = (
    "SELECT id, message FROM journal WHERE wearer = ? AND type = 'gap' AND type != 'window' "
    "AND json_extract(message, '$.stream') = ? ORDER BY id DESC LIMIT 1000"
)
ALARMS_OF: Final = (
    "SELECT id, message FROM journal WHERE type IN ('alarm', 'paused') AND type != 'window' "
    "AND wearer IN (SELECT value FROM json_each(?)) ORDER BY id"
)
STREAMS: Final = (
    "SELECT id, message FROM journal WHERE type IN ('opened', 'closed') AND type != 'window' "
    "ORDER BY id"
)
NEWEST: Final = "SELECT time FROM journal ORDER BY id DESC LIMIT 1"
STEPS: Final = (
    "SELECT id, message FROM journal WHERE type = 'event' AND type != 'window' "
    "AND json_extract(message, '$.event') = ? ORDER BY id"
)
PAST: Final = (
    "SELECT id, message FROM journal WHERE type IN ('alarm', 'paused') AND type != 'window' "
    "AND id < ? ORDER BY id DESC LIMIT ?"
)
PAST_OF_ONE: Final = PAST.replace("AND id", "AND wearer = ? AND id")
PRUNE_WINDOWS: Final = (
    "DELETE FROM journal WHERE id IN (SELECT id FROM journal WHERE type = 'window' AND time < ? "
    "ORDER BY time LIMIT ?)"
)
# The oldest rows by their ids: by their times, an index of its own would be needed.
PRUNE_BEATS: Final = (
    "DELETE FROM journal WHERE id IN (SELECT id FROM (SELECT id, time FROM journal "
    "WHERE type = 'beats' AND type != 'window' ORDER BY id LIMIT ?) WHERE time < ?)"
)
PRUNE_OTHERS: Final = """
DELETE FROM journal WHERE id IN (
    SELECT id FROM journal AS old WHERE type != 'window' AND time < ?
    AND NOT (type = 'opened' AND NOT EXISTS (
        SELECT 1 FROM journal AS later WHERE later.wearer = old.wearer AND later.id > old.id
        AND later.type IN ('opened', 'closed') AND later.type != 'window'))
    AND NOT (type = 'alarm' AND json_extract(message, '$.state') != 'cleared' AND NOT EXISTS (
        SELECT 1 FROM journal AS later WHERE later.wearer = old.wearer AND later.id > old.id
        AND later.type = 'alarm' AND later.type != 'window'
        AND json_extract(later.message, '$.alarm') = json_extract(old.message, '$.alarm')))
    ORDER BY time LIMIT ?)
"""
