"""Digests that decide whether stored results of the alarm benchmarks are still valid."""

import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from alarms_ward import FULL_SPEED, ROOT, monitor, play

from trainer.evaluation.results.digest import digest
from trainer.evaluation.results.signal_path import fixed_records
from trainer.evaluation.results.store import ResultStore, StoredResult

MEASURED: Final = ("ecgmon", "monitor", "replay", "benchmarks")
"""Folders of the code whose speed is measured."""


def git(*words: str) -> str:
    """Return the output of a git command."""
    command = ["git", *words]
    return subprocess.run(  # noqa: S603 - ours
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def measured_code() -> str:
    """Return what git knows the measured code by: any line of it may make it slower."""
    return git("rev-parse", *(f"HEAD:{folder}" for folder in MEASURED))


@cache
def published(model: str) -> list[Any]:
    """Return what a monitor publishes of three fixed records: states of seconds, and alarms."""
    records = list(fixed_records())
    with monitor("--model", model, "--capture", "0") as endpoint:
        boards = play(records, [FULL_SPEED] * len(records), endpoint)
    return [
        [
            sorted(board.states.items()),
            [(alarm.kind, alarm.state, alarm.at) for alarm in board.alarms],
        ]
        for board in boards
    ]


def chunks(cases: list[Any], size: int) -> Iterator[list[Any]]:
    """Yield cases in lists of at most ``size``."""
    for start in range(0, len(cases), size):
        yield cases[start : start + size]


def case_name(*parts: object) -> str:
    """Return the name of a case."""
    return "/".join(map(str, parts))


class Cases:
    """Results of a part by the name of the case, on disk after each.

    Parameters
    ----------
    part : str
        Of the benchmark.
    decided_by : mapping of str to object
        All that decides its results, as data.
    """

    def __init__(self, part: str, decided_by: Mapping[str, object]) -> None:
        self._store = ResultStore(ROOT / "runs" / f"alarms-{part}")
        self._digest = digest(decided_by)

    def __contains__(self, case: str) -> bool:
        return self._store.valid(case, self._digest) is not None

    def __getitem__(self, case: str) -> Any:  # noqa: ANN401 - whatever JSON takes
        stored = self._store.valid(case, self._digest)
        if stored is None:
            raise KeyError(case)
        return stored.result

    def __setitem__(self, case: str, result: Any) -> None:  # noqa: ANN401 - as above
        self._store.put(case, StoredResult(result, self._digest))
