"""Benchmark of alarms: latency, false alarms and the effect of noise; docs/results/alarms.md.

    make alarms                           # all of it: about half an hour
    python benchmarks/alarms.py soon      # in real time: on a machine that does nothing else
    python benchmarks/alarms.py false noise
    python benchmarks/alarms.py page      # nothing but the page

An interrupted run goes on where it stopped. The page keeps the last results of parts not run.
"""

import argparse
import json
from datetime import UTC, datetime

import alarms_false
import alarms_noise
import alarms_soon
from alarms_decided import Cases, git
from alarms_ward import ROOT

PARTS = {"soon": alarms_soon, "false": alarms_false, "noise": alarms_noise}
PAGE = ROOT / "docs" / "results" / "alarms.md"
HEAD = """# Alarms

How soon alarms are raised, how many are false and what noise changes: a monitor must raise its
alarms in time, and not too often. Everything is measured through the sockets of a running monitor
with its default limits. Figures of each record are in [alarms.json](alarms.json).

    make alarms
"""


def main() -> None:
    """Run the parts asked for and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", choices=[*PARTS, "page"], default=[*PARTS])
    given = parser.parse_args()
    file = PAGE.with_suffix(".json")
    for part in (part for part in given.parts if part in PARTS):
        done = PARTS[part].run(Cases(part, PARTS[part].decided_by()))
        results = json.loads(file.read_text()) if file.is_file() else {}
        results[part] = done | {
            "commit": git("rev-parse", "--short", "HEAD"),
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
        }
        file.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    results = json.loads(file.read_text())
    text = HEAD
    for part, module in PARTS.items():
        if part in results:
            result = results[part]
            text += module.page(result) + f"\nAt commit {result['commit']}, {result['date']}.\n"
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
