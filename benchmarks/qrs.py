"""The beat detector against the experts' beats of MIT-BIH: writes docs/results/qrs.md.

Run by ``make qrs``: seconds.
"""

from collections.abc import Iterable
from functools import reduce
from operator import add
from pathlib import Path

from ecgmon.core.constants import RATE
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from ecgmon.signal.qrs import CONFIRMED_AFTER
from trainer.data.protocols import DS1, DS2, NON_PACED, PACED
from trainer.evaluation.qrs import DetectionCounts, evaluate

PAGE = Path(__file__).parents[1] / "docs" / "results" / "qrs.md"
HEAD = f"""# Beats found

Recomputed by `make qrs`. The monitor's detector over lead II of the MIT-BIH Arrhythmia Database, as
AAMI EC57 compares beats: the first five minutes do not count, a beat is found if one is told within
150 ms of it, and {", ".join(PACED)}, which are paced, are left out. So are the episodes of
ventricular flutter of 207: their waves are not annotated as beats, and the standard compares none
there. A beat is told {CONFIRMED_AFTER / RATE:.3f} s after it happened, and never taken back.

What the detector is made of was chosen by its figures on DS1 of de Chazal et al. (2004).

| | beats | missed | false | sensitivity | positive predictive value |
|---|---:|---:|---:|---:|---:|
"""
PUBLISHED = """| published detectors | | | | 99.76 % | 99.79 % |
| | | | | 99.73 % | 99.70 % |
"""


def row(name: str, counts: DetectionCounts) -> str:
    """Return a row of the tables."""
    return (
        f"| {name} | {counts.beats:,} | {counts.missed} | {counts.false} "
        f"| {100 * counts.sensitivity:.2f} % | {100 * counts.ppv:.2f} % |\n"
    )


def total(counts: dict[str, DetectionCounts], names: Iterable[str]) -> DetectionCounts:
    """Return the counts of several records together."""
    return reduce(add, (counts[name] for name in names))


if __name__ == "__main__":
    counts = {name: evaluate(read(obtain(f"mitdb/{name}"))) for name in NON_PACED}
    gross = [("**all 44**", NON_PACED), ("DS1", DS1), ("DS2", DS2)]
    PAGE.write_text(
        HEAD
        + "".join(row(name, total(counts, which)) for name, which in gross)
        + PUBLISHED
        + "\n"
        + HEAD[HEAD.index("| | beats") :].replace("| |", "| record |", 1)
        + "".join(row(name, counts[name]) for name in NON_PACED)
    )
