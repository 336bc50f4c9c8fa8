"""Plays every wearer through the running monitor with every way's model.

Run by ``make enrolment-replays`` after ``ecgmon evaluate --protocol enrolment``, whose models lie
in ``runs``. What the monitor says of the seconds after the enrolment must be what the protocol's
page counts; docs/results/enrolment/replayed.json says where it is not. Replays that it holds are
not run again.
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Final

from ecgmon.cli.progress import long_work
from trainer.evaluation.enrolment import WAYS, model_path
from trainer.protocols import wearer_folds
from trainer.splits import ENROLMENT_S

OUT: Final = Path("docs/results/enrolment")
COUNTS: Final = ("tp", "fp", "tn", "fn")
WORKERS: Final = 2


def replayed(wearer: str, model: Path) -> dict[str, int]:
    """Return the counts of a replay."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and command
        [
            *(sys.executable, "-c", "from ecgmon.cli import main; main()"),
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
    return {name: result[name] for name in COUNTS}


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


if __name__ == "__main__":
    kept = OUT / "replayed.json"
    counts = json.loads(kept.read_text())["replays"] if kept.is_file() else {}
    expected = json.loads((OUT / "result.json").read_text())["per_wearer"]
    wanted = {name: each for name, each in models().items() if name not in counts}
    with long_work() as bar, ThreadPoolExecutor(WORKERS) as pool:
        task = bar.add_task("Replays", total=len(wanted), note="")
        running = {pool.submit(replayed, *each): name for name, each in wanted.items()}
        for done in as_completed(running):
            counts[running[done]] = done.result()
            different = [
                name
                for name, each in sorted(counts.items())
                if any(each[n] != expected[name.split("/")[0]][name.split("/")[1]][n] for n in each)
            ]
            text = json.dumps({"different": different, "replays": counts}, indent=1, sort_keys=True)
            new = kept.with_suffix(".new")
            new.write_text(text + "\n")
            new.replace(kept)
            bar.update(task, advance=1, note=running[done])
    print(f"{len(counts)} replays, {len(different)} with other counts than the protocol's")  # noqa: T201 - its only output
