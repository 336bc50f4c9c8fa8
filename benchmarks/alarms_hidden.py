"""Effect of recorded noise on events that happen in it: alarmed, hidden, or missed."""

from collections import Counter
from typing import Any, Final

from alarms_decided import Cases, case_name, chunks
from alarms_ward import FULL_SPEED, Board, monitor, play
from alarms_wearers import (
    NOISES,
    RUN_PER_MIN,
    SNR_DB,
    Event,
    Noise,
    bigeminy,
    faster,
    runs,
    still,
    strike,
)

from ecgmon.core.constants import RATE
from ecgmon.records import Record

WEARERS: Final = 8
"""Simulated wearers of each event, noise and ratio."""
NOISE_S: Final = 15.0
"""The noise begins at this second of the record."""
AT_S: Final = 30.0
"""The event begins at this second; for each further wearer a fraction of a second later."""
AFTER_S: Final = 15.0
"""Seconds of the record after the event."""
LATE_S: Final = 5
"""An alarm within this many seconds after an event is its alarm."""
AT_ONCE: Final = 24
"""Wearers that are played together."""
PIECE: Final = 180 * RATE
"""Samples of noise from one wearer's piece to the next one's."""
BLIND: Final = ("noisy", "no-signal")
"""Alarms that report that the signal cannot be judged."""
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
    """Return what decides the figures."""
    return {
        "noise, s": NOISE_S,
        "event, s": [AT_S, AFTER_S, LATE_S],
        "lasting, s": {event.name: seconds for event, seconds in EVENTS.items()},
        "piece, samples": PIECE,
        "blind": BLIND,
    }


def run(results: Cases, noises: dict[str, Noise]) -> dict[str, Counter[str]]:
    """Play the cases without a stored result; count the outcomes by event, noise and ratio."""
    cases = [
        (event, noise, snr, i)
        for snr in SNR_DB
        for noise in NOISES
        for event in EVENTS
        for i in range(WEARERS)
    ]
    missing = [case for case in cases if case_name(case[0].name, *case[1:]) not in results]
    with monitor("--model", "simulated", "--capture", "0") as endpoint:
        for chunk in chunks(missing, AT_ONCE):
            struck = [_hidden(event, noises[noise], snr, i) for event, noise, snr, i in chunk]
            played = play([one for one, _ in struck], [FULL_SPEED] * len(struck), endpoint)
            for (event, *rest), (_, at), board in zip(chunk, struck, played, strict=True):
                results[case_name(event.name, *rest)] = _outcome(event, at, board)
    return {
        f"{event.name}/{noise}/{snr}": Counter(
            results[case_name(event.name, noise, snr, i)] for i in range(WEARERS)
        )
        for event in EVENTS
        for noise in NOISES
        for snr in SNR_DB
    }


def _hidden(event: Event, noise: Noise, snr: int, i: int) -> tuple[Record, int]:
    """Return a wearer whose event happens in noise, and the event's sample."""
    wearer = f"{event.name.replace(' ', '-')}-{noise.name}.{snr}.{i}"
    struck = strike(event, wearer, 2000 + i, AT_S + i / WEARERS, EVENTS[event], AFTER_S)
    record = struck.record
    span = (round(NOISE_S * RATE), len(record.samples))
    return noise.over(record, snr, [span], at=i * PIECE), struck.at


def _outcome(event: Event, at: int, board: Board) -> str:
    """Return the outcome of an event: *raised*, *stood*, *blind* or *missed*, as on the page."""
    end = at + round(EVENTS[event] * RATE)
    raised = [a.at for a, _ in board.raised if a.kind in event.kinds and a.at is not None]
    if any(at <= one <= end + LATE_S * RATE for one in raised):
        return "raised"
    if any(_was_active(board, kind, at, end) for kind in event.kinds):
        return "stood"
    return "blind" if any(_was_active(board, kind, at, end) for kind in BLIND) else "missed"


def _was_active(board: Board, kind: str, start: int, stop: int) -> bool:
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
    events = "\n".join(
        f"| {event.name} | {noise} | "
        + " | ".join(_cell(result[f"{event.name}/{noise}/{snr}"]) for snr in SNR_DB)
        + " |"
        for event in EVENTS
        for noise in NOISES
    )
    lasting = ", ".join(f"{event.name} for {seconds:.0f} s" for event, seconds in EVENTS.items())
    return f"""\
The second table hides events in noise: {WEARERS} simulated wearers in each cell, with noise from
{AT_S - NOISE_S:.0f} s before the event to the end; {lasting}. *a + b + c* counts wearers: for a,
the alarm was raised during the event or within {LATE_S} s of its end; for b, it was active
already, raised by the noise; for c, only *noisy* or *no-signal* was active. **Missed** are the
other wearers. Ventricular tachycardia, at {RUN_PER_MIN}/min, counts with a high rate or
*abnormal*.

| event | noise | {" | ".join(f"{snr} dB" for snr in SNR_DB)} |
|---|---|{"---:|" * len(SNR_DB)}
{events}
"""


def _cell(outcomes: dict[str, int]) -> str:
    missed = outcomes.get("missed", 0)
    text = " + ".join(str(outcomes.get(one, 0)) for one in ("raised", "stood", "blind"))
    return f"{text}, **{missed} missed**" if missed else text
