"""Classes of the monitor with a stream's state, and all classes that have one."""

from dataclasses import replace

import numpy as np

from ecgmon.core.alarm_limits import AlarmLimits, Hysteresis
from ecgmon.core.constants import RATE
from ecgmon.core.rhythm_verdict import RhythmVerdict
from ecgmon.signal import Second
from ecgmon.wire import Frame
from monitor.alarms.conditions import CONDITIONS
from monitor.alarms.conditions.atrial import AtrialRhythm
from monitor.alarms.conditions.condition_set import WearerConditions
from monitor.alarms.conditions.k_of_n import KOfN
from monitor.alarms.conditions.waveform import VentricularWaveform
from monitor.alarms.kinds import KINDS
from monitor.alarms.state_machine import AlarmStateMachine
from monitor.inference.beat_stack import BeatStack
from monitor.inference.beats import JudgedBeat, LiveBeats
from monitor.wearers.clock import Clock
from monitor.wearers.delivered_rate import DeliveredRate
from monitor.wearers.recent_beats import RecentBeats
from monitor.wearers.second_lead import LeadTrust, SecondLead
from monitor.wearers.stream import Stream
from tests.support.streaming import OF_SIGNAL, Streaming, counts, with_holes
from tests.support.streaming_beats import OF_BEATS, drive_kinds, drive_segments, kinds_of


def seconds(rng):
    """Seconds of all states, with beats at changing rates, weak ones and still lines."""
    made, at, rr, state = [], 0, 300, "signal"
    for end in range(RATE, 90 * RATE, RATE):
        if rng.random() < 0.1:
            rr = int(rng.choice([120, 180, 300, 500, 900, 2000]))
        beats = []
        while at + 107 < end:
            beats.append(at)
            at += rr
        if rng.random() < 0.15:
            state = str(rng.choice(["signal", "signal", "signal", "noisy", "absent"]))
        weak = tuple(beats[:1]) if rng.random() < 0.1 else ()
        still = end - 200 if rng.random() < 0.1 else None
        lost = end - 100 if rng.random() < 0.05 else None
        made.append(Second(0, end, state, tuple(beats), weak, still, lost))
    return made


def arrivals(rng):
    """When samples before an index arrive, of a device with a wrong clock on a jumpy link."""
    ppm = float(rng.choice([-40_000, -200, 0, 300, 30_000, 50_000]))
    made, now, jumped = [], 1000.0, int(rng.integers(700))
    for k in range(1, 700):
        now += 0.5 * (1 + ppm / 1e6)
        own = round(k * 5e8 + 1) + (10**10 if k > jumped else 0)
        made.append((k * 180, now + float(rng.exponential(0.1)), own))
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


def name_beats(made, second):
    """Let a beat model name the beats of a second, ectopic ones often, and withdraw some."""
    for beat in second.strong:
        label = "NVVSVFNNQ"[beat // 700 % 9]
        made.beat(beat, label, 0.9, None if beat % 11 == 0 else 300)
    for beat in second.strong if second.state == "noisy" else ():
        made.withdraw(beat)


def rhythm_of(second):
    """Return a verdict on the rhythm of a second: a dozen of each kind in turn, none of some."""
    probabilities = ((0.05, 0.01), (0.9, 0.05), (0.02, 0.97))[second.end // RATE // 12 % 3]
    return RhythmVerdict(second.end, *probabilities) if second.state != "absent" else None


def atrial_of(second):
    """Return a probability of atrial fibrillation: high and low in turn, none of some."""
    high = second.end // RATE // 17 % 2
    return (0.02, 0.99)[high] if second.state != "absent" else None


def likeness_of(second):
    """Return how alike the usual beat is: alike, another and unknown in turn."""
    return (0.95, 0.3, 0.5, 0.9, None)[second.end // RATE // 12 % 5]


def beside(second):
    """Return the same second of another lead: worse, better or the same."""
    states = ("signal", "signal", "noisy", "absent", second.state)
    turn = second.end // RATE // 13 % 5
    return replace(second, row=1, state=states[turn], beats=second.beats if turn else ())


def drive_trust(made, row, at, piece):
    found = []
    for second in piece:
        made.add(second, beside(second))
        found.append((made.mean(5), made.mean(30), made.is_lost))
    return found


def drive_second_lead(made, row, at, piece):
    found = []
    for second in piece:
        made.add(second, beside(second))
        if made.is_to_change(second.end):
            made.change(second.end)
        found.append(made.judged)
    return found


def drive_recent(made, row, at, piece):
    """A spike before the beats of half the time, and now and then in between."""
    found = []
    for second in piece:
        paced = [beat - 20 for beat in second.beats] if second.end // RATE // 15 % 2 else []
        made.spikes([*paced, *([second.end - 5] if second.weak else [])])
        made.second(second)
        for beat in second.beats[::3]:
            made.name(beat, "NSV"[beat % 3], beat % 100 / 100)
        span = second.end - 2 * RATE, second.end - RATE
        told = made.is_paced_rhythm, made.only_paced(*span), made.is_strange(span[0])
        told += made.ectopic(*span), made.all_normal(*span)
        found.append((*told, *map(made.is_paced, second.beats)))
    return found


def drive_condition(made, row, at, piece):
    found = []
    for second in piece:
        name_beats(made, second)
        found += made.elapsed(second.end, second.strong, second.lost)
        found += [made.second(second), made.rhythm(second.end, rhythm_of(second))]
        found += [made.atrial(atrial_of(second)), made.usual(likeness_of(second))]
        found.append(made.text(next(iter(made.kinds))))
        found.append(made.judged(bool(second.weak)))
    return found


def drive_conditions(made, row, at, piece):
    found = []
    for second in piece:
        name_beats(made, second)
        found += [*made.second(second), *made.rhythm(second.end, rhythm_of(second))]
        found += made.atrial(second.end, atrial_of(second))
        found += made.usual(second.end, likeness_of(second))
        found += made.judged(second.end, bool(second.weak))
        found += made.elapsed(second.end + 90, second.strong)
    return found


def drive_waveform(made, row, at, piece):
    found = []
    for second in piece:
        verdict = rhythm_of(second)
        if verdict is None:
            made.interrupt()
        else:
            found.append(made.add(verdict.tachycardia, verdict.fibrillation))
    return found


def drive_stack(made, row, at, x):
    found = drive_segments(made.segments, row, at, x)
    return found + drive_kinds(made.kinds, row, at, kinds_of(range(at, at + len(x))))


def drive_live_beats(made, row, at, piece):
    found = []
    for second in piece:
        labels = [(beat, None if beat in second.weak else "V") for beat in second.beats]
        found += [made.take(JudgedBeat(0, beat, label, 0.9)) for beat, label in labels]
        found.append(made.second(second.end - 200, second.state))
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
        pieces = [*made.accept(frame, now), *made.expire(now)]
        found += [(one.first, one.gain, one.samples.tobytes()) for one in pieces]
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
    found.append((stream.converted.report_spikes(0, until), stream.missing_of(0, until)))
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
        elif made.active:
            found += made.acknowledge(made.active[-1].number, "a nurse", now)
    return found


ALL = [
    *OF_SIGNAL,
    *OF_BEATS,
    *(
        Streaming(kind, lambda _, kind=kind: kind(AlarmLimits()), seconds, drive_condition)
        for kind in CONDITIONS
    ),
    Streaming(
        KOfN,
        lambda _: KOfN(Hysteresis(3, 10, 5)),
        lambda rng: rng.random(200) < 0.3,
        lambda made, row, at, piece: [made.add(bool(one)) for one in piece],
    ),
    Streaming(
        WearerConditions, lambda _: WearerConditions(AlarmLimits()), seconds, drive_conditions
    ),
    Streaming(VentricularWaveform, lambda _: VentricularWaveform(), seconds, drive_waveform),
    Streaming(
        AtrialRhythm,
        lambda _: AtrialRhythm(),
        seconds,
        lambda made, row, at, piece: [made.add(atrial_of(second)) for second in piece],
    ),
    Streaming(BeatStack, BeatStack, with_holes, drive_stack),
    Streaming(LiveBeats, lambda _: LiveBeats(BeatStack(1), 0), seconds, drive_live_beats),
    Streaming(AlarmStateMachine, lambda _: AlarmStateMachine(), alarms, drive_alarms),
    Streaming(Clock, lambda _: Clock(360_000), arrivals, drive_clock),
    Streaming(DeliveredRate, lambda _: DeliveredRate(360_000), arrivals, drive_delivered),
    Streaming(RecentBeats, lambda _: RecentBeats(), seconds, drive_recent),
    Streaming(LeadTrust, lambda _: LeadTrust(), seconds, drive_trust),
    Streaming(
        SecondLead,
        lambda _: SecondLead(Stream("203", 7, 1, 360_000), "V1"),
        seconds,
        drive_second_lead,
    ),
    Streaming(Stream, lambda _: Stream("203", 7, 0, 250_000), frames, drive_stream, end_of_stream),
]
