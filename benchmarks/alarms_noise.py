"""Effect of recorded noise on alarms and beats; `alarms_hidden` has that on events."""

from collections import Counter
from dataclasses import replace
from typing import Any, Final

import alarms_false
import alarms_hidden
import numpy as np
from alarms_decided import Cases, case_name, chunks, published
from alarms_false import false
from alarms_ward import FULL_SPEED, Board, monitor, play
from alarms_wearers import MEASURED, NOISES, SNR_DB, Noise, stress
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
AT_ONCE: Final = 24
"""Records that are played together."""
TOGETHER: Final = (
    ("asystole",),
    ("abnormal",),
    ("extreme-low-rate", "extreme-high-rate"),
    ("low-rate", "high-rate"),
)
"""Kinds of false alarms that share a column."""


def decided_by() -> dict[str, object]:
    """Return what decides the figures; raise ``procedure`` when they are computed otherwise."""
    return {
        "procedure": 2,
        "published": [published("generic"), published("simulated")],
        "false": alarms_false.decided_by(),
        "minutes": MINUTES,
        **alarms_hidden.decided_by(),
    }


def run(results: Cases) -> dict[str, Any]:
    """Play the cases without a stored result, and return the figures."""
    noises = {name: Noise(name) for name in NOISES}
    records = {name: clean(name) for name in RECORDS}
    cases = [("none", 0, name) for name in RECORDS]
    cases += [(noise, snr, name) for snr in SNR_DB for noise in NOISES for name in RECORDS]
    missing = [case for case in cases if case_name(*case) not in results]
    with monitor("--model", "generic", "--capture", "0") as endpoint:
        for some in chunks(missing, AT_ONCE):
            mixed = [stressed(records[name], noises.get(noise), snr) for noise, snr, name in some]
            played = play(mixed, [FULL_SPEED] * len(mixed), endpoint)
            for case, record, board in zip(some, mixed, played, strict=True):
                results[case_name(*case)] = under_noise(record, board)
    events = alarms_hidden.run(results, noises)
    return {
        "records": {
            f"{noise}/{snr}": summed([results[case_name(noise, snr, name)] for name in RECORDS])
            for noise, snr in dict.fromkeys((noise, snr) for noise, snr, _ in cases)
        },
        "events": events,
    }


def clean(name: str) -> Record:
    """Return the first minutes of a record's first lead."""
    record = read(obtain(f"mitdb/{name}"))
    n = MINUTES * 60 * RATE
    marks = record.annotations
    if marks is None:
        raise ValueError(f"{name} has no annotations")
    return replace(record, samples=record.samples[:n], annotations=marks.between(0, n))


def stressed(record: Record, noise: Noise | None, snr: int) -> Record:
    """Return a record with noise, of a wearer of its own."""
    if noise is None:
        return replace(record, wearer=f"{record.wearer}-clean")
    noisy = noise.over(record, snr, stress(len(record.samples)))
    return replace(noisy, wearer=f"{record.wearer}-{noise.name}.{snr}")


def under_noise(record: Record, board: Board) -> dict[str, Any]:
    """Count within the noisy minutes of a record."""
    spans = stress(len(record.samples))
    seconds = {s: state for s, state in board.states.items() if _inside(np.array([s]), spans)[0]}
    alarms = [alarm for alarm, _ in board.raised if alarm.at is not None and alarm.count == 1]
    in_noise = [a for a in alarms if _inside(np.array([a.at]), spans)[0]]
    row, first = np.zeros(1, dtype=np.intp), np.zeros(1, dtype=np.int64)
    (found,) = BeatDetector(1)(row, record.millivolts()[None, :], first)
    beats = np.array(found, dtype=np.int64)
    usable = [(s, s + WINDOW) for s, state in seconds.items() if state == "signal"]
    return {
        "seconds": len(seconds),
        "states": Counter(seconds.values()),
        "raised": Counter(alarm.kind for alarm in in_noise),
        "false": Counter(a.kind for a in in_noise if false(record, a.kind, a.at or 0)),
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


def summed(all_: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the counts of all records together."""
    total: dict[str, Any] = {"seconds": sum(one["seconds"] for one in all_)}
    for name in ("states", "raised", "false"):
        total[name] = sum((Counter(one[name]) for one in all_), Counter())
    for name in ("qrs", "qrs_signal"):
        total[name] = np.sum([one[name] for one in all_], axis=0).tolist()
    return total


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
    return f"""
## Noise

Recorded noise is added to {len(RECORDS)} records, to measure which false alarms it raises and how
many beats it hides: electrode motion (em), muscle artefact (ma) and baseline wander (bw) of
NSTDB. All figures are of the minutes with noise. Alarms are per hour; QRS is sensitivity /
positive predictive value of the detector's beats within 150 ms.

| noise | seconds noisy | asystole | abnormal | extreme rate | rate | noisy | QRS | in *signal* |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
{chr(10).join(rows)}

- *Asystole* to *rate* count false alarms, as above. The generic model never saw 100, 119 and 213.
  *Noisy* counts all such alarms, true or not. The last column counts only seconds called
  *signal*.
- **Noise** is added to the first {MINUTES} minutes of {", ".join(RECORDS)}, as `nst` of the WFDB
  applications does: five minutes without, then in turn two minutes with noise and two without.
- **Power of the signal**: p^2 / 8, where p is the mean peak-to-peak amplitude within 50 ms of the
  first {MEASURED} normal beats (N, L, R).
- **Power of the noise**: r^2, where r is the mean over its first {MEASURED} seconds of the root
  mean square about each second's mean. Both means leave out the twentieth at either end. Waves
  slower than a second count little in r, so wander of 0 dB is far higher than the beats.
- Steps where noise begins and ends are removed.

{alarms_hidden.page(result["events"])}"""


def _percent(counts: DetectionCounts) -> str:
    if not counts.beats or counts.beats == counts.missed:
        return "-"
    return f"{100 * counts.sensitivity:.1f} / {100 * counts.ppv:.1f} %"
