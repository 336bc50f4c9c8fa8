"""The figures of totals, by the names that JSON documents."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final, get_args

from ecgmon.core.constants import RATE
from ecgmon.core.labels import BeatClass
from ecgmon.holter.totals import (
    SUPRAVENTRICULAR,
    VENTRICULAR,
    BeatTotals,
    EctopicRuns,
    Episodes,
    HeartRate,
    HourTotals,
)

CLASSES: Final[tuple[BeatClass, ...]] = get_args(BeatClass)
Figures = dict[str, Any]
HourName = Callable[[int], str]
"""Gives the beginning of an hour, by its number."""


def of_stream(hour: int) -> str:
    """Return the beginning of an hour of a stream, as ``h:mm``."""
    return f"{hour}:00"


def figures(totals: BeatTotals, hour_name: HourName) -> Figures:
    """Return all figures. Shares are of all beats; counts per hour are of the time analysed."""
    return {
        "beats": totals.classes.total(),
        "classes": {name: _counted(totals, (name,)) for name in CLASSES},
        "ventricular": _counted(totals, VENTRICULAR) | _runs(totals.ventricular),
        "supraventricular": _counted(totals, SUPRAVENTRICULAR) | _runs(totals.supraventricular),
        "bigeminy": _episodes(totals.bigeminy),
        "trigeminy": _episodes(totals.trigeminy),
        "atrial_fibrillation": _episodes(totals.fibrillation)
        | {"burden": None if totals.burden is None else round(totals.burden, 6)},
        "r_on_t": totals.r_on_t,
        "pauses": totals.pauses,
        "longest_rr_s": round(totals.longest_rr / RATE, 3) if totals.longest_rr else None,
        "heart_rate": _rate(totals.rate),
        "analysed_s": round(totals.rate.analysed_s, 3),
        "signal_s": totals.state_s("signal"),
        "noisy_s": totals.state_s("noisy"),
        "absent_s": totals.state_s("absent"),
        "missing_s": round(totals.missing / RATE, 3),
        "withdrawn": totals.withdrawn,
        "hours": [_hour(hour_name(number), hour) for number, hour in sorted(totals.hours.items())],
    }


def _hour(name: str, hour: HourTotals) -> Figures:
    return {
        "hour": name,
        "beats": hour.classes.total(),
        "ventricular": _count(hour.classes, VENTRICULAR),
        "supraventricular": _count(hour.classes, SUPRAVENTRICULAR),
        "heart_rate": _rate(hour.rate),
        "analysed_s": round(hour.rate.analysed_s, 3),
    }


def _count(classes: Counter[BeatClass], names: tuple[BeatClass, ...]) -> int:
    return sum(classes[name] for name in names)


def _counted(totals: BeatTotals, names: tuple[BeatClass, ...]) -> Figures:
    count, beats = _count(totals.classes, names), totals.classes.total()
    hours = totals.rate.analysed_s / 3600
    return {
        "beats": count,
        "share": round(count / beats, 6) if beats else None,
        "per_hour": round(count / hours, 1) if hours else None,
    }


def _runs(runs: EctopicRuns) -> Figures:
    return {
        "couplets": runs.couplets,
        "runs": runs.runs,
        "run_beats": runs.beats,
        "longest_run": runs.longest,
        "fastest_run": _rounded(runs.fastest),
    }


def _episodes(total: Episodes) -> Figures:
    return {"episodes": total.episodes, "seconds": round(total.samples / RATE, 3)}


def _rate(rate: HeartRate) -> Figures:
    return {
        "slowest": _rounded(rate.slowest),
        "mean": _rounded(rate.mean),
        "fastest": _rounded(rate.fastest),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
