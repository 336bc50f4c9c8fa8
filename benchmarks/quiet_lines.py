"""Alarms of slow and stopped hearts on quiet lines: writes the table of docs/alarms.md.

Run by ``python benchmarks/quiet_lines.py``: some minutes.
"""

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import RATE
from ecgmon.signal import Geometry, SignalChain
from monitor.alarms.conditions.condition_set import WearerConditions

PAGE: Final = Path(__file__).parents[1] / "docs" / "alarms.md"
BEGIN: Final = "<!-- benchmarks/quiet_lines.py -->\n"
END: Final = "<!-- end -->\n"
STEP_MV: Final = 0.001
NOISE_UV: Final = (0, 1, 2, 5, 10, 20, 50)
PER_MINUTE: Final = (0, 5, 10, 20, 30, 45, 60)
MILLIVOLTS: Final = (0.2, 0.5, 1.0, 2.0)
BEFORE_S: Final = 30
"""Seconds at 75/min before the heart is slow."""
AFTER_S: Final = 40
WAVES: Final = ((0.12, -0.18, 0.025), (-0.1, -0.03, 0.01), (1, 0, 0.011), (-0.2, 0.03, 0.01))
T_WAVE: Final = (0.3, 0.28, 0.05)
"""Height in R waves, delay and width in s of P, Q, R, S and T, all bells."""
SHORT: Final = {
    "asystole": "A",
    "flat-line": "F",
    "extreme-low-rate": "E",
    "low-rate": "L",
    "no-signal": "off",
    "noisy": "noisy",
}


def slow(per_minute: int, millivolts: float, noise_uv: float) -> NDArray[np.float64]:
    """Return the ECG in mV of a heart at 75/min that turns slow, or stops at 0/min."""
    n = (BEFORE_S + AFTER_S) * RATE
    at = np.arange(n) / RATE
    beats = np.arange(0.5, BEFORE_S - 0.5, 0.8)
    if per_minute:
        later = np.arange(beats[-1] + 60 / per_minute, BEFORE_S + AFTER_S, 60 / per_minute)
        beats = np.concatenate([beats, later])
    x = np.zeros(n)
    for beat, (height, delay, width) in product(beats, (*WAVES, T_WAVE)):
        x += millivolts * height * np.exp(-(((at - beat - delay) / width) ** 2) / 2)
    x += noise_uv / 1000 * np.random.default_rng(7).standard_normal(n)
    counted: NDArray[np.float64] = np.rint(x / STEP_MV) * STEP_MV
    return counted


def raised(lines: Sequence[NDArray[np.float64]]) -> list[list[str]]:
    """Return the kinds that each of some lines raises, in the order in which it does."""
    rows = np.arange(len(lines), dtype=np.intp)
    chain = SignalChain(Geometry(0, 0, 120), len(lines))
    conditions = [WearerConditions(AlarmLimits()) for _ in lines]
    raised_kinds: list[list[str]] = [[] for _ in lines]
    for second in chain.push(rows, np.stack(lines), np.full(len(lines), STEP_MV)).seconds:
        for change in conditions[second.row].second(second):
            if change.holds and change.kind not in raised_kinds[second.row]:
                raised_kinds[second.row].append(change.kind)
    return raised_kinds


def main() -> None:
    """Fill in the table."""
    text = ""
    for millivolts in MILLIVOLTS:
        cells = list(product(PER_MINUTE, NOISE_UV))
        raised_kinds = raised([slow(rate, millivolts, noise) for rate, noise in cells])
        of = dict(zip(cells, raised_kinds, strict=True))
        text += f"\nR wave of {millivolts:g} mV:\n\n| rate | "
        text += " | ".join(f"{noise} uV" for noise in NOISE_UV) + " |\n"
        text += "|---|" + "---|" * len(NOISE_UV) + "\n"
        for rate in PER_MINUTE:
            row = [" ".join(SHORT.get(k, k) for k in of[rate, noise]) for noise in NOISE_UV]
            text += f"| {rate}/min | " + " | ".join(row) + " |\n"
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    PAGE.write_text(before + BEGIN + text + "\n" + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
