"""Records through the running monitor, each with the rhythm model of the fold that judges it.

What was published is kept under ``runs/rhythms-judged``, in a folder named by what decided it: the
model's SHA-256, the signal path and the limits. What is there is not judged again.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alarms_ward import FULL_SPEED, Board, monitor, play
from own_bundles import serve

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import RATE
from ecgmon.records import Record
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from ecgmon.wire import messages
from replay.player.device import RecordDevice
from replay.player.schedule import Pace
from replay.scoring.annotations import ANNOTATOR, PublishedAnnotations
from trainer.evaluation.results.digest import digest
from trainer.evaluation.results.signal_path import signal_bits

ROOT: Final = Path(__file__).resolve().parents[1]
KEPT: Final = ROOT / "runs" / "rhythms-judged"
AT_ONCE: Final = 6
"""Wearers who play to one monitor at once."""
PROCEDURE: Final = 4
"""To be raised by hand where code of the monitor changes that `signal_bits` does not show."""


@dataclass(frozen=True)
class JudgedRhythms:
    """A record, the rhythm model and the window model that judge it.

    Parameters
    ----------
    record : str
        For example ``vfdb/418``.
    rhythms : Path or None
        Bundle of rhythms; None for nobody.
    windows : str
        The model of windows, as ``ecgmon serve --model`` takes it.
    """

    record: str
    rhythms: Path | None
    windows: str = "generic"

    @property
    def folder(self) -> Path:
        """Where what was published is kept."""
        decided_by = {
            "procedure": PROCEDURE,
            "rhythms": self.rhythms and hashlib.sha256(self.rhythms.read_bytes()).hexdigest(),
            "windows": self.windows,
            "signal": signal_bits("live"),
            "limits": AlarmLimits(),
        }
        return KEPT / digest(decided_by)

    @property
    def annotations(self) -> Path:
        """The file with the alarms."""
        return self.folder / f"{self.record.replace('/', '-')}.{ANNOTATOR}"

    @property
    def windows_file(self) -> Path:
        """The file with the verdict on each second."""
        return self.folder / f"{self.record.replace('/', '-')}.json"

    def verdicts(self) -> dict[int, tuple[str, bool | None]]:
        """Return state and verdict of each second by its first sample."""
        return {first: (state, abnormal) for first, state, abnormal in self._stored()}

    def _stored(self) -> list[tuple[int, str, bool | None]]:
        stored: list[tuple[int, str, bool | None]] = json.loads(self.windows_file.read_text())
        return stored


class RhythmBoard(Board):
    """Keeps the alarms and the verdicts as well.

    Attributes
    ----------
    annotations : PublishedAnnotations
        What was published, as annotations.
    verdicts : dict of int to (int, str, bool or None)
        First sample, state and verdict of each second, by the first.
    """

    def __init__(self, record: Record, device: RecordDevice, pace: Pace) -> None:
        super().__init__(record, device, pace)
        self.annotations = PublishedAnnotations()
        self.verdicts: dict[int, tuple[int, str, bool | None]] = {}

    def take(self, message: messages.Published, arrival: float) -> None:
        """Count a message that arrived at monotonic time ``arrival``."""
        super().take(message, arrival)
        self.annotations.take(message)
        if isinstance(message, messages.Window):
            self.verdicts[message.first] = (message.first, message.state, message.abnormal)


def run(those: Sequence[JudgedRhythms], done: Callable[[str], None]) -> None:
    """Judge each record of which nothing is kept, at full speed."""
    missing = [one for one in those if not one.windows_file.is_file()]
    for windows in sorted({one.windows for one in missing}):
        mine = [one for one in missing if one.windows == windows]
        for start in range(0, len(mine), AT_ONCE):
            _judge(mine[start : start + AT_ONCE], windows)
            for one in mine[start : start + AT_ONCE]:
                done(one.record)


def _judge(those: Sequence[JudgedRhythms], windows: str) -> None:
    records = [read(obtain(one.record)) for one in those]

    def prepare(state: Path) -> None:
        for one, record in zip(those, records, strict=True):
            if one.rhythms is not None:
                serve(one.rhythms, record.wearer, state)

    with monitor("--model", windows, "--capture", "0", prepare=prepare) as endpoint:
        boards = play(records, [FULL_SPEED] * len(records), endpoint, RhythmBoard)
    for one, board in zip(those, boards, strict=True):
        one.folder.mkdir(parents=True, exist_ok=True)
        board.annotations.write(one.annotations, RATE)
        one.windows_file.write_text(json.dumps([*board.verdicts.values()]))
