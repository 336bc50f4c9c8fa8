"""Beat matching between two annotators, as bxb(1) pairs them."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

from ecgmon.core.constants import RATE

LEARNING: Final = 300 * RATE
"""Samples at the beginning that do not count."""
MATCH: Final = round(0.15 * RATE)
"""Samples that two marks of one beat may lie apart."""
NEVER: Final = 1 << 62
"""A sample index after all others."""


def match(
    reference: Sequence[int], test: Sequence[int], start: int = 0, stop: int = NEVER - 1
) -> Iterator[tuple[int | None, int | None]]:
    """Pair the beats of two annotators in the order of time.

    The earlier of the next beats of both is paired with the other one's if that is no more than
    `MATCH` away and either nearer to it than its own successor is, or if that successor belongs
    rather to the other one's successor.

    Parameters
    ----------
    reference, test : sequence of int
        Sample index of each beat, ascending.
    start : int
        First sample that counts. A tested beat just before it may be that of a reference beat just
        after it; one just after it that is of a reference beat before it does not count.
    stop : int
        Last sample that counts.

    Yields
    ------
    tuple of (int or None, int or None)
        Index of a reference beat and of the tested beat that is its own; None for none.
    """
    true, detected = [*reference, NEVER, NEVER], [*test, NEVER, NEVER]
    i, j = bisect_left(true, start), bisect_left(detected, start)
    if start:
        since = true[i] - (detected[j - 1] if j else -NEVER)
        if since <= MATCH and since < abs(true[i] - detected[j]):
            yield i, j - 1
            i += 1
        elif detected[j] - start <= MATCH and abs(true[i] - detected[j + 1]) < abs(
            true[i] - detected[j]
        ):
            j += 1
    while true[i] <= stop or detected[j] <= stop:
        if detected[j] < true[i]:
            paired = _paired(detected[j], detected[j + 1], true[i], true[i + 1])
            yield (i if paired else None), j
            i, j = i + paired, j + 1
        else:
            paired = _paired(true[i], true[i + 1], detected[j], detected[j + 1])
            yield i, (j if paired else None)
            i, j = i + 1, j + paired


def _paired(beat: int, following: int, other: int, others_following: int) -> bool:
    """Tell whether a beat and the other annotator's next one, which is not earlier, are one."""
    rival = abs(other - following)
    return other - beat <= MATCH and (
        other - beat < rival or abs(others_following - following) < rival
    )
