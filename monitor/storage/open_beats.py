"""Beats that wait to be written: those of a stream between two commits become one row."""

from ecgmon.wire import messages
from ecgmon.wire.beat_rows import MAX_BEATS, Beats
from monitor.storage.salvage import Row


class OpenBeats:
    """Collects beats for the journal until its next commit, about a second."""

    def __init__(self) -> None:
        self._of_stream: dict[tuple[str, str], list[messages.Beat]] = {}

    def __bool__(self) -> bool:
        return bool(self._of_stream)

    def add(self, beat: messages.Beat) -> None:
        """Take a beat that was published."""
        self._of_stream.setdefault((beat.wearer, beat.stream), []).append(beat)

    def take(self, now: float) -> list[Row]:
        """Return all as rows of the journal, written at ``now`` of the wall clock."""
        rows = [
            (now, "beats", wearer, messages.encode(Beats.of(beats[at : at + MAX_BEATS])).decode())
            for (wearer, _), beats in self._of_stream.items()
            for at in range(0, len(beats), MAX_BEATS)
        ]
        self._of_stream.clear()
        return rows
