"""Work that is done, so that it is not done again as long as what is measured stays the same."""

import hashlib
import json
import subprocess
from collections.abc import Iterable
from typing import Any, Final

from alarms_ward import ROOT

MEASURED: Final = ("ecgmon", "monitor", "replay", "benchmarks")


def git(*words: str) -> str:
    """Return what git says."""
    command = ["git", *words]
    return subprocess.run(  # noqa: S603 - ours
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


class Kept(dict[str, Any]):
    """Results by name, on disk after each: begun anew with another commit of the code measured.

    Parameters
    ----------
    part : str
        Of the benchmark.
    """

    def __init__(self, part: str) -> None:
        trees = git("rev-parse", *(f"HEAD:{folder}" for folder in MEASURED))
        digest = hashlib.sha256(trees.encode()).hexdigest()[:10]
        self._file = ROOT / "runs" / f"alarms-{part}-{digest}.jsonl"
        self._file.parent.mkdir(exist_ok=True)
        super().__init__(self._read())

    def _read(self) -> Iterable[tuple[str, Any]]:
        if self._file.is_file():
            for line in self._file.read_text().splitlines():
                name, value = json.loads(line)
                yield name, value

    def __setitem__(self, name: str, value: Any) -> None:  # noqa: ANN401 - whatever JSON takes
        super().__setitem__(name, value)
        with self._file.open("a") as file:
            file.write(json.dumps([name, value]) + "\n")
