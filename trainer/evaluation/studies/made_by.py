"""What a result is made by: while that stays the same, it is valid and not made again."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from trainer.beats import ptb
from trainer.evaluation.studies.digest import digest
from trainer.evaluation.studies.jobs import Job
from trainer.evaluation.studies.parts import Split

_OF_PTB: Final = (Split.PTB, Split.PTB_RANDOM)


@dataclass(frozen=True, slots=True)
class MadeBy:
    """Seed, code and data of a job.

    Parameters
    ----------
    job : str
        Its name.
    networks : str
        Name of the folder for the networks of its recipe.
    seed : int
        Of everything random.
    code : str
        Digest of the code that decides the result.
    data : str
        Digest of the records of PTB, of which some may be added; empty where none are used.
    """

    job: str
    networks: str
    seed: int
    code: str
    data: str

    @classmethod
    def of(cls, job: Job, seed: int, data: Path | None) -> Self:
        """Return what would make a job's result now.

        Raises
        ------
        RecordError
            If its database is not there.
        """
        networks = f"studies-{job.recipe}-{seed}-{digest(job.recipe)}"
        records = _records(data) if job.split in _OF_PTB else ""
        return cls(job.name, networks, seed, digest(job.recipe, job.module), records)

    @property
    def own(self) -> str:
        """Name of the folder for what is the job's alone, under that of the networks."""
        return "-".join(part for part in (self.job, self.code, self.data) if part)

    @property
    def written(self) -> dict[str, Any]:
        """What is written beside the result."""
        return {"seed": self.seed, "code": self.code} | ({"data": self.data} if self.data else {})

    def made(self, kept: Mapping[str, Any] | None) -> bool:
        """Tell whether a kept result is still valid."""
        return kept is not None and self.written.items() <= kept.items()


def _records(data: Path | None) -> str:
    found = hashlib.sha256()
    for record in ptb.records(data):
        found.update(record.found.name.encode())
        found.update(record.found.path.with_suffix(".hea").read_bytes())
    return found.hexdigest()[:12]
