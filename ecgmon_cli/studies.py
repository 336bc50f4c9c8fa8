"""``ecgmon evaluate --protocol studies``: studies 2 to 5, job by job, by one process or several."""

import contextlib
import fcntl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from ecgmon.core.atomic import atomic_write
from ecgmon.core.errors import RecordError, UsageError
from ecgmon.core.paths import require_writable
from ecgmon.terminal.progress import long_work
from ecgmon_cli.options import make_folder
from ecgmon_cli.progress import Epochs
from ecgmon_cli.recipe import known

if TYPE_CHECKING:
    from rich.progress import Progress

    from trainer.evaluation.studies.provenance import Provenance
    from trainer.evaluation.studies.study_jobs import Job, Place
    from trainer.training.fit import Epoch


SPLITS: Final = ("random", "inter-patient", "patient-specific", "ptb", "ptb-random")
"""All of them, known here without loading torch."""


def studies(
    recipe: str | None, split: str | None, out: Path, work: Path, seed: int, data: Path | None
) -> None:
    """Do the jobs that are asked for and not done yet, and write the page."""
    if recipe is not None and recipe not in known():
        raise UsageError(f"There is no recipe {recipe}: choose one of {', '.join(known())}.")
    if split is not None and split not in SPLITS:
        raise UsageError(f"There is no split {split}: choose one of {', '.join(SPLITS)}.")
    for folder in (out, work):
        require_writable(folder)

    from trainer import recipes
    from trainer.evaluation.studies import page
    from trainer.evaluation.studies.provenance import Provenance, digests
    from trainer.evaluation.studies.study_jobs import JOBS

    jobs = [job for job in JOBS if recipe in (None, job.recipe) and split in (None, job.split)]
    if not jobs:
        splits = dict.fromkeys(job.split for job in JOBS if recipe in (None, job.recipe))
        raise UsageError(f"{recipe} has no split {split}: choose one of {', '.join(splits)}.")
    for folder in (out, work):
        make_folder(folder)
    # Code is loaded, and digests are taken, before the first job: it may be edited meanwhile.
    for name in known():
        recipes.recipe(name)
    made: dict[Job, Provenance] = {}
    lacking = None
    for job in jobs:
        try:
            made[job] = Provenance.of(job, seed, data)
        except RecordError as error:  # the jobs of other databases are done all the same
            lacking = error
    done = _share(made, out / "studies", work, data)
    page.write(out, digests(out / "studies", data))
    Console().print(f"{out}/studies.md written", highlight=False, soft_wrap=True)
    if lacking:
        raise lacking
    if not done:
        Console(stderr=True).print(
            "All its results were there, made by this code: to compute them again, give --out and "
            "--work empty folders.",
            highlight=False,
        )


def _share(made: "Mapping[Job, Provenance]", out: Path, work: Path, data: Path | None) -> int:
    """Do the jobs with whatever other processes do them, too; returns how many it has done."""
    from trainer.evaluation.studies.study_jobs import Place

    finished = 0
    with long_work() as bar:
        total = bar.add_task("All, in minutes", total=sum(job.minutes for job in made), note="")
        waiting = list(made)
        for wait in (False, True):  # what another process has in hand comes last
            for job in list(waiting):
                by = made[job]
                networks = work / by.networks
                place = Place(networks, networks / by.own, out, data, by.seed)
                with _claimed(place.own / "lock", wait=wait) as mine:
                    if not mine:
                        continue
                    done = sum(each.minutes for each in made if each not in waiting)

                    def spent(minutes: float, job: "Job" = job, done: float = done) -> None:
                        bar.update(total, completed=done + min(minutes, job.minutes))

                    # Reading records takes a while before the first epoch tells of itself.
                    bar.update(total, note=job.name)
                    finished += _do(job, place, by, bar, spent)
                    waiting.remove(job)
                    bar.update(total, completed=done + job.minutes, note="")
    return finished


@contextlib.contextmanager
def _claimed(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold a lock that ends with the process; tells whether it was to be had."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _do(
    job: "Job",
    place: "Place",
    by: "Provenance",
    bar: "Progress",
    spent: Callable[[float], None],
) -> bool:
    """Do a job, unless its result is there and still valid; tell whether it was done.

    ``spent`` is called with its minutes after each epoch.
    """
    from trainer.evaluation.results.store import ResultStore, StoredResult

    store = ResultStore(place.pictures)
    if store.valid(job.name, by.digest):
        return False
    bars = Epochs(bar)
    clock = place.own / "seconds"
    before = float(clock.read_text()) if clock.is_file() else 0.0
    began = time.process_time()

    def seconds() -> float:
        return before + time.process_time() - began

    def after(network: str, epoch: "Epoch") -> None:
        bars(f"{job.name}: {network}", epoch)
        atomic_write(clock, f"{seconds():.0f}".encode())
        spent(seconds() / 60)

    result = job.result(replace(place, progress=after))
    bars.clear()
    store.put(job.name, StoredResult(result, by.digest, by.seed, round(seconds())))
    return True
