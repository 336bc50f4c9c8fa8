"""Classes of ecgmon.signal with a stream's state: how to make one, feed it, and compare it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecgmon.core.constants import NO_VALUE, RATE
from ecgmon.signal import Geometry, SignalChain
from ecgmon.signal.filter import SectionFilter, band_pass
from ecgmon.signal.front_end import FrontEnd
from ecgmon.signal.pacing_spikes import SpikeRemover
from ecgmon.signal.peaks import Peaks
from ecgmon.signal.qrs import BeatDetector
from ecgmon.signal.qrs_energy import QrsEnergy
from ecgmon.signal.rate_converter import RateConverter
from ecgmon.signal.rr_context import RRContext
from ecgmon.signal.rr_intervals import RRIntervals
from ecgmon.signal.sample_history import SampleHistory
from ecgmon.signal.scale import AmplitudeScale
from ecgmon.signal.sliding_quantiles import SlidingQuantiles
from ecgmon.signal.stillness import QUARTER, Stillness
from replay.simulator.simulation import simulate

ECG = simulate("premature", seed=3).record.millivolts()


@dataclass(frozen=True)
class Streaming:
    """A class that carries a stream's state.

    ``make(rows)`` gives an object, ``events(rng)`` what it may be fed, a piece at a time,
    ``drive(object, row, at, piece)`` feeds the events from number ``at`` on and lists what comes
    out, however the events were cut. ``end(object, row, at)`` gives what can be seen in the end.
    Pieces are of a multiple of ``unit`` events.
    """

    kind: type
    make: Callable[[int], Any]
    events: Callable[[np.random.Generator], Any]
    drive: Callable[[Any, int, int, Any], list[Any]]
    end: Callable[[Any, int, int], Any] = lambda *_: None
    unit: int = 1


def rows_of(row):
    return np.array([row], dtype=np.intp)


def first_of(at):
    return np.array([at], dtype=np.int64)


def bits(array):
    return array.dtype.str, array.ravel().tolist() if array.dtype == bool else array.tobytes()


def signal(rng):
    """A minute at most of ECG, noise, a still line and steps, all of it measured."""
    parts = []
    for _ in range(rng.integers(4, 9)):
        n = int(rng.integers(200, 2500))
        start = int(rng.integers(0, len(ECG) - n))
        kind = rng.integers(0, 5)
        if kind == 0:
            parts.append(rng.normal(0, rng.choice([0.01, 0.3, 5.0]), n))
        elif kind == 1:
            parts.append(np.full(n, rng.normal(0, 2)))
        else:
            parts.append(ECG[start : start + n] * rng.choice([0.2, 1.0, 3.0]))
    return np.concatenate(parts)


def with_holes(rng):
    """The same with stretches, short and long, that were not measured."""
    x = signal(rng)
    for _ in range(rng.integers(0, 5)):
        at = int(rng.integers(0, len(x)))
        x[at : at + int(rng.integers(1, 900))] = np.nan
    return x


def counts(rng):
    """Counts of a device with pacing spikes, clipping and holes."""
    x = with_holes(rng)
    x[rng.integers(0, len(x), 12)] += 3.0
    at = int(rng.integers(0, len(x)))
    x[at : at + 200] = 100.0
    return np.where(np.isnan(x), NO_VALUE, np.clip(x * 4000, -32767, 32767)).astype(np.int16)


def paced(rng):
    x = with_holes(rng)
    x[rng.integers(0, len(x), 12)] += 3.0
    return x


def chain(geometry):
    def drive(made, row, at, x):
        first = int(made.next[row])
        spikes = [k for k in range(first, first + len(x)) if k % 997 == 0]
        pushed = made.push(rows_of(row), x[None], np.full(1, 0.005), [spikes])
        windows, rhythms, atrial = (
            [
                tuple(bits(getattr(found, name)[[i]]) for name in type(found).__slots__[1:])
                for i in range(len(found))
            ]
            for found in (pushed.windows, pushed.rhythms, pushed.atrial)
        )
        published = [(s.end, s.state, s.beats, s.weak, s.still, s.lost) for s in pushed.seconds]
        return [
            *((w, "window") for w in windows),
            *((r, "rhythm") for r in rhythms),
            *((a, "atrial") for a in atrial),
            *((t, "second") for t in published),
        ]

    def end(made, row, at):
        return bits(made.recent(row, 1000)), made.confirmed(row), made.lost(row)

    def make(rows):
        made = SignalChain(geometry, rows)
        for row in range(rows):
            made.reset(row, 500 * row)
        return made

    return Streaming(SignalChain, make, with_holes, drive, end)


def drive_history(made, row, at, x):
    for k in range(0, len(x), 720):
        made.append(rows_of(row), first_of(at + k), x[None, k : k + 720])
    return []


def drive_peaks(made, row, at, x):
    found = []
    for k in range(0, len(x), 720):
        for _, peaks in made(rows_of(row), x[None, k : k + 720], first_of(at + k)):
            found += peaks
    return found


def drive_energy(made, row, at, x):
    energy = made(rows_of(row), x[None])
    return [*zip(energy.qrs[:, 0].tolist(), energy.sharp[0].tolist(), strict=True)]


def drive_scale(made, row, at, x):
    found = []
    for value in np.abs(x[::30]).astype(np.float32):
        made.add(rows_of(row), value[None])
        found.append(float(made(rows_of(row))[0]))
    return found


def drive_stillness(made, row, at, x):
    found, valid = [], np.ones((1, QUARTER), dtype=bool)
    for k in range(at, at + len(x), QUARTER):
        made.spikes(row, [at] if k % 31 == 0 else [])
        quarter = x[None, k - at : k - at + QUARTER].astype(np.float32)
        made.advance(rows_of(row), first_of(k), quarter, valid, first_of(k + QUARTER))
        found.append((int(made.since[row]), made.lost(row)))
        if (k + QUARTER) % RATE == 0:
            made.end_second(rows_of(row))
    return found


def drive_beats(made, row, at, x):
    return made(rows_of(row), x[None], first_of(at))[0]


def end_of_beats(made, row, at):
    recent = made.since(row, at - 3 * RATE)
    rate = made.heart_rate(row, at)
    return recent, made.weak(row, recent), repr(rate), made.longest_rr(row, at)


def drive_quantiles(made, row, at, values):
    found = []
    for value in values:
        made.add(float(value))
        found.append(made.quantiles((0.1, 0.5, 0.9, 1)))
    return found


def drive_pushed(made, row, at, x):
    return made.push(x).tolist()


def drive_front_end(made, row, at, x):
    return made.push(x, 4000.0).tolist()


def flushed(made, row, at):
    return repr(made.flush().tolist()), getattr(made, "found", None)


def of_rate(kind, rate_mhz, events, drive):
    return Streaming(kind, lambda _: kind(rate_mhz), events, drive, flushed)


OF_SIGNAL = [
    Streaming(
        SectionFilter,
        band_pass,
        signal,
        lambda made, row, _, x: made(rows_of(row), x[None])[0].tolist(),
    ),
    Streaming(QrsEnergy, QrsEnergy, signal, drive_energy),
    Streaming(
        Peaks, Peaks, signal, drive_peaks, lambda made, row, at: made.sharpness(row, at - 100)
    ),
    Streaming(BeatDetector, BeatDetector, signal, drive_beats, end_of_beats),
    Streaming(
        SampleHistory,
        lambda rows: SampleHistory(rows, 500, np.float64),
        signal,
        drive_history,
        lambda made, row, at: bits(made.last(rows_of(row), first_of(at), 500)),
    ),
    Streaming(AmplitudeScale, AmplitudeScale, signal, drive_scale, unit=30),
    Streaming(
        Stillness,
        lambda rows: Stillness(rows, longest_rr=lambda row, before: 1100),
        lambda rng: (x := signal(rng))[: len(x) // QUARTER * QUARTER],
        drive_stillness,
        unit=QUARTER,
    ),
    chain(Geometry(3, 0.5, 120)),
    chain(Geometry(0, 0.1, 360)),
    chain(Geometry(2, 0.25, 120, "second")),
    Streaming(
        RRIntervals,
        lambda _: RRIntervals(),
        lambda rng: np.cumsum(rng.integers(72, 1500, 60)),
        lambda made, row, _, beats: [made.add(int(beat)) for beat in beats],
    ),
    Streaming(
        SlidingQuantiles,
        lambda _: SlidingQuantiles(9),
        lambda rng: rng.integers(0, 5, 60).astype(float),
        drive_quantiles,
    ),
    Streaming(
        RRContext,
        lambda _: RRContext(),
        lambda rng: np.cumsum(rng.integers(72, 1500, 60)),
        lambda made, row, _, beats: [made.add(int(beat)) for beat in beats],
    ),
    of_rate(RateConverter, 250_000, with_holes, drive_pushed),
    of_rate(RateConverter, 1_000_000, with_holes, drive_pushed),
    of_rate(RateConverter, 360_000, with_holes, drive_pushed),
    of_rate(SpikeRemover, 500_000, paced, drive_pushed),
    of_rate(FrontEnd, 250_000, counts, drive_front_end),
    of_rate(FrontEnd, 360_000, counts, drive_front_end),
]
