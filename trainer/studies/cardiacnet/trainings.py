"""What the trainings of study 1 have in common, whatever the network."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from trainer.studies.cardiacnet.patient import Patient
from trainer.studies.cardiacnet.search import Grid


class Trainings:
    """The trainings of one network on the study's patients.

    Parameters
    ----------
    patients : mapping of str to Patient
        All of the study's.
    seed : int
        Of everything random.

    Attributes
    ----------
    rungs, group
        See `trainer.studies.cardiacnet.search.Method`.
    grid, fine_grid : Grid
        Settings that are searched, from scratch and for fine-tuning.
    settings : mapping
        What else decides what is trained.
    """

    rungs: Sequence[int]
    group: int
    grid: ClassVar[Grid]
    fine_grid: ClassVar[Grid]
    settings: ClassVar[Mapping[str, Any]]

    def __init__(self, patients: Mapping[str, Patient], seed: int) -> None:
        self._patients = patients
        self._seed = seed
