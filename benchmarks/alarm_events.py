"""Missed and false alarms by event, before and after a change: docs/results/alarm-events.md.

    python benchmarks/alarm_events.py list                # the events, from annotations alone
    python benchmarks/alarm_events.py run NAME PROGRAM    # every record through that ecgmon
    python benchmarks/alarm_events.py page BEFORE AFTER   # the table of two runs

The list is made once and stored, so that a monitor's output never changes the reference. A run
takes about half an hour and goes on where it stopped. The program is asked through its command
line, so that any version since 0.1.0 can be run; each record is played as fast as it goes.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
from alarm_truth import LATE_S, beats_of, events, false, records
from alarms_wearers import Noise, stress

from ecgmon.core.constants import RATE
from ecgmon.records import Record
from ecgmon.records.captured.layout import signal_lines
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = ROOT / "docs" / "results"
EVENTS: Final = RESULTS / "alarm-events.json"
RUNS: Final = ROOT / "runs" / "alarm-events"

FOUND_BY: Final = {
    "asystole": ("asystole", "flat-line"),
    "extreme-low-rate": ("extreme-low-rate", "asystole", "flat-line"),
    "low-rate": ("low-rate", "extreme-low-rate", "asystole", "flat-line"),
    "high-rate": ("high-rate", "extreme-high-rate"),
    "extreme-high-rate": ("extreme-high-rate",),
    "abnormal": ("abnormal",),
    "fibrillation": ("asystole", "flat-line", "extreme-low-rate", "extreme-high-rate"),
    "tachycardia": ("asystole", "flat-line", "extreme-low-rate", "extreme-high-rate"),
}
"""Kinds of alarms that report an event; any of high priority if the event ends the circulation."""


def mixture(name: str) -> Record:
    """Return a record with the noise that ``mix/RECORD-NOISE-DB`` names, added as nst adds it."""
    one, noise, db = name.removeprefix("mix/").split("-")
    record = read(obtain(f"mitdb/{one}"))
    return Noise(noise).over(record, float(db), stress(len(record.samples)))


def run(label: str, program: Path) -> None:
    """Play every record that this run has not played yet."""
    RUNS.mkdir(parents=True, exist_ok=True)
    file = RUNS / f"{label}.json"
    done = json.loads(file.read_text()) if file.is_file() else {}
    for name in records():
        if name in done:
            continue
        with tempfile.TemporaryDirectory(prefix="ecgmon-events-") as folder:
            path = str(obtain(name).path) if not name.startswith("mix/") else _write(name, folder)
            result = Path(folder) / "result.json"
            command = [str(program), "replay", path, "--speed", "max", "--no-view"]
            command += ["--model", "generic", "--json", str(result)]
            subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - ours
            played_alarms = json.loads(result.read_text())
        intervals = _intervals(played_alarms["alarms"])
        done[name] = {
            "alarms": intervals,
            "noisy": played_alarms["noisy"],
            "absent": played_alarms["absent"],
        }
        file.write_text(json.dumps(done) + "\n")
        print(name, len(intervals), flush=True)  # noqa: T201 - progress


def _intervals(changes: list[dict[str, Any]]) -> list[list[Any]]:
    """Return kind, begin and end of each alarm's condition in seconds, None for an end not seen."""
    intervals: list[list[Any]] = []
    open_: dict[int, list[Any]] = {}
    for one in changes:
        if one["state"] == "raised":
            open_[one["alarm"]] = [one["kind"], one["at_s"], None]
            intervals.append(open_[one["alarm"]])
        else:
            open_[one["alarm"]][2] = one["at_s"]
    return intervals


def _write(name: str, folder: str) -> str:
    record = mixture(name)
    path = Path(folder) / name.removeprefix("mix/")
    first, checksum = int(record.samples[0]), int(record.samples.sum(dtype=np.int64)) & 0xFFFF
    lines = signal_lines(path.name, RATE, record.gain, record.lead, first, checksum)
    lines[0] += f" {len(record.samples)}"
    path.with_suffix(".hea").write_text("\n".join(lines) + "\n")
    path.with_suffix(".dat").write_bytes(record.samples.astype("<i2").tobytes())
    return str(path)


def counts(played: dict[str, Any], truths: dict[str, Any], database: str) -> dict[str, list[int]]:
    """Return by kind the events, those missed, those without a new alarm, the alarms, the false."""
    table = {kind: [0] * 5 for kind in (*FOUND_BY, "no-signal", "noisy", "flat-line")}
    for name, truth in truths.items():
        if not name.startswith(database):
            continue
        alarms, beats = played[name]["alarms"], beats_of(name)
        for kind, spans in truth["events"].items():
            for start, stop in spans:
                table[kind][0] += 1
                played_alarms = _raised_between(alarms, kind, start, stop)
                table[kind][1] += not played_alarms
                table[kind][2] += not any(at >= start - 1 for at in played_alarms)
        for kind, at, _ in alarms:
            if kind in table:
                table[kind][3] += 1
                table[kind][4] += false(kind, at, truth, *beats) is True
    return {kind: row for kind, row in table.items() if any(row)}


def _raised_between(alarms: list[list[Any]], kind: str, start: float, stop: float) -> list[float]:
    """Return since when the alarms that report an event have been active."""
    return [
        at
        for one, at, until in alarms
        if one in FOUND_BY[kind] and at <= stop + LATE_S and (until is None or until >= start - 1)
    ]


def page(before: str, after: str) -> str:
    """Return the table of two runs."""
    truths = json.loads(EVENTS.read_text())
    runs = [json.loads((RUNS / f"{one}.json").read_text()) for one in (before, after)]
    text = HEAD.format(before=before, after=after)
    for database, title in TITLES.items():
        names = [name for name in truths if name.startswith(database)]
        if not all(name in one for name in names for one in runs):
            text += f"\n## {title}\n\nNot run to the end.\n"
            continue
        old, new = (counts(one, truths, database) for one in runs)
        text += f"\n## {title}\n\n"
        text += "| kind | events | missed: before | after | result | no new alarm: before | after "
        text += "| raised: before | after | false: before | after |\n"
        text += "|---|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|\n"
        for kind in sorted({*old, *new}, key=[*FOUND_BY, "no-signal", "noisy", "flat-line"].index):
            a, b = old.get(kind, [0] * 5), new.get(kind, [0] * 5)
            judged = f"{a[4]} | {b[4]}" if kind not in ("no-signal", "noisy") else " | "
            result = "met" if b[1] <= a[1] else "**missed**"
            found = f"{a[1]} | {b[1]} | {result} | {a[2]} | {b[2]}"
            events = f"{b[0]} | {found}" if b[0] else " | | | | | "
            text += f"| {kind} | {events} | {a[3]} | {b[3]} | {judged} |\n"
        text += pauses(runs[1], {name: truths[name] for name in names}, database)
    return text


def pauses(played: dict[str, Any], truths: dict[str, Any], database: str) -> str:
    """Say how many of the slow events that were missed are a pause and no slow heart."""
    missed = single = 0
    for name, truth in truths.items():
        for start, stop in truth["events"].get("low-rate", []) if database in name else ():
            if _raised_between(played[name]["alarms"], "low-rate", start, stop):
                continue
            beats, _ = beats_of(name)
            rr = np.diff(beats[(beats >= start - 0.1) & (beats <= stop + 0.1)])
            missed += 1
            single += not any(min(rr[i : i + 3]) > 60 / 50 for i in range(len(rr) - 2))
    if not missed:
        return ""
    return (
        f"\nOf the {missed} low-rate events missed, {single} hold no three RR intervals in a row\n"
        "beyond the limit. Only their mean is beyond it, because of one or two pauses. A pause is\n"
        "no slow heart ([alarms](../alarms.md)).\n"
    )


TITLES: Final = {
    "mitdb": "The 48 records of mitdb",
    "mix": "Records 118 and 119 with noise of nstdb (em, ma; 18, 12, 6 and 0 dB)",
    "vfdb": "vfdb, 12 records",
    "cudb": "cudb, 18 records",
}
HEAD: Final = """# Alarms by event, before and after

Which events in four databases have no alarm, and which alarms are false, for two commits: a
repair must not make the monitor miss more. The target is that no kind of event is missed more
often than before.

    python benchmarks/alarm_events.py run NAME PROGRAM    # for both commits
    python benchmarks/alarm_events.py page {before} {after}

- *Before* is `{before}`, *after* is `{after}`.
- The model is the generic one with default limits. Each record plays at full speed. The events are
  those of [alarm-events.json](alarm-events.json), made from the annotations alone.
- *Missed*: no alarm of the event's kind, or of a worse kind that covers it, was active at any
  time from a second before the event to 10 s after its end. *No new alarm*: none was raised in
  that time; there was an earlier one that was still active, or none.
- *False*: the annotations disprove the alarm. Within 10 s of fibrillation, flutter and marked
  noise none is false.
- *Fibrillation* and *tachycardia* (at least 6 s) count as found by any alarm of high priority,
  because they have no alarm of their own yet.
- vfdb has no annotated beats, so rates are not judged there. These records have no truth for
  *noisy* and *no-signal*, which are only counted.
"""


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list")
    runner = commands.add_parser("run")
    runner.add_argument("label")
    runner.add_argument("program", type=Path)
    pager = commands.add_parser("page")
    pager.add_argument("before")
    pager.add_argument("after")
    given = parser.parse_args()
    if given.command == "list":
        truths = {name: events(name) for name in records()}
        lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in truths.items())
        EVENTS.write_text("{\n" + lines + "\n}\n")
    elif given.command == "run":
        run(given.label, given.program.absolute())
    else:
        (RESULTS / "alarm-events.md").write_text(page(given.before, given.after))


if __name__ == "__main__":
    main()
