"""Alarms raised on the MIT-BIH records, and those that the annotations disprove."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from alarms_decided import Cases, published
from alarms_ward import FULL_SPEED, Board, monitor, play
from numpy.typing import NDArray

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import RATE
from ecgmon.core.labels import is_abnormal, is_beat
from ecgmon.records import Record
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from replay.scoring.scoreboard import ABNORMAL_S, ASYSTOLE_S
from trainer.data.protocol_splits import DS1, DS2
from trainer.data.splits import HELD_OUT, RECORDS, VALIDATION
from trainer.evaluation.qrs import in_flutter

AT_ONCE: Final = 8
MATCH_S: Final = 0.15
"""A beat found may lie so far from its annotation."""
TOLERANCE: Final = 2.0
"""In 1/min: annotations and the beats found are not the same samples."""
LATELY_S: Final = 10
"""A rate alarm is true if the rate was beyond the limit in these seconds before it."""
SLOW: Final = (3, 4)
FAST: Final = (8,)
"""RR intervals in a row whose mean is the rate, against the low and the high limits."""
LIMITS: Final = AlarmLimits()
JUDGED: Final = (
    "asystole",
    "extreme-low-rate",
    "extreme-high-rate",
    "abnormal",
    "low-rate",
    "high-rate",
)
TECHNICAL: Final = ("no-signal", "noisy")


def decided_by() -> dict[str, object]:
    """Return what decides the figures; raise the procedure by hand when they are got otherwise."""
    return {
        "procedure": 2,
        "published": published("generic"),
        "match, s": MATCH_S,
        "tolerance": TOLERANCE,
        "lately, s": LATELY_S,
        "RR intervals": [SLOW, FAST],
        "limits": LIMITS,
        "judged": JUDGED,
        "seconds": [ABNORMAL_S, ASYSTOLE_S],
    }


def run(results: Cases) -> dict[str, Any]:
    """Play the records that have no stored result, and return the figures."""
    missing = [name for name in RECORDS if name not in results]
    with monitor("--model", "generic", "--capture", "0") as endpoint:
        for start in range(0, len(missing), AT_ONCE):
            names = missing[start : start + AT_ONCE]
            records = [read(obtain(f"mitdb/{name}")) for name in names]
            played = play(records, [FULL_SPEED] * len(records), endpoint)
            for name, record, board in zip(names, records, played, strict=True):
                results[name] = figures(record, board)
    return {"records": {name: results[name] for name in RECORDS}}


def figures(record: Record, board: Board) -> dict[str, Any]:
    """Return what was raised in a record, each with whether it is false; null: not judged."""
    states = Counter(board.states.values())
    return {
        "seconds": len(board.states),
        "noisy": states["noisy"],
        "absent": states["absent"],
        "alarms": [
            {
                "kind": alarm.kind,
                "at_s": alarm.at / RATE,
                "count": alarm.count,
                "false": false(record, alarm.kind, alarm.at),
            }
            for alarm, _ in board.raised
            if alarm.at is not None
        ],
    }


def false(record: Record, kind: str, at: int) -> bool | None:
    """Tell whether the annotations disprove an alarm; None for one that they cannot."""
    marks = record.annotations
    if marks is None or kind not in JUDGED:
        return None
    if in_flutter(marks, np.arange(at - LATELY_S * RATE, at)).any():
        return False  # its waves are not marked as beats
    beats = marks.samples[is_beat(marks)]
    if kind == "abnormal":
        return not _any(marks.samples[is_abnormal(marks)], at - ABNORMAL_S * RATE, at)
    if kind == "asystole":
        margin = round(MATCH_S * RATE)
        return _any(beats, at - ASYSTOLE_S * RATE + margin, at - margin)
    limit = getattr(LIMITS, kind.replace("-", "_"))
    if "low" in kind:
        return not any(np.any(rate < limit + TOLERANCE) for rate in _rates(beats, at, SLOW))
    return not any(np.any(rate > limit - TOLERANCE) for rate in _rates(beats, at, FAST))


def _rates(
    beats: NDArray[np.int64], at: int, widths: Iterable[int]
) -> Iterable[NDArray[np.float64]]:
    """Yield the rates of so many RR intervals in a row that end lately, the running one too."""
    before = beats[beats < at]
    until = np.append(before, at) if len(before) and at - before[-1] > MATCH_S * RATE else before
    for n in widths:
        spans = until[n:] - until[:-n]
        yield 60 * RATE * n / spans[until[n:] > at - LATELY_S * RATE]


def _any(samples: NDArray[np.int64], start: int, stop: int) -> bool:
    return bool(np.any((samples >= start) & (samples < stop)))


def page(result: dict[str, Any]) -> str:
    """Return the part of the page."""
    records = result["records"]
    groups: dict[str, Iterable[str]] = {
        "all 48": RECORDS,
        "DS1": DS1,
        "DS2": DS2,
        "held out": HELD_OUT,
    }
    head = " | ".join(f"{name}: raised | false" for name in groups)
    table = "".join(
        f"| {kind} | {' | '.join(_per_hour(records, names, kind) for names in groups.values())} |\n"
        for kind in (*JUDGED, *TECHNICAL)
    )
    for state in ("noisy", "absent"):
        cells = " | ".join(f"{_share(records, names, state)} | " for names in groups.values())
        table += f"| seconds {state} | {cells} |\n"
    each = "".join(
        f"| {name} | {_side(name)} | {' | '.join(_counts(records[name], k) for k in JUDGED)} "
        f"| {_counts(records[name], 'no-signal')} | {_counts(records[name], 'noisy')} "
        f"| {_share(records, [name], 'noisy')} |\n"
        for name in RECORDS
    )
    hours = sum(one["seconds"] for one in records.values()) / 3600
    false_ = sum(sum(map(bool, _of(one, kind))) for one in records.values() for kind in JUDGED)
    return f"""
## False alarms

Alarms on the 48 records of MIT-BIH at full speed with the generic model, and how many of them the
annotations disprove: {false_} in {hours:.1f} hours, {false_ / hours:.2f} an hour (at commit 443c504
19, {19 / hours:.2f} an hour).

Alarms per hour:

| | {head} |
|---|{"---:|" * 2 * len(groups)}
{table}
- *asystole* is false if a beat is annotated within its 4 s, except for {MATCH_S} s at each end.
- *abnormal* is false if no beat other than N is annotated in the {ABNORMAL_S} s before.
- A rate alarm is false if in the last {LATELY_S} s no {" or ".join(map(str, SLOW))} annotated RR
  intervals in a row (low limits), or {FAST[0]} (high limits), have a mean rate beyond the limit,
  with a tolerance of {TOLERANCE:g}/min.
- Alarms within {LATELY_S} s of annotated ventricular flutter are true.
- **Bursts.** An alarm that is raised again, as one of medium priority is within three minutes and
  one that latches until it is acknowledged, is one alarm, and is judged where it was raised first.
  So often alarms were raised again, per hour of all 48:
  {_again(records)}.
- **What the model has seen.** The generic model was fitted to all records except two groups. It
  never saw {", ".join(HELD_OUT)}: only these show how it judges strangers. Its epoch and
  threshold were chosen on {", ".join(VALIDATION)}.
- **What chose the thresholds** of detector and alarms: DS1, not DS2, but for those of beats that
  may be noise and of a baseline that returns (ADR 50), which were seen at work on all 48. The
  records in neither, {", ".join(r for r in RECORDS if r not in DS1 + DS2)}, are paced.

Alarms of each record, *a (b)*: a raised, b of them false; half an hour each.

| record | model | {" | ".join(JUDGED)} | no-signal | noisy | seconds noisy |
|---|---|{"---:|" * (len(JUDGED) + 3)}
{each}"""


def _of(record: dict[str, Any], kind: str) -> list[bool | None]:
    return [
        alarm["false"]
        for alarm in record["alarms"]
        if alarm["kind"] == kind and alarm["count"] == 1
    ]


def _again(records: dict[str, Any]) -> str:
    hours = sum(one["seconds"] for one in records.values()) / 3600
    kinds = Counter(
        alarm["kind"] for one in records.values() for alarm in one["alarms"] if alarm["count"] > 1
    )
    return ", ".join(f"*{kind}* {kinds[kind] / hours:.2f}" for kind in JUDGED)


def _per_hour(records: dict[str, Any], names: Iterable[str], kind: str) -> str:
    some = [records[name] for name in names]
    hours = sum(one["seconds"] for one in some) / 3600
    flags = [flag for one in some for flag in _of(one, kind)]
    disproved = f"{sum(map(bool, flags)) / hours:.2f}" if kind in JUDGED else ""
    return f"{len(flags) / hours:.2f} | {disproved}"


def _share(records: dict[str, Any], names: Iterable[str], state: str) -> str:
    some = [records[name] for name in names]
    return f"{100 * sum(r[state] for r in some) / sum(r['seconds'] for r in some):.2f} %"


def _counts(record: dict[str, Any], kind: str) -> str:
    flags = _of(record, kind)
    if not flags:
        return ""
    return f"{len(flags)} ({sum(map(bool, flags))})" if kind in JUDGED else f"{len(flags)}"


def _side(name: str) -> str:
    if name in HELD_OUT:
        return "held out"
    return "chose" if name in VALIDATION else "fitted"
