"""How much enrolment needs: minutes of signal, and judgements one by one.

Run by ``make enrolment-needs`` after ``ecgmon evaluate --protocol enrolment``, whose generic models
lie in ``runs``. Writes docs/results/enrolment-needs.md and, as it goes, the .json beside it; what
that holds is not computed again.
"""

import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
from templated import template

from ecgmon.core.atomic import atomic_write
from ecgmon.core.labels import UNLABELLED
from ecgmon.metrics.two_classes import Confusion
from ecgmon.models.bundle import Model
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from ecgmon.terminal.progress import long_work
from trainer.data import noise, window_people
from trainer.data.dataset import RecordSet
from trainer.data.protocol_splits import NON_PACED, wearer_folds
from trainer.data.splits import ENROLMENT_S, MODEL_SELECTION
from trainer.enrolment.enrol import tuning
from trainer.enrolment.labelled import beat_labels, labelled
from trainer.enrolment.signal import take
from trainer.evaluation.enrolment import EnrolmentTask, review
from trainer.evaluation.figures import mean, pooled
from trainer.evaluation.new_wearer import rehearsed
from trainer.evaluation.outcome import judge
from trainer.networks.window_networks import BeatNet
from trainer.training.build import validated_part

ROOT: Final = Path(__file__).resolve().parents[1]
KEPT: Final = ROOT / "docs" / "results" / "enrolment-needs.json"
SECONDS: Final = (60, 120, ENROLMENT_S)
ANSWERS: Final = tuple(range(31))
FITTED: Final = (1, 2, 3, 5, 10, 20, 30)
"""Numbers of answers after which models are fitted, for the wearers on whom settings are chosen."""
WORKERS: Final = 2
SEED: Final = 1


def needs(task: EnrolmentTask) -> dict[str, Any]:
    """Return what one wearer's enrolments of several lengths and numbers of answers bring."""
    wearer, signal = task.wearer, take(task.record, BeatNet, ENROLMENT_S)
    truth = beat_labels(signal)
    labels = {n: review(task, signal, 0, n) for n in ANSWERS}
    known = {n: (truth != UNLABELLED) & (each != UNLABELLED) for n, each in labels.items()}
    right = {
        str(n): [int((labels[n] == truth)[known[n]].sum()), int((truth != UNLABELLED).sum())]
        for n in ANSWERS
    }

    def fitted(own: RecordSet, seconds: int) -> dict[str, int]:
        method = tuning(task.generic, own, task.rehearsal, SEED, task.noise)
        network = method.fitted(seconds)
        judged = validated_part("", network, wearer, method.threshold, ENROLMENT_S, len(wearer))
        return {name: getattr(judged, name) for name in ("tp", "fp", "tn", "fn")}

    generic = judge(Model.load(task.generic), wearer, ENROLMENT_S).confusion
    counts = {"generic": {name: getattr(generic, name) for name in ("tp", "fp", "tn", "fn")}}
    counts |= {f"{seconds} s": fitted(wearer, seconds) for seconds in SECONDS}
    if wearer.wearer in MODEL_SELECTION:
        for n in FITTED:
            counts[f"{n} answers"] = fitted(labelled(signal, labels[n]), ENROLMENT_S)
    return {"right": right, "counts": counts}


def tasks(done: Callable[[str], None]) -> list[EnrolmentTask]:
    """Return the task of each wearer."""
    work = max(Path("runs").glob("new-wearer-beatnet-*"), key=lambda path: path.stat().st_mtime)
    sets = window_people.load(BeatNet, (), Path("runs/windows"), None, done)
    recordings, found = noise.load(BeatNet.geometry), []
    for number, fold in enumerate(wearer_folds()):
        rehearsal, generic = rehearsed(number, sets), work / f"generic-{number}.onnx"
        found += [
            EnrolmentTask(
                read(obtain(name)), sets[name][0], rehearsal, recordings, generic, SEED, work
            )
            for name in fold.strangers
        ]
    return found


def page(kept: dict[str, Any]) -> str:
    """Return the page."""
    of = {
        what: [
            Confusion(**each["counts"][what]) for each in kept.values() if what in each["counts"]
        ]
        for what in ("generic", *(f"{s} s" for s in SECONDS), *(f"{n} answers" for n in FITTED))
    }
    chosen = [kept[name]["counts"] for name in MODEL_SELECTION if name in kept]
    of_chosen = {what: [Confusion(**each[what]) for each in chosen] for what in of}
    right = [[str(n), *_shares(kept, str(n))] for n in ANSWERS]
    return template("enrolment_needs.md.j2").render(
        wearers=len(kept),
        lengths=[_row(what, of[what]) for what in ("generic", *(f"{s} s" for s in SECONDS))],
        chosen=[_row(what, each) for what, each in of_chosen.items()],
        right=right,
    )


def _shares(kept: dict[str, Any], n: str) -> list[str]:
    each = np.array([one["right"][n] for one in kept.values()], dtype=float)
    total = each.sum(axis=0)
    return [f"{total[0] / total[1]:.1%}", f"{np.mean(each[:, 0] / each[:, 1]):.1%}"]


def _row(what: str, each: list[Confusion]) -> list[str]:
    accuracy, f1 = mean(each)["balanced_accuracy"], pooled(each)["f1"]
    return [what, f"{len(each)}", f"{accuracy:.3f}", f"{f1:.3f}"]


def main() -> None:
    """Enrol whom the file does not hold, and write the page."""
    kept = json.loads(KEPT.read_text()) if KEPT.is_file() else {}
    with long_work() as bar:
        records = bar.add_task("Records", total=len(window_people.names(())), note="")
        missing = [
            task
            for task in tasks(lambda name: bar.update(records, advance=1, note=name))
            if task.wearer.wearer not in kept
        ]
        wearers = bar.add_task("Wearers", total=len(NON_PACED), completed=len(kept), note="")
        context = get_context("spawn")
        with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
            running = {pool.submit(needs, task): task.wearer.wearer for task in missing}
            for done in as_completed(running):
                kept[running[done]] = done.result()
                atomic_write(KEPT, (json.dumps(kept, sort_keys=True, indent=1) + "\n").encode())
                bar.update(wearers, advance=1, note=running[done])
    KEPT.with_suffix(".md").write_text(page(kept), encoding="utf-8")


if __name__ == "__main__":
    main()
