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
    filtered, raw = known.filtered.last(rows, end, WINDOW), known.raw.last(rows, end, 2 * WINDOW)
    returning, raw = returns(raw), raw[:, WINDOW:]
    found = [tuple(known.confirmed[row]) for row in rows.tolist()]
    many = np.array([len(beats) for beats in found])
    state = signal_state(raw, filtered, known.valid.last(rows, end, WINDOW))
    lost = (state != ABSENT) & known.still.lost_in(rows, end)
    state[lost] = ABSENT
    amplitude, alone = hum(raw)
    usual = known.hum[rows]
    state[(state == SIGNAL) & alone & (amplitude >= HUM_RISE * usual)] = NOISY
    _doubt(known, rows, end, state)
    known.signal_state[rows] = state
    complete = end - WINDOW >= known.start[rows]  # the second before a gap's end is not
    # A line that is lost may still be between two beats of a very slow heart.
    stands = end - known.last_beat[rows] > LONGEST_RR
    absent = complete & (state == ABSENT) & (~lost | stands)
    known.absent[rows] = absent
    for row in rows[absent].tolist():
        known.beats.interrupt(row)
    signal, still = state == SIGNAL, known.still.since[rows]
    usable = complete & signal
    sized = usable & (end - still < WINDOW)  # a still second shows no beat's size
    if np.count_nonzero(sized):
        high, low = filtered.max(axis=1), filtered.min(axis=1)
        known.scale.add(rows[sized], (high - low)[sized])
    steady = signal & ~alone & (many > 0)
    known.hum[rows[steady]] += ((amplitude - usual) / HUM_BEATS)[steady]
    kin = _kin(known, rows, found, many, signal)
    for row, is_usable in zip(rows.tolist(), usable.tolist(), strict=True):
        known.beats.learn(row, is_usable)
        known.confirmed[row] = []
    is_still = end - still >= WINDOW // 2
    seconds = [
        Second(
            row := int(rows[i]),
            int(end[i]),
            NAMES[state[i]],
            found[i],
            known.beats.weak(row, found[i]),
            int(still[i]) if is_still[i] else None,
            known.still.lost(row) if lost[i] else None,
            kin[i],
            bool(returning[i]),
        )
        for i in complete.nonzero()[0].tolist()
    ]
    known.still.end_second(rows)
    return seconds


def _doubt(
    known: Rows, rows: NDArray[np.intp], end: NDArray[np.int64], state: NDArray[np.int8]
) -> None:
    """Let seconds be noisy whose beats are of noise; no heart rate counts beats of noisy ones."""
    doubtful = (state == SIGNAL) & known.beats.hurried(rows, end - RECENT)
    for i in doubtful.nonzero()[0].tolist():
        if implausible_rr(known.beats.since(int(rows[i]), int(end[i]) - RECENT)):
            (recent,) = known.filtered.last(rows[[i]], end[[i]], RECENT)
            state[i] = SIGNAL if has_cardiac_spectrum(recent) else NOISY
    for i in (state == NOISY).nonzero()[0].tolist():
        known.beats.doubt(int(rows[i]), int(end[i]))


def _kin(
    known: Rows,
    rows: NDArray[np.intp],
    found: list[tuple[int, ...]],
    many: NDArray[np.int64],
    signal: NDArray[np.bool_],
) -> list[tuple[int, ...]]:
    """Return how many beats before them the beats of each row look like, of all rows at once."""
    beats = np.array([beat for each in found for beat in each], dtype=np.int64)
    if not len(beats):
        return list(found)
    which = np.repeat(np.arange(len(rows)), many)
    owners, stop = rows[which], np.cumsum(many)
    back = stop[which] - 1 - np.arange(len(beats))
    order, unit = many[which] - 1 - back, known.scale(owners)
    known.atrial.add(owners, order, beats, known.filtered, unit, signal[which])
    kin = known.atrial.kin(owners, back).tolist()
    return [tuple(kin[end - n : end]) for end, n in zip(stop.tolist(), many.tolist(), strict=True)]
