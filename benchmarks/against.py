"""Measures the signal chain of this build and of another commit in turns, in one run.

Run by ``make bench-against BASE=commit``: the commit is checked out into a temporary folder, and
`benchmarks/signal_chain.py` of this checkout runs for both builds, seed by seed, so that a change
of the machine's speed meets both. Writes docs/results/signal-chain.md.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measurements import git
from signal_chain import FRAMES, SECONDS, SEEDS, TICK, WEARERS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "results" / "signal-chain.md"
ROUNDS = 2
"""Each seed is measured this many times for each build."""
SIGNALS = ("ECG", "noise")

Costs = dict[str, list[float]]


def measure(build: Path, seed: int) -> dict[str, float]:
    """Measure a build with one seed, in a process of its own."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, ROOT / "benchmarks" / "signal_chain.py", str(seed)],
        cwd=build,
        env=os.environ | {"PYTHONPATH": str(build), "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    return {name: cost["median"] for name, cost in json.loads(done.stdout).items()}


def spread(values: list[float]) -> str:
    """Return the median and the range as text."""
    digits = 2 if max(values) < 10 else 0
    low, middle, high = (
        f"{value:,.{digits}f}" for value in (min(values), statistics.median(values), max(values))
    )
    return f"{middle} ({low} to {high})"


def ratios(one: list[float], other: list[float]) -> list[float]:
    """Return the ratio in each round."""
    return [a / b for a, b in zip(one, other, strict=True)]


def targets(base: Costs, here: Costs) -> list[tuple[str, float, list[float]]]:
    """Return each target, the largest ratio that meets it, and the ratios measured."""
    rows = []
    for signal in SIGNALS:
        step, out = f"{signal}, in step", f"{signal}, out of step"
        rows += [
            (f"{signal}: out of step over in step", 1.3, ratios(here[out], here[step])),
            (f"{signal}: in step, over the base", 1.0, ratios(here[step], base[step])),
            (f"{signal}: out of step, over the base", 0.1, ratios(here[out], base[out])),
        ]
    return rows


def page(name: str, base: Costs, here: Costs) -> str:
    """Return the page."""
    met = "\n".join(
        f"| {what} | at most {most:g} | {spread(measured)} | "
        f"{'met' if statistics.median(measured) <= most else '**missed**'} |"
        for what, most, measured in targets(base, here)
    )
    costs = "\n".join(
        f"| {what} | {spread(base[what])} | {spread(here[what])} | "
        f"{spread(ratios(base[what], here[what]))} |"
        for what in base
    )
    frames, seeds = (", ".join(map(str, values)) for values in (FRAMES, SEEDS))
    return f"""# What the signal chain costs

CPU time of the signal chain for wearers in step and out of step, compared with {name}: real wearers
are out of step, and one core must serve hundreds.

    make bench-against BASE={name}

| ratio | target | measured | result |
|---|---|---|---|
{met}

CPU microseconds for a second of one wearer's signal, or for one window of one wearer:

| | {name} | this build | times cheaper |
|---|---|---|---|
{costs}

- **Runs**: both builds in turns in one run, seeds {seeds}, {ROUNDS} rounds each; median (smallest
  to largest). Load of the machine, by all users: {os.getloadavg()[1]:.1f} on {os.cpu_count()}
  cores.
- **Signal**: {WEARERS} wearers, {SECONDS} s each after one to warm up, pushed every {TICK}
  samples, as the monitor does.
- *In step*: all start at sample 0, with frames of {TICK} samples. *Out of step*: starts uniform
  over 0 to 359 samples, frames of {frames} samples mixed. *One by one*: in step, one call for
  each wearer, for a tenth of the wearers. *Models*: each wearer has its own model, and only the
  bookkeeping is counted.
"""


def main() -> None:
    """Measure both builds and write the page."""
    name = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "base"
        git("worktree", "add", "--detach", str(other), name)
        try:
            runs = [
                (measure(other, seed), measure(ROOT, seed)) for _ in range(ROUNDS) for seed in SEEDS
            ]
        finally:
            git("worktree", "remove", "--force", str(other))
    base, here = ({what: [run[i][what] for run in runs] for what in runs[0][i]} for i in (0, 1))
    PAGE.write_text(page(name, base, here))
    sys.stdout.write(PAGE.read_text())


if __name__ == "__main__":
    main()
