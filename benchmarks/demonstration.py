"""Figures of the built-in models on the wearers held out of them: docs/results/demonstration.md.

Run by ``make demonstration``. Every row is a replay through the real monitor, over its sockets.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from trainer.data.splits import ENROLMENT_S, HELD_OUT

PAGE = Path(__file__).parents[1] / "docs" / "results" / "demonstration.md"
HEAD = """# The built-in models on wearers they never saw

How well the built-in models judge wearers who were held out of them, in replays through the
monitor: this is what a new user sees first.

    make demonstration

| record | model | balanced accuracy | F1 | sensitivity | PPV | false alarms / h |
|---|---|---:|---:|---:|---:|---:|
"""
TAIL = f"""
- **Replay**: each row plays a record of the MIT-BIH Arrhythmia Database at full speed. Scored are
  the labelled seconds after minute {ENROLMENT_S // 60} (*abnormal*: any beat other than `N`). A
  dash means that the record lacks one of the two classes.
- **Generic model**: it never saw these eight wearers, neither in training nor in the choice of
  epoch and threshold.
- **203's own model** is the generic one fine-tuned on the first five minutes of 203. How it is
  fine-tuned was chosen on other wearers.
- **Why there is enrolment**: the generic model fails on some strangers. What is normal for one
  wearer looks abnormal in another, and the label counts a constant bundle branch block as
  abnormal.
"""


def replay(record: str, model: str) -> dict[str, Any]:
    """Replay a record through the monitor and return its figures."""
    command = [
        str(Path(sys.executable).with_name("ecgmon")),
        *("replay", record, "--model", model, "--speed", "max", "--json", "-"),
        *("--score-from", str(ENROLMENT_S)),
    ]
    done = subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own program
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def row(record: str, model: str) -> str:
    """Return the table's row for a record and a model."""
    result = replay(record, model)
    names = ("balanced_accuracy", "f1", "sensitivity", "ppv")
    figures = ["-" if result[name] is None else f"{result[name]:.3f}" for name in names]
    alarms = f"{result['false_alarms_per_hour']:.1f}"
    return f"| {record} | {result['model']} | {' | '.join([*figures, alarms])} |\n"


if __name__ == "__main__":
    rows = [row(record, "generic") for record in HELD_OUT]
    rows.append(row("203", "203"))
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(HEAD + "".join(rows) + TAIL)
