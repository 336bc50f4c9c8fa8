"""What was wanted of the monitor's cost, delay and memory, beside what was measured."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from capacity import MOST_MS

TIMES_CHEAPER: Final = 10.0
"""So many times less CPU time than the other build."""
AROUND_TIMES: Final = 3.0
AROUND_US: Final = 150.0
"""All but inference costs at most so many times inference, and at most so many microseconds."""
MOST_WEARERS: Final = {"mixed": 2000, "bursts": 4000}
"""At least so many wearers on one core, by kind of frames."""
TIMES_OTHERS: Final = {"NeuroKit2, live": 50.0, "sosfilt and ONNX Runtime": 5.0}
"""So many times less CPU time than these ways."""
WORKERS_WORK: Final = 0.9
"""Least work for a second of CPU time with two workers, in parts of that of one process."""
READY_S: Final = 1.2
ONE_MB: Final = 100.0
FURTHER_MB: Final = 0.3
"""Longest time to be ready, most memory with one wearer, and of each further one."""
Found = Mapping[str, Any]


def spread(values: Sequence[float], digits: int | None = None) -> str:
    """Return median, lowest and highest as text."""
    shown = (1 if max(values) < 100 else 0) if digits is None else digits
    median, low, high = (f"{value:,.{shown}f}" for value in values)
    return f"{median} ({low} to {high})"


def row(what: str, wanted: str, got: str, *, is_met: bool) -> list[str]:
    """Return a row of a table of targets."""
    return [what, wanted, got, "met" if is_met else "**missed**"]


def of_builds(found: Found) -> list[list[str]]:
    """Return the targets of a comparison of builds."""
    rows = []
    for wearers, each in found["wearers"].items():
        cheaper = each["ratio"]["all"]
        late = max(one.get("p99", float("inf")) for one in each["latency"]["here"])
        rows += [
            row(
                f"CPU time of a wearer-second, {wearers} wearers, times less than {found['base']}",
                f"at least {TIMES_CHEAPER:g}",
                spread(cheaper),
                is_met=cheaper[0] >= TIMES_CHEAPER,
            ),
            row(
                f"p99 of the delay of verdicts, {wearers} wearers, worst round, ms",
                f"below {MOST_MS:g}",
                f"{late:,.1f}",
                is_met=late < MOST_MS,
            ),
        ]
    return rows


def of_capacity(most: Mapping[str, int]) -> list[list[str]]:
    """Return the targets of how many wearers one core serves; of 0 nothing is confirmed."""
    return [
        row(
            f"wearers, {kind}",
            f"{MOST_WEARERS[kind]:,}",
            f"{n:,}" if n else "none confirmed",
            is_met=n >= MOST_WEARERS[kind],
        )
        for kind, n in most.items()
    ]


def of_workers(found: Found) -> list[list[str]]:
    """Return the target of what two workers do for a second of CPU time."""
    return [
        row(
            f"work for a second of CPU time, {wearers} wearers, in parts of one process's",
            f"at least {WORKERS_WORK:g}",
            spread(each["work"], 2),
            is_met=each["work"][0] >= WORKERS_WORK,
        )
        for wearers, each in found["wearers"].items()
    ]


def of_stages(inference: float, around: float) -> list[list[str]]:
    """Return the target of what is not inference, in microseconds for a wearer-second."""
    most = min(AROUND_TIMES * inference, AROUND_US)
    got, is_met = f"{around:,.0f}", around <= most
    return [row("all but inference, us", f"at most {most:,.0f}", got, is_met=is_met)]


def of_ways(costs: Mapping[str, Sequence[float]], ours: float) -> list[list[str]]:
    """Return the targets of other ways of doing it, against what a wearer-second costs here."""
    return [
        row(
            f"times cheaper than {name}",
            f"at least {times:g}",
            f"{costs[name][0] / ours:,.1f}",
            is_met=costs[name][0] >= times * ours,
        )
        for name, times in TIMES_OTHERS.items()
        if name in costs
    ]


def of_size(found: Found) -> list[list[str]]:
    """Return the targets of memory and start."""
    rounds = [each for each in found["rounds"] if "error" not in each]
    first, last = rounds[0], rounds[-1]
    ready = found["ready_s"]
    rows = [
        row("ready, s", f"below {READY_S:g}", spread(ready, 2), is_met=ready[0] < READY_S),
        row(
            f"memory with {first['wearers']:,}, MB",
            f"below {ONE_MB:g}",
            f"{first['pss_mb']:,.1f}",
            is_met=first["pss_mb"] < ONE_MB,
        ),
    ]
    if (more := last["wearers"] - first["wearers"]) > 0:
        each_mb = (last["pss_mb"] - first["pss_mb"]) / more
        rows.append(
            row(
                f"memory of each further one up to {last['wearers']:,}, MB",
                f"below {FURTHER_MB:g}",
                f"{each_mb:.2f}",
                is_met=each_mb < FURTHER_MB,
            )
        )
    return rows
