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
USUAL_OF: Final = 8
"""The usual RR interval is the median of this many between two beats of letter N."""
