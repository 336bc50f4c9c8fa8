"""CPU time of the monitor with and without models of rhythms: docs/results/rhythm-costs.md.

Run by ``make rhythm-costs``, as `beat_costs`: two monitors take the same frames in turns.
"""

import os
import statistics
from pathlib import Path
from typing import Final

from beat_costs import BATCH, BUILT_IN, ROOT, Bench, each, of_model, of_monitor, spread, verdict

from ecgmon.models.atrial_bundle import AtrialModel
from ecgmon.models.rhythm_bundle import RhythmModel
from ecgmon.signal import Geometry, SignalChain
from ecgmon.signal.atrial_segments import ATRIAL_SHAPE, EVERY_S, AtrialBeats
from ecgmon.signal.geometry import RHYTHM

PAGE: Final = ROOT / "docs" / "results" / "rhythm-costs.md"
RHYTHMS, ATRIAL = BUILT_IN / "rhythms.onnx", BUILT_IN / "atrial.onnx"


def size(path: Path) -> str:
    """Return the size of a bundle in kB, and whether it is within its target."""
    kilobytes = path.stat().st_size / 1000
    return f"{kilobytes:.0f} | {verdict(kilobytes, 1000)}"


def page() -> str:
    """Measure, and return the page."""
    before, after, _ = of_monitor(Bench(), Bench(rhythms=RHYTHMS, atrial=ATRIAL))
    second = of_model(RhythmModel.load(RHYTHMS), (RHYTHM.inputs,))
    beats = [one / EVERY_S for one in of_model(AtrialModel.load(ATRIAL), ATRIAL_SHAPE)]
    both = each(lambda a, b: a + b, second, beats)
    row = len(SignalChain(Geometry(3, 0.5, 120), 1).state(0))
    kept = len(AtrialBeats(1).state(0))
    return f"""# What rhythms cost

CPU time of a wearer-second with and without the two models of rhythms, and their size.

    make rhythm-costs

| | target | measured | result |
|---|---:|---:|---|
| both models alone, batches of {BATCH}, one thread, us a wearer-second | 60 | {spread(both, 1)} | \
{verdict(statistics.median(both), 60)} |
| bundle of ventricular rhythms, kB | 1,000 | {size(RHYTHMS)} |
| bundle of atrial rhythms, kB | 1,000 | {size(ATRIAL)} |

| CPU microseconds for a second of one wearer | |
|---|---:|
| the model of ventricular rhythms alone | {spread(second, 1)} |
| that of atrial rhythms alone, asked every {EVERY_S} s | {spread(beats, 1)} |
| monitor without models of rhythms | {spread(before)} |
| with both | {spread(after)} |
| the second over the first | {spread(each(lambda a, b: b / a, before, after), 2)} |
| difference | {spread(each(lambda a, b: b - a, before, after))} |

- **Path**, **signal** and **runs** are those of [beat-costs](beat-costs.md). The inputs are cut in
  both monitors: the difference is that of the models and of what follows from their verdicts.
- **Memory**: the state of a row of the signal chain has {row:,} bytes, {kept:,} of them the beats
  that a model of atrial rhythms sees. Weights are shared by all wearers.
- Load of the machine, by all users: {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores.
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
