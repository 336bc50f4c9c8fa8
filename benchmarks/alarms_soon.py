"""Alarm latency: simulated wearers in real time, from the event to a viewer."""

import os
from collections import Counter
from typing import Any, Final

import numpy as np
from alarms_decided import Cases, measured_code
from alarms_ward import monitor, play
from alarms_wearers import (
    Beats,
    Event,
    Struck,
    bigeminy,
    faster,
    flat,
    noise,
    runs,
    steady,
    still,
    strike,
    unmeasured,
)

from ecgmon.core.constants import RATE
from replay.player.schedule import Pace

WEARERS: Final = 24
"""Of each event and way of sending; the event comes to each at another part of a second."""
AT_ONCE: Final = 48
AT_S: Final = 20.0
LASTS_S: Final = 14.0
PACES: Final = {"0.1 s frames": Pace(), "0.5 s bursts": Pace(burst_s=0.5)}


def _usual(rng: np.random.Generator) -> Beats:
    return steady(72, rng)


EVENTS: Final = (
    Event("asystole", ("asystole",), 5.0, still),
    Event("rate from 80 to 40", ("low-rate",), 7.0, faster(40), 80, 1),
    Event("rate from 80 to 130", ("high-rate",), 7.0, faster(130), 80, 1),
    Event("rate from 60 to 30", ("extreme-low-rate",), 7.0, faster(30), 60, 1),
    Event("rate from 100 to 180", ("extreme-high-rate",), 7.0, faster(180), 100, 1),
    Event("lead off, nothing measured", ("no-signal",), 3.0, _usual, to_signal=unmeasured),
    Event("lead off, a flat line", ("no-signal",), 3.0, _usual, to_signal=flat),
    Event("bigeminy", ("abnormal",), None, bigeminy, origin=1),
    Event("runs of six ventricular beats", ("abnormal",), None, runs, origin=1),
    Event("noise", ("noisy",), None, _usual, to_signal=noise),
)


def decided_by() -> dict[str, object]:
    """Return the digest of the figures: of all measured code, because they are speeds."""
    return {"code": measured_code()}


def run(results: Cases) -> dict[str, Any]:
    """Play the cases without a stored result, and return the figures."""
    cases = [
        (f"{event.name}/{pace}/{i}", event, pace, i)
        for i in range(WEARERS)
        for event in EVENTS
        for pace in PACES
    ]
    missing = [case for case in cases if case[0] not in results]
    with monitor("--model", "simulated") as endpoint:
        for start in range(0, len(missing), AT_ONCE):
            _together(missing[start : start + AT_ONCE], endpoint, results, start)
    return {
        "wearers": WEARERS,
        "cores": os.cpu_count(),
        "load": [
            round(pick(results[name]["load"] for name, *_ in cases), 1) for pick in (min, max)
        ],
        "at_once": AT_ONCE,
        "before": Counter(kind for name, *_ in cases for kind in results[name]["before"]),
        "events": [_figures(event, results) for event in EVENTS],
    }


def _together(
    cases: list[tuple[str, Event, str, int]], endpoint: str, results: Cases, first: int
) -> None:
    struck: list[Struck] = [
        strike(event, f"w{i}-{number}", 1000 + i, AT_S + i / WEARERS, LASTS_S)
        for number, (_, event, _, i) in enumerate(cases, start=first)
    ]
    paces = [PACES[pace] for _, _, pace, _ in cases]
    for (name, event, _, _), one, board in zip(
        cases, struck, play([one.record for one in struck], paces, endpoint), strict=True
    ):
        arrivals = [
            arrival - (board.began or 0.0)
            for alarm, arrival in board.raised
            if alarm.kind in event.kinds and alarm.at is not None and alarm.at >= one.at
        ]
        before = [alarm.kind for alarm, _ in board.raised if alarm.at and alarm.at < one.at]
        results[name] = {
            "from_last": arrivals[0] - one.at / RATE if arrivals else None,
            "from_first": arrivals[0] - one.first / RATE if arrivals else None,
            "before": before,
            "load": os.getloadavg()[0],
        }


def _figures(event: Event, results: Cases) -> dict[str, Any]:
    found: dict[str, Any] = {
        "event": event.name,
        "kind": event.kinds[0],
        "target_s": event.target_s,
        "from": "first" if event.origin else "last",
    }
    for pace in PACES:
        all_ = [results[f"{event.name}/{pace}/{i}"] for i in range(WEARERS)]
        one: dict[str, Any] = {"missed": sum(each["from_last"] is None for each in all_)}
        for origin in ("from_first", "from_last"):
            values = [each[origin] for each in all_ if each[origin] is not None]
            if values:
                one[origin] = [round(float(v), 2) for v in np.percentile(values, [50, 95, 100])]
        found[pace] = one
    return found


def page(result: dict[str, Any]) -> str:
    """Return the part of the page."""
    rows = []
    for one in result["events"]:
        origin = f"from_{one['from']}"
        cells, worst = [], 0.0
        for pace in PACES:
            figures = one[pace]
            missed = f", {figures['missed']} never" if figures["missed"] else ""
            cells.append(" / ".join(f"{v:.2f}" for v in figures.get(origin, [])) + missed)
            worst = max(worst, float("inf") if figures["missed"] else figures[origin][2])
        target = "-" if one["target_s"] is None else f"{one['target_s']:.0f} s"
        met = (
            "-" if one["target_s"] is None else "met" if worst <= one["target_s"] else "**missed**"
        )
        other = one["0.1 s frames"].get("from_last", [])
        last = " / ".join(f"{v:.2f}" for v in other) if one["from"] == "first" else ""
        rows.append(
            f"| {one['event']} | {one['kind']} | {' | '.join(cells)} | {target} | {met} | {last} |"
        )
    before = ", ".join(f"{kind} {n}" for kind, n in result["before"].items()) or "none"
    wearers = len(EVENTS) * len(PACES) * result["wearers"]
    return f"""
## How soon

The time from an event to its alarm, in seconds: median / 95th percentile / worst. *Met* compares
the target with the worst of both ways of sending.

| event | alarm | {" | ".join(PACES)} | target | result | from the last beat before |
|---|---|---:|---:|---:|---|---:|
{chr(10).join(rows)}

- **Set-up.** `ecgmon serve` runs in its own process with capture and the model *simulated*.
  {result["at_once"]} simulated wearers at once send in real time, {result["wearers"]} for each row
  and way of sending. Each has another seed and the event at another part of a second.
- **Start of the time**: the instant at which the sample was measured, so the wait for a frame or
  a burst is included. *Asystole* counts from the last beat; a rate from the first beat at the new
  rate, and in the last column from the last beat before; *abnormal* from the first abnormal beat.
- **End of the time**: the published alarm reaches a viewer.
- **Why *abnormal* and *noisy* take longer.** *Abnormal* needs 3 abnormal seconds of 10, and the
  model looks half a second ahead. *Noisy* needs 5 noisy seconds of 10.
- **False alarms before the event**, in {AT_S:.0f} s of plain rhythm of {wearers} wearers: {before}.
- **Machine.** {result["cores"]} cores; load average {" to ".join(map(str, result["load"]))}.
"""
