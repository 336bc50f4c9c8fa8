"""Effect of recorded noise on alarms and beats, and on events that it hides."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import alarms_false
import numpy as np
from alarms_decided import Cases, published
from alarms_false import false
from alarms_ward import FULL_SPEED, Board, monitor, play
from alarms_wearers import (
    MEASURED,
    RUN_PER_MIN,
    Event,
    Noise,
    bigeminy,
    faster,
    runs,
    still,
    stress,
    strike,
)
from numpy.typing import NDArray

from ecgmon.core.annotations import Annotations
from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.labels import is_beat
from ecgmon.records import Record
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from ecgmon.signal.qrs import BeatDetector
from trainer.evaluation.qrs import DetectionCounts, compare

RECORDS: Final = ("118", "119", "100", "103", "213", "234")
MINUTES: Final = 19
NOISES: Final = ("em", "ma", "bw")
SNR_DB: Final = (24, 18, 12, 6, 0, -6)
WEARERS: Final = 8
"""Of each event, noise and ratio."""
NOISE_S: Final = 15.0
AT_S: Final = 30.0
AFTER_S: Final = 15.0
LATE_S: Final = 5
"""An alarm so soon after an event is its alarm."""
AT_ONCE: Final = 24
PIECE: Final = 180 * RATE
"""Each hidden event gets another piece of the noise."""
TOGETHER: Final = (
    ("asystole",),
    ("abnormal",),
    ("extreme-low-rate", "extreme-high-rate"),
    ("low-rate", "high-rate"),
)
"""Kinds of false alarms that share a column."""
BLIND: Final = ("noisy", "no-signal")
EVENTS: Final = {
    Event("asystole", ("asystole",), None, still): 12.0,
    Event(
        "ventricular tachycardia",
        ("extreme-high-rate", "high-rate", "abnormal"),
        None,
        lambda rng: runs(rng, beats=1000),
    ): 15.0,
    Event("heart rate 30", ("extreme-low-rate", "low-rate"), None, faster(30)): 20.0,
    Event("bigeminy", ("abnormal",), None, bigeminy): 20.0,
}


def decided_by() -> dict[str, object]:
    """Return what decides the figures; raise the procedure by hand when they are got otherwise."""
    return {
        "procedure": 1,
        "published": [published("generic"), published("simulated")],
        "false": alarms_false.decided_by(),
        "minutes": MINUTES,
        "noise, s": NOISE_S,
        "event, s": [AT_S, AFTER_S, LATE_S],
        "lasting, s": {event.name: seconds for event, seconds in EVENTS.items()},
        "piece, samples": PIECE,
        "blind": BLIND,
    }


def run(kept: Cases) -> dict[str, Any]:
    """Play what is not kept, and return the figures."""
    noises = {name: Noise(name) for name in NOISES}
    records = {name: _clean(name) for name in RECORDS}
    wanted = [("none", 0, name) for name in RECORDS]
    wanted += [(noise, snr, name) for snr in SNR_DB for noise in NOISES for name in RECORDS]
    missing = [case for case in wanted if _name(*case) not in kept]
    with monitor("--model", "generic", "--capture", "0") as endpoint:
        for some in _chunks(missing):
            mixed = [_stressed(records[name], noises.get(noise), snr) for noise, snr, name in some]
            played = play(mixed, [FULL_SPEED] * len(mixed), endpoint)
            for case, record, board in zip(some, mixed, played, strict=True):
                kept[_name(*case)] = _under_noise(record, board)
    hidden = [
        (event, noise, snr, i)
        for snr in SNR_DB
        for noise in NOISES
        for event in EVENTS
        for i in range(WEARERS)
    ]
    lacking = [case for case in hidden if _name(case[0].name, *case[1:]) not in kept]
    with monitor("--model", "simulated", "--capture", "0") as endpoint:
        for chunk in _chunks(lacking):
            struck = [_hidden(event, noises[noise], snr, i) for event, noise, snr, i in chunk]
            played = play([one for one, _ in struck], [FULL_SPEED] * len(struck), endpoint)
            for (event, *rest), (_, at), board in zip(chunk, struck, played, strict=True):
                kept[_name(event.name, *rest)] = _outcome(event, at, board)
    return {
        "records": {
            f"{noise}/{snr}": _sum([kept[_name(noise, snr, name)] for name in RECORDS])
            for noise, snr in dict.fromkeys((noise, snr) for noise, snr, _ in wanted)
        },
        "events": {
            f"{event.name}/{noise}/{snr}": Counter(
                kept[_name(event.name, noise, snr, i)] for i in range(WEARERS)
            )
            for event in EVENTS
            for noise in NOISES
            for snr in SNR_DB
        },
    }


def _chunks(cases: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(cases), AT_ONCE):
        yield cases[start : start + AT_ONCE]


def _name(*parts: object) -> str:
    return "/".join(map(str, parts))


def _clean(name: str) -> Record:
    record = read(obtain(f"mitdb/{name}"))
    n = MINUTES * 60 * RATE
    marks = record.annotations
    if marks is None:
        raise ValueError(f"{name} has no annotations")
    held = int(np.searchsorted(marks.samples, n))
    return replace(
        record,
        samples=record.samples[:n],
        annotations=Annotations(marks.samples[:held], marks.symbols[:held]),
    )


def _stressed(record: Record, noise: Noise | None, snr: int) -> Record:
    if noise is None:
        return replace(record, wearer=f"{record.wearer}-clean")
    noisy = noise.over(record, snr, stress(len(record.samples)))
    return replace(noisy, wearer=f"{record.wearer}-{noise.name}.{snr}")


def _under_noise(record: Record, board: Board) -> dict[str, Any]:
    """Count within the noisy minutes of a record."""
    spans = stress(len(record.samples))
    seconds = {s: state for s, state in board.states.items() if _inside(np.array([s]), spans)[0]}
    alarms = [alarm for alarm, _ in board.raised if alarm.at is not None]
    told = [a for a in alarms if _inside(np.array([a.at]), spans)[0]]
    row, first = np.zeros(1, dtype=np.intp), np.zeros(1, dtype=np.int64)
    (found,) = BeatDetector(1)(row, record.millivolts()[None, :], first)
    beats = np.array(found, dtype=np.int64)
    usable = [(s, s + WINDOW) for s, state in seconds.items() if state == "signal"]
    return {
        "seconds": len(seconds),
        "states": Counter(seconds.values()),
        "raised": Counter(alarm.kind for alarm in told),
        "false": Counter(a.kind for a in told if false(record, a.kind, a.at or 0)),
        "qrs": _beats(record, beats, spans),
        "qrs_signal": _beats(record, beats, usable),
    }


def _beats(record: Record, found: NDArray[np.int64], spans: list[tuple[int, int]]) -> list[int]:
    """Return how many beats are marked, missed and false within some ranges."""
    marks = record.annotations
    if marks is None:
        raise ValueError(f"{record.name} has no annotations")
    true = marks.samples[is_beat(marks)]
    inside = true[_inside(true, spans)]
    counts = compare(Annotations(inside, ("N",) * len(inside)), found[_inside(found, spans)])
    return [counts.beats, counts.missed, counts.false]


def _inside(samples: NDArray[np.int64], spans: list[tuple[int, int]]) -> NDArray[np.bool_]:
    if not spans:
        return np.zeros(len(samples), dtype=bool)
    starts, stops = np.array(spans).T
    which = np.searchsorted(starts, samples, side="right") - 1
    inside: NDArray[np.bool_] = (which >= 0) & (samples < stops[which])
    return inside


def _sum(all_: list[dict[str, Any]]) -> dict[str, Any]:
    total: dict[str, Any] = {"seconds": sum(one["seconds"] for one in all_)}
    for name in ("states", "raised", "false"):
        total[name] = sum((Counter(one[name]) for one in all_), Counter())
    for name in ("qrs", "qrs_signal"):
        total[name] = np.sum([one[name] for one in all_], axis=0).tolist()
    return total


def _hidden(event: Event, noise: Noise, snr: int, i: int) -> tuple[Record, int]:
    """Return a wearer whose event happens in noise, and its sample."""
    wearer = f"{event.name.replace(' ', '-')}-{noise.name}.{snr}.{i}"
    struck = strike(event, wearer, 2000 + i, AT_S + i / WEARERS, EVENTS[event], AFTER_S)
    record = struck.record
    span = (round(NOISE_S * RATE), len(record.samples))
    return noise.over(record, snr, [span], at=i * PIECE), struck.at


def _outcome(event: Event, at: int, board: Board) -> str:
    """Say what told of an event."""
    end = at + round(EVENTS[event] * RATE)
    raised = [a.at for a, _ in board.raised if a.kind in event.kinds and a.at is not None]
    if any(at <= one <= end + LATE_S * RATE for one in raised):
        return "raised"
    if any(_stood(board, kind, at, end) for kind in event.kinds):
        return "stood"
    return "blind" if any(_stood(board, kind, at, end) for kind in BLIND) else "missed"


def _stood(board: Board, kind: str, start: int, stop: int) -> bool:
    since: int | None = None
    for alarm in board.alarms:
        if alarm.kind != kind or alarm.at is None:
            continue
        if alarm.state == "raised":
            since = alarm.at
        elif since is not None and alarm.state in ("latched", "cleared"):
            if since < stop and alarm.at > start:
                return True
            since = None
    return since is not None and since < stop


def page(result: dict[str, Any]) -> str:
    """Return the part of the page."""
    rows = []
    for noise, snr in [("none", 0), *((noise, snr) for noise in NOISES for snr in SNR_DB)]:
        one = result["records"][f"{noise}/{snr}"]
        hours = one["seconds"] / 3600
        cells = [f"{100 * one['states'].get('noisy', 0) / one['seconds']:.1f} %"]
        cells += [f"{sum(one['false'].get(kind, 0) for kind in k) / hours:.1f}" for k in TOGETHER]
        cells += [f"{one['raised'].get('noisy', 0) / hours:.1f}"]
        cells += [_percent(DetectionCounts(*one[which])) for which in ("qrs", "qrs_signal")]
        label = "none" if noise == "none" else f"{noise} {snr} dB"
        rows.append(f"| {label} | {' | '.join(cells)} |")
    events = "\n".join(
        f"| {event.name} | {noise} | "
        + " | ".join(_cell(result["events"][f"{event.name}/{noise}/{snr}"]) for snr in SNR_DB)
        + " |"
        for event in EVENTS
        for noise in NOISES
    )
    lasting = ", ".join(f"{event.name} for {seconds:.0f} s" for event, seconds in EVENTS.items())
    return f"""
## Noise

Electrode motion (em), muscle artefact (ma) and baseline wander (bw) of NSTDB, added to the first
{MINUTES} minutes of {", ".join(RECORDS)} as nst of the WFDB applications does: five minutes
without, then in turn two minutes with noise and two without. The power of the signal is p^2 / 8,
p the mean peak-to-peak amplitude within 50 ms of the first {MEASURED} normal beats (N, L, R);
that of the noise is r^2, r the mean over its first {MEASURED} seconds of the root mean square
about each second's mean; both means without the twentieth at either end. What is slower than a
second counts little in r, so wander of 0 dB is far higher than the beats. Steps where noise
begins and ends are taken out.

All figures are of the noisy minutes: false alarms per hour (as above; the generic model, to which
100, 119 and 213 are strangers), *noisy* alarms per hour, true or not, sensitivity / positive
predictive value of the detector's beats within 150 ms, and the same in the seconds called
*signal*.

| noise | seconds noisy | asystole | abnormal | extreme rate | rate | noisy | QRS | in *signal* |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
{chr(10).join(rows)}

Events in noise: {WEARERS} simulated wearers each, in noise from {AT_S - NOISE_S:.0f} s before the
event to the end; {lasting}. Ventricular tachycardia, of {RUN_PER_MIN}/min, is alarmed by a high
rate or *abnormal*. *a + b + c*: for a wearers its alarm was raised during the event or within
{LATE_S} s of its end, for b it stood already, raised by the noise, for c only *noisy* or
*no-signal* stood; **missed** are those of whom none is true.

| event | noise | {" | ".join(f"{snr} dB" for snr in SNR_DB)} |
|---|---|{"---:|" * len(SNR_DB)}
{events}
"""


def _percent(counts: DetectionCounts) -> str:
    if not counts.beats or counts.beats == counts.missed:
        return "-"
    return f"{100 * counts.sensitivity:.1f} / {100 * counts.ppv:.1f} %"


def _cell(outcomes: dict[str, int]) -> str:
    missed = outcomes.get("missed", 0)
    text = " + ".join(str(outcomes.get(one, 0)) for one in ("raised", "stood", "blind"))
    return f"{text}, **{missed} missed**" if missed else text
