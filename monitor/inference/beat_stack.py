"""What is known of the beats of all wearers whose beats are judged."""

from ecgmon.core.state import NESTED, Layout, StatefulRows
from ecgmon.models.beat_kinds import BeatKinds
from ecgmon.signal.beat_cutter import BeatSegments


class BeatStack(StatefulRows):
    """Beats that are cut, and their kinds; a row for each lead of a wearer.

    Parameters
    ----------
    rows : int
        Number of rows.

    Attributes
    ----------
    segments : BeatSegments
        Cuts beats.
    kinds : BeatKinds
        What models have said of the kinds of beats so far.
    """

    layout = Layout("beat stack", 1, segments=NESTED, kinds=NESTED)

    def __init__(self, rows: int) -> None:
        self.segments = BeatSegments(rows)
        self.kinds = BeatKinds(rows)

    def reset(self, row: int, first: int) -> None:
        """Start a row anew at stream index ``first``: a new stream, or after a gap."""
        self.segments.reset(row, first)
        self.kinds.reset(row)
