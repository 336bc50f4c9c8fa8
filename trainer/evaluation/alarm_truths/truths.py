"""Truths of alarms, as headers of the PhysioNet/Computing in Cardiology Challenge 2015 state them.

Each record ends, or goes on for 30 s, after the alarm of a bedside monitor at five minutes. Two
comments of its header name the alarm and say whether experts called it true (Clifford et al. 2016).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ecgmon.core.alarm_kinds import Kind
from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.errors import RecordError, UsageError
from ecgmon.records.formats.wfdb.header import Header, read_header
from ecgmon.records.formats.wfdb.leads import ecgs
from ecgmon.records.record import Found

ALARM_S: Final = 300
"""Second of the record at which the monitor raised its alarm."""
FROM_S: Final = 290
UNTIL_S: Final = 303
"""An alarm of ours is found if its condition holds at some time in these seconds."""
KINDS: Final[Mapping[str, tuple[Kind, ...]]] = {
    "Asystole": ("asystole",),
    "Bradycardia": ("extreme-low-rate",),
    "Tachycardia": ("extreme-high-rate",),
    "Ventricular_Flutter_Fib": ("ventricular-fibrillation",),
    "Ventricular_Tachycardia": ("ventricular-tachycardia",),
}
"""Our kinds of alarm for each of theirs."""
LIMITS: Final = AlarmLimits(extreme_low_rate=40.0, extreme_high_rate=140.0)
"""The challenge's limits; 4 s of asystole and five ventricular beats at 100/min are ours anyway."""
_SAID: Final = {"True alarm": True, "False alarm": False}


@dataclass(frozen=True, slots=True)
class AlarmTruth:
    """The alarm of a record.

    Parameters
    ----------
    found : Found
        Where the record is.
    kind : str
        One of `KINDS`.
    is_true : bool
        What experts said of it.
    leads : tuple of str
        Numbers of its ECG leads, that which is read without a name first.
    """

    found: Found
    kind: str
    is_true: bool
    leads: tuple[str, ...] = ()


def truths(folder: Path) -> list[AlarmTruth]:
    """Return the truths of all records of a folder, by name.

    Raises
    ------
    UsageError
        If the folder cannot be read, or no header states a truth.
    RecordError
        If a header cannot be read, or states half a truth.
    """
    try:
        names = sorted(path.stem for path in folder.iterdir() if path.suffix == ".hea")
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be read ({error.strerror}): give a folder of WFDB records with "
            "--database."
        ) from error
    places = [Found(f"{folder.name}/{name}", name, folder / name) for name in names]
    known = [truth for found in places if (truth := truth_of(found, read_header(found)))]
    if not known:
        raise UsageError(
            f"No header in {folder} says of an alarm whether it is true: give a folder in the "
            "layout of the PhysioNet Challenge 2015 with --database."
        )
    return known


def truth_of(found: Found, header: Header) -> AlarmTruth | None:
    """Return what a header says of its alarm; None if it names none.

    Raises
    ------
    RecordError
        If it names an alarm and does not say whether it is true, or the other way round.
    """
    kinds = [line for line in header.comments if line in KINDS]
    said = [_SAID[line] for line in header.comments if line in _SAID]
    if not kinds and not said:
        return None
    if len(kinds) != 1 or len(said) != 1:
        raise RecordError(
            f"The header of {found.name} must name one alarm ({', '.join(KINDS)}) and say 'True "
            "alarm' or 'False alarm': mend its comments, or take it out of the folder."
        )
    return AlarmTruth(found, kinds[0], said[0], tuple(ecgs(header.signals)))
