"""Simulated wearers to whom one thing happens at a known sample, and noise added as nst adds it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from quality import trimmed_mean

from ecgmon.core.annotations import Annotations
from ecgmon.core.constants import NO_VALUE, RATE
from ecgmon.records import Record
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from replay.simulator.simulation import GAIN
from replay.simulator.synthesis import NOISE_MV, artefact, ecg

USUAL: Final = 72
SPREAD: Final = 0.02
"""Standard deviation of RR intervals, relative."""
EARLY: Final = 0.55
"""A premature beat comes after so many RR intervals..."""
RUN_PER_MIN: Final = 170
"""...and those of a run follow as fast as this."""
LEARNING_S: Final = 300
PERIOD_S: Final = 120
"""As nst does: noise from the fifth minute on, two minutes with it and two without."""
MEASURED: Final = 300
"""Beats, and seconds of noise, by which amplitudes are measured."""
NOISES: Final = ("em", "ma", "bw")
SNR_DB: Final = (24, 18, 12, 6, 0, -6)
REACH: Final = round(0.05 * RATE)

Beats = Iterator[tuple[float, str]]
"""Seconds to each next beat, and its symbol."""


def steady(per_min: float, rng: Generator) -> Beats:
    """Beat normally at a rate, without end."""
    while True:
        yield 60 / per_min * (1 + SPREAD * rng.standard_normal()), "N"


def bigeminy(rng: Generator) -> Beats:
    """Every second beat is premature and ventricular."""
    for rr, _ in steady(USUAL, rng):
        yield EARLY * rr, "V"
        yield (2 - EARLY) * rr, "N"


def runs(rng: Generator, beats: int = 6) -> Beats:
    """Beat ventricularly in runs, three normal beats between them."""
    usual = steady(USUAL, rng)
    while True:
        yield EARLY * next(usual)[0], "V"
        for _ in range(beats - 1):
            yield 60 / RUN_PER_MIN, "V"
        for _ in range(3):
            yield next(usual)


def still(_: Generator) -> Beats:
    """No beat."""
    yield from ()


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a simulated wearer.

    Parameters
    ----------
    name : str
        In the tables.
    kinds : tuple of str
        Alarms that report it.
    target_s : float or None
        How soon.
    lasting : callable
        The beats from its begin on.
    before : float
        Beats per minute before it.
    origin : int
        0 to count from the last beat before it (or where noise or lead-off begins), 1 from the
        first beat of it.
    to_signal : callable, optional
        Changes the counts from its begin on.
    """

    name: str
    kinds: tuple[str, ...]
    target_s: float | None
    lasting: Callable[[Generator], Beats]
    before: float = USUAL
    origin: int = 0
    to_signal: Callable[[NDArray[np.float64], Generator], NDArray[np.float64]] | None = None


def faster(per_min: float) -> Callable[[Generator], Beats]:
    """Go on at another rate."""
    return lambda rng: steady(per_min, rng)


@dataclass(frozen=True, eq=False, slots=True)
class Struck:
    """A wearer and the samples from which is counted.

    Parameters
    ----------
    record : Record
        With the true beats.
    at : int
        The last beat before the event, or where its disturbance begins.
    first : int
        The first beat of the event; ``at`` where it has none.
    """

    record: Record
    at: int
    first: int


def strike(
    event: Event, wearer: str, seed: int, at_s: float, lasts_s: float, after_s: float = 0.0
) -> Struck:
    """Make a wearer to whom an event happens, and who then recovers for ``after_s``."""
    rng = np.random.default_rng(seed)
    times: list[float] = [at_s]
    symbols: list[str] = ["N"]
    for rr, _ in steady(event.before, rng):
        if times[0] - rr < 0.3:
            break
        times.insert(0, times[0] - rr)
        symbols.insert(0, "N")
    before = len(times)
    over_s, end_s = at_s + lasts_s, at_s + lasts_s + after_s
    for rr, symbol in event.lasting(rng):
        if times[-1] + rr >= over_s:
            break
        times.append(times[-1] + rr)
        symbols.append(symbol)
    t = times[-1] if len(times) > before else over_s  # a stopped heart begins anew
    for rr, symbol in steady(USUAL, rng):
        t += rr
        if t >= end_s or not after_s:
            break
        times.append(t)
        symbols.append(symbol)
    n, at = round(end_s * RATE), round(at_s * RATE)
    mv = ecg(np.array(times), tuple(symbols), n, rng) + NOISE_MV * rng.standard_normal(n)
    counts = np.rint(mv * GAIN)
    if event.to_signal is not None:
        until = round((at_s + lasts_s) * RATE)
        counts[at:until] = event.to_signal(counts[at:until], rng)
    peaks = np.rint(np.array(times) * RATE).astype(np.int64)
    record = Record(
        name=wearer,
        wearer=wearer,
        rate=float(RATE),
        gain=GAIN,
        lead="MLII",
        samples=counts.astype(np.int16),
        annotations=Annotations(peaks, tuple(symbols)),
    )
    beats_of_it = event.to_signal is None and len(times) > before
    return Struck(record, at, int(peaks[before]) if beats_of_it else at)


def unmeasured(counts: NDArray[np.float64], _: Generator) -> NDArray[np.float64]:
    """Measure nothing."""
    return np.full_like(counts, NO_VALUE)


def flat(counts: NDArray[np.float64], _: Generator) -> NDArray[np.float64]:
    """Send the same value for ever."""
    return np.full_like(counts, counts[0])


def noise(counts: NDArray[np.float64], rng: Generator) -> NDArray[np.float64]:
    """Add the simulator's muscle artefact and electrode motion."""
    return counts + np.rint(GAIN * artefact(len(counts), rng))


class Noise:
    """A recording of NSTDB, to be added to others.

    Parameters
    ----------
    name : str
        ``bw``, ``em`` or ``ma``.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._mv = read(obtain(f"nstdb/{name}")).millivolts()
        seconds = self._mv[: MEASURED * RATE].reshape(MEASURED, RATE)
        self._rms = trimmed_mean(seconds.std(axis=1))

    def over(
        self, record: Record, snr_db: float, spans: list[tuple[int, int]], at: int = 0
    ) -> Record:
        """Return the record with noise over some ranges of it, from the noise's sample ``at`` on.

        Its gain is a = p / (r sqrt(8 * 10^(SNR/10))), as nst has it: p is the size of the QRS
        complexes, r the root mean square of the noise within a second. Offsets cancel the steps
        where noise begins and ends.
        """
        gain = qrs_mv(record) / (self._rms * np.sqrt(8 * 10 ** (snr_db / 10)))
        piece = np.take(self._mv, np.arange(at, at + len(record.samples)), mode="wrap")
        steps = np.zeros(len(piece))
        for start, stop in spans:
            steps[start + 1 : stop] = np.diff(piece[start:stop])
        counts = record.samples + np.rint(gain * np.cumsum(steps) * record.gain)
        known = record.samples != NO_VALUE
        noisy = np.where(known, np.clip(counts, NO_VALUE + 1, -NO_VALUE - 1), NO_VALUE)
        return replace(record, samples=noisy.astype(np.int16))


def qrs_mv(record: Record) -> float:
    """Return the size of a record's QRS complexes: peak to peak within 50 ms of normal beats."""
    if record.annotations is None:
        raise ValueError(f"{record.name} has no annotations")
    mv, marks = record.millivolts(), record.annotations
    normal = [
        at for at, symbol in zip(marks.samples, marks.symbols, strict=True) if symbol in "NLR"
    ]
    inside = [at for at in normal if REACH <= at < len(mv) - REACH][:MEASURED]
    return trimmed_mean(np.array([np.ptp(mv[at - REACH : at + REACH]) for at in inside]))


def stress(n_samples: int) -> list[tuple[int, int]]:
    """Return where nst adds noise to a record."""
    first, step = LEARNING_S * RATE, PERIOD_S * RATE
    return [(at, min(at + step, n_samples)) for at in range(first, n_samples, 2 * step)]
