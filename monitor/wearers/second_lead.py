"""A wearer's second lead: heard beside the first, and judged while it is clearly the better one.

The first lead is the one that is kept, acknowledged and judged again after a restart. The second
is live only.
"""

from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Annotated, Final

import msgspec

from ecgmon.core.constants import RATE
from ecgmon.core.state import NESTED, Index, Layout, Stateful
from ecgmon.signal import Second
from ecgmon.signal.beat_kin import BEFORE
from ecgmon.wire.fields import Lead
from monitor.wearers.stream import Stream

KIN: Final = 4
"""A beat is believed if it looks like at least so many of the eight before it, and is not weak."""
LATE: Final = RATE
"""Samples at `RATE` by which one lead may be behind the other; so long it is waited for."""
HIDDEN_S: Final = 2
"""Seconds in a row without a beat, while the other lead has believed beats in each: the beats are
too small to be seen. One such second may be a beat on the border of two."""
UNUSABLE_S: Final = 3
"""Seconds in a row that are noisy, after which the other lead is judged at once. A lead that is off
for one second is left: before that is an alarm."""
SHORT_S, USUAL_S, LONG_S = 5, 10, 30
"""Seconds over which trust is averaged: of the other lead where there is no time, of both, and of
the first before it is judged again."""
GOOD: Final = 0.8
"""Mean trust from which on a lead is good."""
BETTER: Final = 0.4
"""A lead is judged instead of another if its mean trust is higher by so much..."""
POOR: Final = 0.5
"""...and that of the other is at most this."""
HOLD_S: Final = 10
"""Shortest time between two changes."""


def trust(second: Second) -> float:
    """Return how far the beats of a second can be believed, from 0 to 1.

    0 if it is not all signal or its baseline returns from a jump, else the share of its beats that
    look like the beats before and are not weak; 1 if it has none.
    """
    if second.state != "signal" or second.returning:
        return 0.0
    if not second.beats:
        return 1.0
    known = zip_longest(second.beats, second.kin, fillvalue=BEFORE)
    believed = [beat for beat, kin in known if kin >= KIN and beat not in second.weak]
    return len(believed) / len(second.beats)


@dataclass(eq=False, slots=True)
class LeadTrust(Stateful):
    """How far the last seconds of a lead can be believed.

    Attributes
    ----------
    seconds : list of float
        The trust in each of the last `LONG_S`.
    is_off : bool
        Whether the lead was off in the last second.
    unusable, hidden : int
        Seconds in a row, up to now, in which the lead was noisy or off, and in which only the other
        lead showed beats.
    """

    layout = Layout(
        "lead trust",
        1,
        seconds=Annotated[list[float], msgspec.Meta(max_length=LONG_S)],
        is_off=bool,
        unusable=Index,
        hidden=Index,
    )

    seconds: list[float] = field(default_factory=list)
    is_off: bool = False
    unusable: int = 0
    hidden: int = 0

    def add(self, second: Second, other: Second) -> None:
        """Take the next second, and the same second of the other lead."""
        self.is_off = second.state == "absent"
        self.unusable = self.unusable + 1 if second.state != "signal" else 0
        only_other = not second.beats and bool(other.beats) and trust(other) == 1.0
        self.hidden = self.hidden + 1 if only_other else 0
        believed = 0.0 if self.hidden >= HIDDEN_S else trust(second)
        self.seconds = [*self.seconds, believed][-LONG_S:]

    def mean(self, seconds: int) -> float | None:
        """Return the mean of the last seconds; None if fewer are known."""
        if len(self.seconds) < seconds:
            return None
        return sum(self.seconds[-seconds:]) / seconds

    @property
    def is_lost(self) -> bool:
        """Whether it shows nothing that could be judged."""
        return self.is_off or self.unusable >= UNUSABLE_S or self.hidden >= HIDDEN_S


@dataclass(eq=False, slots=True)
class SecondLead(Stateful):
    """The second lead of a stream, in step with the first.

    Parameters
    ----------
    stream : Stream
        Its samples, with the same indices as the first lead's.
    lead : str
        Its name.

    Attributes
    ----------
    judged : bool
        Whether it is the one that is judged.
    """

    layout = Layout(
        "second lead",
        1,
        ("lead",),
        stream=NESTED,
        judged=bool,
        _first=NESTED,
        _second=NESTED,
        _changed=Index,
    )

    stream: Stream
    lead: Lead
    judged: bool = False
    _first: LeadTrust = field(default_factory=LeadTrust)
    _second: LeadTrust = field(default_factory=LeadTrust)
    _changed: int = 0

    def add(self, first: Second, second: Second) -> None:
        """Take a second of the first lead, and the same one of this."""
        self._first.add(first, second)
        self._second.add(second, first)

    def interrupt(self) -> None:
        """Forget what was known of both: one of them has a gap."""
        self._first, self._second = LeadTrust(), LeadTrust()

    def is_to_change(self, now: int) -> bool:
        """Tell whether from stream index ``now`` on the other lead is to be judged."""
        judged, other = self._first, self._second
        if self.judged:
            judged, other = other, judged
        if now - self._changed < HOLD_S * RATE:
            return False
        if judged.is_lost and not other.is_lost and (other.mean(SHORT_S) or 0.0) >= GOOD:
            return True
        if self.judged and (other.mean(LONG_S) or 0.0) >= GOOD:
            return True  # the model may know the first lead only
        here, there = judged.mean(USUAL_S), other.mean(USUAL_S)
        if here is None or there is None:
            return False
        return here <= POOR and there >= here + BETTER

    def change(self, now: int) -> None:
        """Let the other lead be judged from stream index ``now`` on."""
        self.judged = not self.judged
        self._changed = now
