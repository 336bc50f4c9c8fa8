"""Samples that are due are written; what is on disk, or a gap in the journal, is acknowledged."""

from collections.abc import Collection, Iterable
from typing import Final

from monitor.storage.capture import Capture
from monitor.storage.disk_jobs import Batch, StoredSamples, gap
from monitor.storage.journal import Journal
from monitor.storage.unwritten import Holding
from monitor.wearers.stream import Stream

AT_ONCE: Final = 50
"""Wearers whose samples are written before the storage thread looks for an alarm."""


class SampleWriter:
    """Knows which streams wait to be acknowledged, and writes samples in the storage thread.

    Parameters
    ----------
    journal : Journal
        Told of samples that were given up.
    capture : Capture or None
        Where samples are written; None if they are not.
    """

    def __init__(self, journal: Journal, capture: Capture | None) -> None:
        self._journal = journal
        self._capture = capture
        self._holding = capture.holding if capture else Holding()
        self._unacknowledged: dict[Stream, int] = {}
        self._ending: set[Stream] = set()

    def due_at(self) -> float | None:
        """Return the monotonic time at which the first are due, in seconds; None if none wait."""
        return self._holding.due_at()

    def await_disk(self, batches: Iterable[Batch]) -> None:
        """Note what these let be acknowledged, and which streams end, once all is on disk."""
        for batch in batches:
            self._unacknowledged |= batch.acks
            self._ending.update(batch.ends)

    def write_of(self, wearers: Collection[str]) -> None:
        """Write all samples of some wearers."""
        if self._capture is not None and wearers:
            self._capture.flush(wearers)

    def write(self, wearers: set[str], *, everything: bool) -> StoredSamples:
        """Write samples that are due, of `AT_ONCE` wearers, and those of streams that end.

        Parameters
        ----------
        wearers : set of str
            Whose samples to write besides, or were written since this was called last.
        everything : bool
            Whether to write all.

        Returns
        -------
        StoredSamples
            What is on disk now, or a gap in the journal.
        """
        streams = self._unacknowledged if everything or self._ending else ()
        ending = {one.wearer for one in streams if everything or one in self._ending}
        wearers = {*wearers, *ending, *self._holding.due(AT_ONCE)}
        if self._capture is not None and (wearers or everything):
            self._capture.flush(None if everything else wearers)
        stored = StoredSamples()
        self._record_lost(stored)
        self._acknowledge(wearers | {one.wearer for one in stored.gaps}, stored)
        return stored

    def _record_lost(self, stored: StoredSamples) -> None:
        """Record in the journal what was given up."""
        lost = self._holding.take_lost()
        if not lost or self._journal.failed or (self._capture and self._capture.error):
            return
        gaps = [gap(one) for one in lost]
        self._journal.append(gaps)
        self._journal.commit()
        if not self._journal.failed:
            self._holding.record(lost)
            stored.gaps = gaps

    def _acknowledge(self, written: set[str], stored: StoredSamples) -> None:
        """Note up to where streams are on disk: those written now, and those that have no more."""
        holding = self._holding
        candidates = [
            (stream, index)
            for stream, index in self._unacknowledged.items()
            if stream.wearer in written or stream.wearer not in holding
        ]
        for stream, index in candidates:
            first = holding.first(stream.wearer, stream.number)
            stored.acks[stream] = index if first is None else min(index, first)
            if stored.acks[stream] == index:
                del self._unacknowledged[stream]
                if stream in self._ending:
                    self._ending.remove(stream)
                    stored.ends.append(stream)
