"""``ecgmon evaluate --protocol studies``: studies 2 to 5, job by job, by one process or several."""

import contextlib
import fcntl
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from ecgmon.cli.options import make_folder
from ecgmon.cli.progress import Epochs, long_work
from ecgmon.cli.recipe import known
from ecgmon.errors import UsageError
from ecgmon.files import place as place_file

if TYPE_CHECKING:
    from rich.progress import Progress

    from trainer.evaluation.studies.jobs import Job, Place
    from trainer.fit import Epoch


def studies(
    recipe: str | None, split: str | None, out: Path, work: Path, seed: int, data: Path | None
) -> None:
    """Do the jobs that are asked for and not done yet, and write the page."""
    if recipe is not None and recipe not in known():
        raise UsageError(f"There is no recipe {recipe}: choose one of {', '.join(known())}.")
    from trainer.evaluation.studies import page
    from trainer.evaluation.studies.digest import digest
    from trainer.evaluation.studies.jobs import JOBS, Place

    jobs = [job for job in JOBS if recipe in (None, job.recipe) and split in (None, job.split)]
    if not jobs:
        splits = dict.fromkeys(job.split for job in JOBS if recipe in (None, job.recipe))
        which = f"{recipe} has no" if recipe else "There is no"
        raise UsageError(f"{which} split {split}: choose one of {', '.join(splits)}.")
    for folder in (out, work):
        make_folder(folder)
    with long_work() as bar:
        total = bar.add_task("All, in minutes", total=sum(job.minutes for job in jobs), note="")
        waiting = list(jobs)
        for wait in (False, True):  # what another process has in hand comes last
            for job in list(waiting):
                code = digest(job.recipe, job.module)
                networks = work / f"studies-{job.recipe}-{seed}-{digest(job.recipe)}"
                own = networks / f"{job.name}-{code}"
                place = Place(networks, own, out / "studies", data, seed)
                with _claimed(own / "lock", wait=wait) as mine:
                    if not mine:
                        continue
                    done = sum(each.minutes for each in jobs if each not in waiting)

                    def spent(minutes: float, job: "Job" = job, done: float = done) -> None:
                        bar.update(total, completed=done + min(minutes, job.minutes))

                    # Reading records takes a while before the first epoch tells of itself.
                    bar.update(total, note=job.name)
                    _do(job, place, code, bar, spent)
                    waiting.remove(job)
                    bar.update(total, completed=done + job.minutes, note="")
    page.write(out)
    Console().print(f"{out}/studies.md written", highlight=False)


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
    job: "Job", place: "Place", code: str, bar: "Progress", spent: Callable[[float], None]
) -> None:
    """Do a job, unless its result is there, made by the same code from the same seed.

    ``spent`` is called with its minutes after each epoch.
    """
    from trainer.evaluation.studies.kept import path_of, result_of

    out, made_by = place.pictures, {"seed": place.seed, "code": code}
    there = result_of(out, job.name)
    if there is not None and made_by.items() <= there.items():
        return
    bars = Epochs(bar)
    clock = place.own / "seconds"
    before = float(clock.read_text()) if clock.is_file() else 0.0
    began = time.process_time()

    def seconds() -> float:
        return before + time.process_time() - began

    def after(network: str, epoch: "Epoch") -> None:
        bars(f"{job.name}: {network}", epoch)
        place_file(clock, f"{seconds():.0f}".encode())
        spent(seconds() / 60)

    result = job.result(replace(place, progress=after))
    bars.clear()
    out.mkdir(parents=True, exist_ok=True)
    written = made_by | {"processor_s": round(seconds()), "result": result}
    place_file(path_of(out, job.name), (json.dumps(written) + "\n").encode())
