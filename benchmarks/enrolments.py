"""Plays every wearer through the running monitor with the model of every enrolment method.

Run by ``make enrolment-replays`` after ``ecgmon evaluate --protocol enrolment``, whose models lie
in ``runs``. The monitor's verdicts on the seconds after the enrolment must equal those that the
protocol's page counts; docs/results/enrolment/replayed.json lists the differences. Replays of
models in that file are not run again.
"""

import hashlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Final

from ecgmon.terminal.progress import long_work
from trainer.data.protocol_splits import wearer_folds
from trainer.data.splits import ENROLMENT_S
from trainer.evaluation.enrolment import WAYS, model_path

OUT: Final = Path("docs/results/enrolment")
KEPT: Final = OUT / "replayed.json"
COUNTS: Final = ("tp", "fp", "tn", "fn")
WORKERS: Final = 2


def digest(model: Path) -> str:
    """Return by what a model is known again."""
    return hashlib.sha256(model.read_bytes()).hexdigest()[:16]


def replayed(wearer: str, model: Path) -> dict[str, int | str]:
    """Return the counts of a replay, and of which model they are."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and command
        [
            *(sys.executable, "-c", "from ecgmon_cli import main; main()"),
            *("replay", wearer, "--model", str(model), "--score-from", str(ENROLMENT_S)),
            *("--speed", "max", "--no-view", "--json", "-"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(done.stdout[done.stdout.index("{") :])
    if result["samples_sent"] != result["samples_received"]:
        raise RuntimeError(f"samples of {wearer} were lost")
    return {"model": digest(model)} | {name: result[name] for name in COUNTS}


def models() -> dict[str, tuple[str, Path]]:
    """Return the wearer and the model of each replay, by ``wearer/way``."""
    work = max(Path("runs").glob("new-wearer-beatnet-*"), key=lambda path: path.stat().st_mtime)
    found = {}
    for number, fold in enumerate(wearer_folds()):
        generic = work / f"generic-{number}.onnx"
        for wearer in fold.strangers:
            found[f"{wearer}/generic"] = (wearer, generic)
            for way in WAYS:
                own = model_path(work, wearer, way)
                found[f"{wearer}/{way}"] = (wearer, own if own.is_file() else generic)
    return found


def write(counts: dict[str, dict[str, int | str]]) -> list[str]:
    """Write what was counted; return the replays with other counts than the protocol's."""
    expected = json.loads((OUT / "result.json").read_text())["per_wearer"]
    different = []
    for name, each in sorted(counts.items()):
        wearer, _, way = name.partition("/")
        if any(each[n] != expected[wearer][way][n] for n in COUNTS):
            different.append(name)
    text = json.dumps({"different": different, "replays": counts}, indent=1, sort_keys=True)
    new = KEPT.with_suffix(".new")
    new.write_text(text + "\n")
    new.replace(KEPT)
    return different


if __name__ == "__main__":
    counts = json.loads(KEPT.read_text())["replays"] if KEPT.is_file() else {}
    commands = {
        name: each
        for name, each in models().items()
        if counts.get(name, {}).get("model") != digest(each[1])
    }
    with long_work() as bar, ThreadPoolExecutor(WORKERS) as pool:
        task = bar.add_task("Replays", total=len(commands), note="")
        running = {pool.submit(replayed, *each): name for name, each in commands.items()}
        for done in as_completed(running):
            counts[running[done]] = done.result()
            write(counts)
            bar.update(task, advance=1, note=running[done])
    others = write(counts)
    print(f"{len(counts)} replays, {len(others)} with other counts than the protocol's")  # noqa: T201 - its only output
