"""Every class that carries a stream's state: how to make one, what to feed it, what comes out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecgmon.core.alarm_kinds import KINDS
from ecgmon.core.constants import NO_VALUE, RATE
from ecgmon.signal import Geometry, Second, SignalChain, Windows
from ecgmon.signal.filter import SectionFilter, band_pass
from ecgmon.signal.front_end import FrontEnd
from ecgmon.signal.history import History
from ecgmon.signal.pacing_spikes import SpikeRemover
from ecgmon.signal.peaks import Peaks
from ecgmon.signal.qrs import BeatDetector
from ecgmon.signal.qrs_energy import QrsEnergy
from ecgmon.signal.rate_converter import RateConverter
from ecgmon.signal.scale import AmplitudeScale
from ecgmon.signal.stillness import QUARTER, Stillness
from ecgmon.wire import Frame
from monitor.alarms.conditions.asystole import Asystole
from monitor.alarms.conditions.heart_rate import HeartRateConditions
from monitor.alarms.conditions.k_of_n import KOfN
from monitor.alarms.conditions.wearer import WearerConditions
from monitor.alarms.rules import Hysteresis, Rules
from monitor.alarms.state_machine import AlarmStateMachine
from monitor.wearers.clock import Clock
from monitor.wearers.delivered_rate import DeliveredRate
from monitor.wearers.stream import Stream
from replay.simulator.wearer import simulate

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
    return np.where(np.isnan(x), NO_VALUE, np.clip(x * 4000, -32767, 32767)).astype(np.int16)


def paced(rng):
    x = with_holes(rng)
    x[rng.integers(0, len(x), 12)] += 3.0
    return x


def seconds(rng):
    """Seconds of all states, with beats at changing rates, weak ones and still lines."""
    made, at, rr = [], 0, 300
    for end in range(RATE, 90 * RATE, RATE):
        if rng.random() < 0.1:
            rr = int(rng.choice([120, 180, 300, 500, 900, 2000]))
        beats = []
        while at + 107 < end:
            beats.append(at)
            at += rr
        state = rng.choice(["signal", "signal", "signal", "signal", "noisy", "absent"])
        weak = tuple(beats[:1]) if rng.random() < 0.1 else ()
        still = end - 200 if rng.random() < 0.1 else None
        lost = end - 100 if rng.random() < 0.05 else None
        made.append(Second(0, end, str(state), tuple(beats), weak, still, lost))
    return made


def arrivals(rng):
    """When samples before an index arrive, of a device with a wrong clock on a jumpy link."""
    ppm = float(rng.choice([-40_000, -200, 0, 300, 30_000, 50_000]))
    made, now = [], 1000.0
    for k in range(1, 700):
        now += 0.5 * (1 + ppm / 1e6)
        made.append((k * 180, now + float(rng.exponential(0.1)), round(k * 5e8 + 1)))
    return made


def frames(rng):
    """Frames of a device with times of arrival, some lost, swapped or sent twice."""
    x, at, made, now = counts(rng), 0, [], 50.0
    while at < len(x):
        n = int(rng.integers(1, 300))
        gain = float(rng.choice([4000.0, 4000.0, 2000.0]))
        made.append(Frame(7, at, round(now * 1e9), 250_000, gain, "II", x[at : at + n]))
        at += n
    order = np.argsort(np.arange(len(made)) + rng.exponential(0.7, len(made)))
    sent = [made[i] for i in order for _ in range(rng.choice([0, 1, 1, 1, 1, 1, 2]))]
    return [(frame, 50.0 + 0.3 * k, bool(rng.random() < 0.1)) for k, frame in enumerate(sent)]


def alarms(rng):
    """Conditions, acknowledgements and pauses, on a clock that is set back now and then."""
    kinds, made, now = list(KINDS)[:6], [], 1e9
    for _ in range(200):
        now += float(rng.choice([0.0, 1.0, 60.0, -30.0]))
        kind, what = str(rng.choice(kinds)), int(rng.integers(0, 6))
        made.append((what, kind, now, bool(rng.random() < 0.5)))
    return made


def chain(geometry):
    def drive(made, row, at, x):
        spikes = [k for k in range(at, at + len(x)) if k % 997 == 0]
        pushed = made.push(rows_of(row), x[None], np.full(1, 0.005), [spikes])
        windows = [
            tuple(bits(getattr(pushed.windows, name)[[i]]) for name in Windows.__slots__[1:])
            for i in range(len(pushed.windows))
        ]
        told = [(s.end, s.state, s.beats, s.weak, s.still, s.lost) for s in pushed.seconds]
        return [*((w, "window") for w in windows), *((t, "second") for t in told)]

    def end(made, row, at):
        return bits(made.recent(row, 1000)), made.confirmed(row), made.lost(row)

    return Streaming(SignalChain, lambda rows: SignalChain(geometry, rows), with_holes, drive, end)


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
    return [*zip(energy.qrs[:, 0].tolist(), energy.sharp[:, 0].tolist(), strict=True)]


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


def drive_asystole(made, row, at, piece):
    found = []
    for second in piece:
        found += made.advance(second.end, second.strong)
        if second.state == "signal":
            made.usable(second.end, second.still)
        else:
            found += made.lose(second.end)
    return found


def drive_rates(made, row, at, piece):
    return [
        made.second(s.end, s.strong) if s.state == "signal" else made.lose(s.end) for s in piece
    ]


def drive_conditions(made, row, at, piece):
    found = []
    for second in piece:
        found += [*made.second(second), *made.judged(second.end, bool(second.weak))]
        found += made.elapsed(second.end + 90, second.strong)
    return found


def drive_clock(made, row, at, piece):
    found = []
    for end, arrival, device_time in piece:
        made.observe(end, arrival)
        made.observe_device(end, device_time)
        found.append((made.lag(arrival + 1), made.drift_ppm, made.jumped_s))
    return found


def drive_delivered(made, row, at, piece):
    found = []
    for end, arrival, _ in piece:
        made.observe(end, arrival)
        found.append((made.wrong, made.hz))
    return found


def drive_stream(made, row, at, piece):
    found = []
    for frame, now, drained in piece:
        taken = [*made.accept(frame, now), *made.expire(now)]
        found += [(one.first, one.gain, one.samples.tobytes()) for one in taken]
        found.append((made.next, made.received, made.missing, made.repeated, made.clock.lag(now)))
        if drained:
            found += processed(made)
    return found


def processed(stream):
    """Take what is pending, as the pipeline does."""
    found = []
    while stream.pending:
        segment = stream.pending.popleft()
        samples = np.concatenate(segment.parts)
        if segment.missing:
            stream.skip_to(segment)
        found.append((segment.first, segment.missing, segment.step, samples.tobytes()))
    until = stream.end // RATE * RATE
    found.append((stream.report_spikes(0, until), stream.missing_of(0, until)))
    return found


def end_of_stream(stream, row, at):
    return [(one.first, one.samples.tobytes()) for one in stream.release()], processed(stream)


def drive_alarms(made, row, at, piece):
    found = []
    for what, kind, now, holds in piece:
        if what < 4:
            found += made.condition(kind, holds, now, stream="x", at=round(now))
        elif what == 4:
            found += made.pause(kind, 300 * holds, "a nurse", now)
        elif made.standing:
            found += made.acknowledge(made.standing[-1].number, "a nurse", now)
    return found


def drive_pushed(made, row, at, x):
    return made.push(x).tolist()


def drive_front_end(made, row, at, x):
    return made.push(x, 4000.0).tolist()


def flushed(made, row, at):
    return repr(made.flush().tolist()), getattr(made, "found", None)


def of_rate(kind, rate_mhz, events, drive):
    return Streaming(kind, lambda _: kind(rate_mhz), events, drive, flushed)


ALL = [
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
        History,
        lambda rows: History(rows, 500, np.float64),
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
    of_rate(RateConverter, 250_000, with_holes, drive_pushed),
    of_rate(RateConverter, 1_000_000, with_holes, drive_pushed),
    of_rate(RateConverter, 360_000, with_holes, drive_pushed),
    of_rate(SpikeRemover, 500_000, paced, drive_pushed),
    of_rate(FrontEnd, 250_000, counts, drive_front_end),
    of_rate(FrontEnd, 360_000, counts, drive_front_end),
    Streaming(Asystole, lambda _: Asystole(), seconds, drive_asystole),
    Streaming(HeartRateConditions, lambda _: HeartRateConditions(Rules()), seconds, drive_rates),
    Streaming(
        KOfN,
        lambda _: KOfN(Hysteresis(3, 10, 5)),
        lambda rng: rng.random(200) < 0.3,
        lambda made, row, at, piece: [made.add(bool(one)) for one in piece],
    ),
    Streaming(WearerConditions, lambda _: WearerConditions(Rules()), seconds, drive_conditions),
    Streaming(AlarmStateMachine, lambda _: AlarmStateMachine(), alarms, drive_alarms),
    Streaming(Clock, lambda _: Clock(360_000), arrivals, drive_clock),
    Streaming(DeliveredRate, lambda _: DeliveredRate(360_000), arrivals, drive_delivered),
    Streaming(Stream, lambda _: Stream("203", 7, 0, 250_000), frames, drive_stream, end_of_stream),
]
