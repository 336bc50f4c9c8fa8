"""Beats that wait to be written: those between two commits go into the row of a window."""

from ecgmon.wire import messages
from ecgmon.wire.beat_rows import MAX_BEATS, Beats, with_beats
from monitor.storage.salvage import Row


class OpenBeats:
    """Collects beats for the journal until its next commit, about a second."""

    def __init__(self) -> None:
        self._of_stream: dict[tuple[str, str], list[messages.Beat]] = {}
        self._windows: dict[tuple[str, str], int] = {}

    def __bool__(self) -> bool:
        return bool(self._of_stream)

    def add(self, beat: messages.Beat) -> None:
        """Take a beat that was published."""
        self._of_stream.setdefault((beat.wearer, beat.stream), []).append(beat)

    def note(self, window: messages.Window, place: int) -> None:
        """Note at which place of the rows a window of a stream will be."""
        self._windows[window.wearer, window.stream] = place

    def join(self, rows: list[Row], now: float) -> None:
        """Put all beats into rows of their streams' latest windows, and others behind them.

        Parameters
        ----------
        rows : list of Row
            What is to be written, windows at the places that were noted.
        now : float
            Time of the wall clock at which new rows are written.
        """
        for stream, beats in self._of_stream.items():
            place = self._windows.get(stream)
            if place is not None:
                time, kind, wearer, text = rows[place]
                rows[place] = time, kind, wearer, with_beats(text, beats[:MAX_BEATS])
                del beats[:MAX_BEATS]
            rows += [
                (
                    now,
                    "beats",
                    stream[0],
                    messages.encode(Beats.of(beats[at : at + MAX_BEATS])).decode(),
                )
                for at in range(0, len(beats), MAX_BEATS)
            ]
        self._of_stream.clear()
        self._windows.clear()
