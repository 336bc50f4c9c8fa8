"""What alarms of named rhythms and totals of beats share: letters of beats, and how early is early.

A beat has one of three letters: V for ventricular beats and fusions of those, since one fusion does
not end a tachycardia; S for supraventricular beats; N for all others, paced ones among them.
"""

from types import MappingProxyType
from typing import Final

from ecgmon.core.constants import RATE
from ecgmon.core.labels import BeatClass

LETTERS: Final = MappingProxyType[BeatClass, str](
    {"N": "N", "S": "S", "V": "V", "F": "V", "Q": "N"}
)
"""The letter of each class of beat."""
CYCLES: Final = 3
"""Cycles of a bigeminy or trigeminy before it has that name."""
R_ON_T: Final = round(0.39 * RATE)
"""Most samples from a beat to the ventricular one in its T wave."""
R_ON_T_SHARE: Final = 0.45
"""The same as a share of the usual RR interval: the lesser of both counts."""
COMPENSATED: Final = 1.25
"""Share of the usual RR interval that the two around a beat in a T wave last at least, together."""
SUDDEN: Final = 0.9
"""Share of the usual RR interval above which the first beat of a supraventricular run came in time:
it is no run then, but a faster sinus rhythm that the model takes for ectopic."""
USUAL_OF: Final = 8
"""The usual RR interval is the median of this many between two beats of letter N."""


def is_r_on_t(before: int, after: int, usual: int, following: str) -> bool:
    """Tell whether a ventricular beat is one in the T wave of the beat before.

    It is known with the beat after it. A T wave that is taken for a ventricular beat is as early,
    but the next beat comes when it would have come without it; after a real one the heart pauses,
    or another ventricular beat follows.

    Parameters
    ----------
    before, after : int
        Samples from the beat before to it, and from it to the beat after it.
    usual : int
        Samples of the usual RR interval.
    following : str
        Letter of the beat after it.
    """
    if before > min(R_ON_T, R_ON_T_SHARE * usual):
        return False
    return following == "V" or before + after >= COMPENSATED * usual
