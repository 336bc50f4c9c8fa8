"""The page of `benchmarks/same_bits.py`: what differs by second, and which fault names it."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "results" / "same-bits.md"
SECOND: Final = 360
HISTORY_S: Final = 3
"""Seconds before a window that the model sees."""
RECENT_BEATS_S: Final = 10
"""A heart rate is the mean of at most eight intervals; what changed a beat shows for so long."""
SCALE_S: Final = 60
"""Seconds of usable signal that the amplitude scale looks back on."""
ALARM_S: Final = 40
"""An alarm of k of n seconds looks back on 10 s, and clears after 30 s without."""

CAUSES: Final = {
    "history": ("A4", "not classified: the model's history was not measured"),
    "still": ("A2", "a line that is still only for a moment is signal: no filter starts anew"),
    "beats": ("A3", "the detector finds other beats, or is surer of them"),
    "noisy, no rate": ("A3", "a noisy second shows no heart rate"),
    "rate after noise": ("A3", "the heart rate counts no interval from before a noisy second"),
    "scale": ("A2, A3", "other seconds are signal, so the amplitude scale differs a little"),
    "unexplained": ("", "**named by no fault**"),
}
"""By cause: the item of faults.md, and what is so now."""

Found = dict[str, Any]


def explain(found: Found) -> dict[int, str]:
    """Return the cause of each second that differs."""
    reasons = {int(at): reason for at, reason in found["reasons"].items()}
    noisy = {at for at, reason in reasons.items() if reason == "noisy"}
    beats = beats_differ(found)
    still = [one["second"] for one in found["seconds differ"] if "absent" in one.get("state", ())]
    samples = explained_samples(found)
    causes: dict[int, str] = {}
    changed = sorted(samples)
    for one in found["seconds differ"]:
        at = one["second"]
        if "state" in one:
            changed.append(at)
        near_beats = any(at - RECENT_BEATS_S <= second <= at + 1 for second in beats)
        if reasons.get(at) == "history":
            cause = "history"
        elif at in still or samples.intersection(range(at - HISTORY_S, at + 2)):
            cause = "still"
        elif "state" in one:
            cause = "beats" if near_beats else "unexplained"
        elif "probability" in one:
            cause = "scale" if _in_scale(at, changed, reasons) else "unexplained"
        elif at in noisy:
            cause = "noisy, no rate"
        elif near_beats:
            cause = "beats"
        else:
            cause = "rate after noise" if _follows(at, noisy, causes) else "unexplained"
        causes[at] = cause
    return causes


def beats_differ(found: Found) -> set[int]:
    """Return the seconds in which the beats, or which of them are weak, are not the same."""
    return {beat // SECOND for beat in (*found["beats gone"], *found["beats new"])}


def explained_samples(found: Found) -> set[int]:
    """Return the seconds whose samples differ since only one build started its filters anew.

    What the filters remember of it fades, but for good only in its last bits.
    """
    still = [one["second"] for one in found["seconds differ"] if "absent" in one.get("state", ())]
    return {at for at in found["seconds of them"] if still and at >= still[0]}


def _in_scale(at: int, changed: list[int], reasons: dict[int, str]) -> bool:
    """Tell whether a second that differs is among those that the scale looks back on."""
    return any(
        sum(second not in reasons for second in range(before, at)) <= SCALE_S + 1
        for before in changed
        if before <= at
    )


def _follows(at: int, noisy: set[int], causes: dict[int, str]) -> bool:
    """Tell whether only seconds with another heart rate lie between this one and a noisy one."""
    before = at - 1
    while before in causes and before not in noisy:
        before -= 1
    return before in noisy


def explain_alarms(found: Found, causes: dict[int, str]) -> list[tuple[str, list[Any], str]]:
    """Return which alarms differ (gone or new), and the cause.

    It is the first of `CAUSES` among what differs in the time that the alarm looks back on.
    """
    changes = []
    for which in ("gone", "new"):
        for change in found[f"alarms {which}"]:
            end = change[0] // SECOND
            near = {causes[at] for at in causes if end - ALARM_S <= at <= end}
            if any(end - ALARM_S <= at <= end for at in beats_differ(found)):
                near.add("beats")
            cause = next((cause for cause in CAUSES if cause in near), "unexplained")
            changes.append((which, change, cause))
    return changes


def ranges(seconds: Iterable[int]) -> str:
    """Return numbers with runs joined, such as ``0-2, 176``."""
    runs: list[list[int]] = []
    for at in sorted(seconds):
        if runs and at == runs[-1][1] + 1:
            runs[-1][1] = at
        else:
            runs.append([at, at])
    return ", ".join(f"{a}-{b}" if b > a else str(a) for a, b in runs)


def page(records: dict[str, Found]) -> str:
    """Return the page of all records that were compared."""
    causes = {name: explain(found) for name, found in records.items()}
    alarms = {name: explain_alarms(found, causes[name]) for name, found in records.items()}
    total = {
        key: sum(found[key] for found in records.values())
        for key in ("samples", "samples differ", "beats", "seconds", "alarms")
    }
    of_seconds = Counter(cause for each in causes.values() for cause in each.values())
    of_alarms = Counter(cause for each in alarms.values() for _, _, cause in each)
    beats = Counter(
        {key: sum(len(found[key]) for found in records.values()) for key in BEATS_DIFFER}
    )
    classes = sum(
        "abnormal" in one and None not in one["abnormal"]
        for found in records.values()
        for one in found["seconds differ"]
    )
    builds = next(iter(records.values()))["builds"]
    unnamed = of_seconds["unexplained"], of_alarms["unexplained"]
    in_vain = sum(
        found["samples differ"]
        for found in records.values()
        if set(found["seconds of them"]) - explained_samples(found)
    )
    rows = [
        ("filtered samples that differ and no fault names", "0", in_vain, total["samples"]),
        ("seconds that differ and no fault names", "0", unnamed[0], total["seconds"]),
        ("changes of alarms that differ and no fault names", "0", unnamed[1], total["alarms"]),
    ]
    text = HEAD.format(**builds, records=len(records))
    for what, target, measured, of in rows:
        met = "met" if measured == int(target) else "**missed**"
        text += f"| {what} | {target} | {measured:,} of {of:,} | {met} |\n"
    text += SECONDS_HEAD.format(
        samples=total["samples differ"],
        differ=sum(of_seconds.values()),
        classes=classes,
        **{k[6:]: v for k, v in beats.items()},
    )
    for cause, (item, what) in CAUSES.items():
        if of_seconds[cause] or of_alarms[cause]:
            text += f"| {cause} | {item} | {what} | {of_seconds[cause]} | {of_alarms[cause]} |\n"
    text += "\n## By record\n\nSeconds of the record, counted from 0.\n\n"
    text += f"| record | {' | '.join(CAUSES)} |\n|---|{'---|' * len(CAUSES)}\n"
    for name, each in causes.items():
        cells = (ranges(at for at, c in each.items() if c == cause) for cause in CAUSES)
        text += f"| {name} | {' | '.join(cells)} |\n"
    text += ALARMS_HEAD
    for name, changes in alarms.items():
        for which, (at, kind, _, _, state, _), cause in sorted(changes, key=lambda one: one[1][0]):
            text += f"| {name} | {at / SECOND:.1f} | {kind} {state} | {which} | {cause} |\n"
    return text


BEATS_DIFFER: Final = ("beats gone", "beats new")
HEAD: Final = """# The same bits as 0.1.0

`make same-bits` compares {base} with {here} over {records} of the 48 records of mitdb: filtered
samples and beats of the signal chain as a monitor feeds it, and each record through the real
monitor as fast as it plays (generic model, default limits), whose journals hold seconds and alarms.
Of a second are compared: signal state, probability, class and heart rate, each to the last bit; of
a change of an alarm of the signal: sample, kind, priority, state and text. Alarms of link and disk
are left out: they show how busy the machine was. Items are those of [faults](faults.md).

| target | | measured | |
|---|---|---|---|
"""
SECONDS_HEAD: Final = """
{samples:,} filtered samples differ, after a second that only one build took for absent, so that
only one started its filters anew. {differ:,} seconds differ, {classes} of them in a class that both
builds give. {gone} beats are gone, or strong or weak otherwise, and {new} are new or
so. A cause is attributed by the rules of `benchmarks/same_bits_page.py`, from what
differs before it.

| cause | item | now | seconds | changes of alarms |
|---|---|---|---:|---:|
"""
ALARMS_HEAD: Final = """
## Changes of alarms

*Gone*: raised by the earlier build only; *new*: by this one only. An alarm that came at another
moment is one of each.

| record | second | change | | cause |
|---|---:|---|---|---|
"""


def write(runs: Path) -> None:
    """Write the page of what was compared."""
    files = sorted(runs.glob("*.json"))
    PAGE.write_text(page({path.stem: json.loads(path.read_text()) for path in files}))
