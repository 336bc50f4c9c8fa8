"""Other people in an enrolment of beats: those who are rehearsed, and the gate's panel."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ecgmon.core.errors import UsageError
from ecgmon.core.paths import prepared_folder
from ecgmon.terminal.progress import long_work
from trainer.data import splits
from trainer.data.beats.leads import LeadBeats
from trainer.data.learned_beats import BeatGroup, groups, labelled
from trainer.data.people import MITDB, people

REHEARSED: Final = tuple(
    f"{MITDB}/{name}" for name in "201 207 124 118 108 205 234 121 101 103 105 109".split()
)
"""First records of the twelve who are rehearsed: people of mitdb to whom the built-in beat model
was fitted, without pacemaker, who have most beats of the rarer of V and S, in the order of names
where as many. Rehearsing all of them and those of the other databases was no better
(docs/adr/0047-a-beat-model-is-enrolled.md) and takes ten minutes of preparation."""
PANEL: Final = tuple(f"{MITDB}/{name}" for name in splits.MODEL_SELECTION)
"""Records of the gate's panel; no model was fitted to them."""


@dataclass(frozen=True, eq=False, slots=True)
class OtherPeople:
    """What an enrolment takes from other people.

    Parameters
    ----------
    rehearsal : list of BeatGroup
        Beats to rehearse.
    panel : list of LeadBeats
        First leads of the panel.
    """

    rehearsal: list[BeatGroup]
    panel: list[LeadBeats]


def load(record: str, data: Path | None, seed: int) -> OtherPeople:
    """Load the beats of other people, and show progress: the first time they are prepared.

    Parameters
    ----------
    record : str
        The wearer's record; the person who has it is left out.
    data : Path, optional
        Folder of databases to look in first.
    seed : int
        Of which normal beats are rehearsed.

    Raises
    ------
    RecordError
        If a record cannot be had or read.
    UsageError
        If prepared beats cannot be kept.
    """
    others = [person for person in people() if record not in person.records]
    rehearsed = [person for person in others if person.records[0] in REHEARSED]
    panel = [person for person in others if person.records[0] in PANEL]
    folder = prepared_folder()
    try:
        with long_work() as bar:
            task = bar.add_task("Other people", total=len(rehearsed) + len(panel), note="")

            def reading(name: str) -> None:
                bar.update(task, advance=1, note=name)

            # Leads between the two of a record would take as long again to prepare.
            rehearsal = groups(rehearsed, folder, data=data, mixed=(), seed=seed, progress=reading)
            judged: list[LeadBeats] = []
            for person in panel:
                reading(person.records[0])
                judged += labelled([person], folder, data, mixed=())
            return OtherPeople(rehearsal, judged)
    except OSError as error:
        raise UsageError(
            f"Beats of other people cannot be kept in {folder} ({error.strerror}): make "
            "room there, or choose another place with $XDG_CACHE_HOME."
        ) from error
