"""Records through the running monitor, each with the beat model that may judge it.

What was published is kept as annotation files under ``runs/beats-judged``, in a folder named by
what decided it: the model's SHA-256, the signal path and the limits. A file that is there is not
made again.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from own_bundles import serve

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.errors import UsageError
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from replay.scoring.annotations import ANNOTATOR
from trainer.evaluation.results.digest import digest
from trainer.evaluation.results.signal_path import signal_bits

ROOT: Final = Path(__file__).resolve().parents[1]
KEPT: Final = ROOT / "runs" / "beats-judged"
MAPPING: Final = "models.toml"
AT_ONCE: Final = 2
"""Monitors that run at once, each in a process of its own with the device that plays to it."""
PROCEDURE: Final = 4
"""To be raised by hand where code of the monitor changes that `signal_bits` does not show."""


@dataclass(frozen=True)
class Judging:
    """A record and the bundle of beats that judges it.

    Parameters
    ----------
    record : str
        For example ``mitdb/100``.
    bundle : Path
        The model.
    atrial : Path
        The model of atrial rhythms that judges it as well: in fibrillation no beat is S.
    """

    record: str
    bundle: Path
    atrial: Path

    @cached_property
    def sha256(self) -> str:
        """What the model is known again by."""
        return _sha256(self.bundle)

    @property
    def file(self) -> Path:
        """Where the annotations are kept."""
        database, _, name = self.record.partition("/")
        decided_by = {
            "procedure": PROCEDURE,
            "model": self.sha256,
            "atrial model": _sha256(self.atrial),
            "live beats": signal_bits("live"),
            "limits": AlarmLimits(),
        }
        return KEPT / digest(decided_by) / database / f"{name}.{ANNOTATOR}"


def judgings(folder: Path) -> dict[str, dict[str, Judging]]:
    """Return who judges which record, by how the wearer stands to the model and by record.

    Parameters
    ----------
    folder : Path
        Holds bundles, and `MAPPING`: a table for each of *strangers*, *inter-patient*, *enrolled*
        and *judged* that is to be measured, with the files of each record's two bundles::

            [strangers]
            "mitdb/100" = ["fold-0.onnx", "atrial-fold-0.onnx"]
    """
    path = folder / MAPPING
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from error
    return {
        group: {
            record: Judging(record, *(folder / file for file in both))
            for record, both in files.items()
        }
        for group, files in tables.items()
    }


def run(those: Iterable[Judging], done: Callable[[str], None]) -> None:
    """Play each record whose annotations are not kept to a monitor of its own, at full speed."""
    missing = {one.file: one for one in those if not one.file.is_file()}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for future in as_completed(pool.submit(play, one) for one in missing.values()):
            done(future.result())


def play(one: Judging) -> str:
    """Play a record whole to a monitor over its sockets, and keep what that publishes."""
    with tempfile.TemporaryDirectory(prefix="ecgmon-beats-") as state:
        serve(one.atrial, read(obtain(one.record)).wearer, Path(state))
        played = subprocess.run(  # noqa: S603 - our own interpreter and command
            [
                *(sys.executable, "-c", "from ecgmon_cli import main; main()"),
                *("replay", one.record, "--speed", "max", "--no-view", "--json", "-"),
                *("--beat-model", str(one.bundle), "--write-annotations", str(one.file.parent)),
            ],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"ECGMON_STATE": state},
        )
    if played.returncode:
        raise RuntimeError(f"{one.record} was not played: {played.stderr[-500:]}")
    result = json.loads(played.stdout[played.stdout.index("{") :])
    if result["samples_sent"] != result["samples_received"] or not one.file.is_file():
        one.file.unlink(missing_ok=True)
        raise RuntimeError(f"{one.record} was not judged whole")
    return one.record


@cache
def _sha256(bundle: Path) -> str:
    return hashlib.sha256(bundle.read_bytes()).hexdigest()
