"""Evaluation of each second that ends: its signal state, and the update of beats and scale."""

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import WINDOW
from ecgmon.signal.qrs import LONGEST_RR
from ecgmon.signal.quality import (
    ABSENT,
    HUM_BEATS,
    HUM_RISE,
    NAMES,
    NOISY,
    RECENT,
    SIGNAL,
    has_cardiac_spectrum,
    hum,
    implausible_rr,
    returns,
    signal_state,
)
from ecgmon.signal.rows import Rows
from ecgmon.signal.types import Second


def finish_seconds(known: Rows, rows: NDArray[np.intp], end: NDArray[np.int64]) -> list[Second]:
    """Judge the second just completed in each row; usable ones move the scale."""
    filtered = known.filtered.last(rows, end, WINDOW)
    raw = known.raw.last(rows, end, WINDOW)
    state = signal_state(raw, filtered, known.valid.last(rows, end, WINDOW))
    lost = (state != ABSENT) & known.still.lost_in(rows, end)
    state[lost] = ABSENT
    amplitude, alone = hum(raw)
    state[(state == SIGNAL) & alone & (amplitude >= HUM_RISE * known.hum[rows])] = NOISY
    returning = returns(known.raw.last(rows, end, 2 * WINDOW))
    for i in np.flatnonzero(state == SIGNAL).tolist():
        if implausible_rr(known.beats.since(int(rows[i]), int(end[i]) - RECENT)):
            (recent,) = known.filtered.last(rows[[i]], end[[i]], RECENT)
            state[i] = SIGNAL if has_cardiac_spectrum(recent) else NOISY
    known.signal_state[rows] = state
    complete = end - WINDOW >= known.start[rows]  # the second before a gap's end is not
    # A line that is lost may still be between two beats of a very slow heart.
    stands = end - known.last_beat[rows] > LONGEST_RR
    absent = complete & (state == ABSENT) & (~lost | stands)
    known.absent[rows] = absent
    for row in rows[absent]:
        known.beats.interrupt(row)
    for i in np.flatnonzero(state == NOISY).tolist():
        known.beats.doubt(int(rows[i]), int(end[i]))
    usable = complete & (state == SIGNAL)
    still = known.still.since[rows]
    sized = usable & (end - still < WINDOW)  # a still second shows no beat's size
    known.scale.add(rows[sized], np.ptp(filtered[sized], axis=1))
    unit = known.scale(rows)
    found = [tuple(known.confirmed[row]) for row in rows.tolist()]
    for i, (row, beats) in enumerate(zip(rows.tolist(), found, strict=True)):
        known.beats.learn(row, bool(usable[i]))
        known.confirmed[row] = []
        if beats:
            signal = bool(state[i] == SIGNAL)
            known.atrial.add(row, beats, known.filtered, unit[i], is_signal=signal)
        if beats and state[i] == SIGNAL and not alone[i]:
            known.hum[row] += (amplitude[i] - known.hum[row]) / HUM_BEATS
    seconds = []
    kin = _kin(known, rows, found)
    for i, (row, beats) in enumerate(zip(rows.tolist(), found, strict=True)):
        if complete[i]:
            seconds.append(
                Second(
                    row,
                    int(end[i]),
                    NAMES[state[i]],
                    beats,
                    known.beats.weak(row, beats),
                    int(still[i]) if end[i] - still[i] >= WINDOW // 2 else None,
                    known.still.lost(row) if lost[i] else None,
                    kin[i],
                    bool(returning[i]),
                )
            )
    known.still.end_second(rows)
    return seconds


def _kin(
    known: Rows, rows: NDArray[np.intp], found: list[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    """Return how many beats before them the beats of each row look like, of all rows at once."""
    owners = [row for row, beats in zip(rows.tolist(), found, strict=True) for _ in beats]
    back = [len(beats) - 1 - k for beats in found for k in range(len(beats))]
    kin = iter(known.atrial.kin(owners, back))
    return [tuple(next(kin) for _ in beats) for beats in found]
