"""Events hidden in recorded noise, and which alarms were active meanwhile."""

from typing import Final

from alarms_ward import Board
from alarms_wearers import Event, Noise, bigeminy, faster, runs, still, strike

from ecgmon.core.constants import RATE
from ecgmon.records import Record

WEARERS: Final = 8
"""Of each event, noise and ratio."""
NOISE_S: Final = 15.0
AT_S: Final = 30.0
AFTER_S: Final = 15.0
LATE_S: Final = 5
"""An alarm so soon after an event is its alarm."""
PIECE: Final = 180 * RATE
"""Each hidden event gets another piece of the noise."""
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


def hidden(event: Event, noise: Noise, snr: int, i: int) -> tuple[Record, int]:
    """Return a wearer whose event happens in noise, and its sample."""
    wearer = f"{event.name.replace(' ', '-')}-{noise.name}.{snr}.{i}"
    struck = strike(event, wearer, 2000 + i, AT_S + i / WEARERS, EVENTS[event], AFTER_S)
    record = struck.record
    span = (round(NOISE_S * RATE), len(record.samples))
    return noise.over(record, snr, [span], at=i * PIECE), struck.at


def outcome(event: Event, at: int, board: Board) -> str:
    """Return whether an event's alarm was raised, stood before, is hidden by noise or missed."""
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
