"""A record read, judged and summed up, as one would in a notebook: cell by cell.

    python examples/notebook.py [RECORD]

Without a record, a simulated wearer with premature beats is judged.
"""

# %% Read a record, or simulate one
import sys

import numpy as np

import ecgmon

if len(sys.argv) > 1:
    record = ecgmon.read_record(sys.argv[1])
else:
    from replay.simulator.simulation import simulate

    record = simulate("premature").record
print(f"{record.name}: lead {record.lead}, {len(record.samples) / 360:.0f} s")

# %% Judge it with the model that comes with ecgmon
model = ecgmon.load_model("generic")
verdicts = ecgmon.judge_record(record, model)

# %% Sum up
judged = np.isfinite(verdicts.probability)
print(f"{judged.sum()} of {len(judged)} seconds judged by {model.card.name}")
print(f"{verdicts.abnormal.sum()} of them abnormal (threshold {model.card.threshold:.2f})")
print(f"median heart rate {np.nanmedian(verdicts.heart_rate):.0f}/min")
beats = ecgmon.detect_beats(record.millivolts())
print(f"{len(beats)} beats found")
