"""The search for hyper-parameters: a grid for every patient, bad settings stopped early.

Each patient's search is an Optuna study. Patients are searched a group at a time, side by side; a
group's trials are stored when all of it is done, and what is stored is not trained again.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, Protocol, TypeVar

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from trainer.data.protocol_splits import TEST, VALIDATION
from trainer.studies.cardiacnet import claims
from trainer.studies.cardiacnet.patient import Patient, TrainedPatient

Setting = dict[str, float | int | bool]
Grid = Mapping[str, Sequence[float | int | bool]]
KEEP: Final = 3
"""One setting in so many goes on past a rung."""
WAIT_S: Final = 5.0
"""Between looks at the storage for groups that another machine has claimed."""


class Trainee(Protocol):
    """One network being trained for one patient with one setting."""

    trained: TrainedPatient

    def outcome(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probability of *abnormal* of windows by the best network so far."""
        ...


_T = TypeVar("_T", bound=Trainee)


@dataclass(frozen=True, slots=True)
class Method:
    """What is searched, and how.

    Parameters
    ----------
    name : str
        First part of its studies' names.
    make : callable
        Returns a trainee for a patient and a setting.
    advance : callable
        Trains trainees up to an epoch.
    rungs : sequence of int
        Epochs after which the worse settings are stopped; the last is the end.
    group : int
        Patients searched side by side, and stored together.
    """

    name: str
    make: Callable[[Patient, Setting], Any]
    advance: Callable[[Sequence[Any], int], None]
    rungs: Sequence[int]
    group: int


@dataclass(frozen=True, eq=False, slots=True)
class SearchResult:
    """The winner of a patient's search.

    Parameters
    ----------
    setting : dict
        Its hyper-parameters.
    score : float
        Balanced accuracy on the validation windows.
    epochs : list of (float, float, float)
        Training loss, validation balanced accuracy and validation loss of every epoch; of every
        rung where each is a training of its own.
    best : int
        Which epoch's network was kept.
    validation, test : ndarray of float32
        Its probabilities of *abnormal* of the windows of each part.
    """

    setting: Setting
    score: float
    epochs: list[tuple[float, float, float]]
    best: int
    validation: NDArray[np.float32]
    test: NDArray[np.float32]


class Halving(optuna.pruners.BasePruner):
    """Successive halving (Jamieson & Talwalkar 2016), all settings of a rung together.

    Optuna's own is asynchronous: what it stops depends on who reports first. Here all settings of
    a patient report before any is stopped, so two runs stop the same ones.
    """

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Tell whether a setting is not among the best of its rung."""
        step = trial.last_step
        if step is None:
            return False
        scores = sorted(
            other.intermediate_values[step]
            for other in study.get_trials(deepcopy=False)
            if step in other.intermediate_values
        )
        return trial.intermediate_values[step] < scores[-max(1, len(scores) // KEEP)]


def search(
    method: Method,
    patients: Mapping[str, Patient],
    grids: Mapping[str, Grid],
    storage: BaseStorage,
    progress: Callable[[str], None],
) -> dict[str, SearchResult]:
    """Search every patient's grid.

    Parameters
    ----------
    method : Method
        What and how.
    patients : mapping of str to Patient
        By name.
    grids : mapping of str to Grid
        Each patient's values to try.
    storage : BaseStorage
        Where studies are kept; see `trainer.studies.cardiacnet.claims.open_storage`.
    progress : callable
        Called with each patient's name when its search is known to be done.

    Returns
    -------
    dict of str to SearchResult
    """
    names = list(patients)
    groups = [names[at : at + method.group] for at in range(0, len(names), method.group)]
    found: dict[str, SearchResult] = {}
    while groups:
        waiting = []
        for group in groups:
            studies = [f"{method.name}/{name}" for name in group]
            if claims.claim(studies, storage):
                _search_group(method, [(patients[n], grids[n]) for n in group], studies, storage)
            if not claims.is_done(studies, storage):
                waiting.append(group)
                continue
            for name, study in zip(group, studies, strict=True):
                found[name] = _found(optuna.load_study(study_name=study, storage=storage))
                progress(name)
        if len(waiting) == len(groups):
            time.sleep(WAIT_S)
        groups = waiting
    return {name: found[name] for name in names}


def _search_group(
    method: Method,
    group: Sequence[tuple[Patient, Grid]],
    names: Sequence[str],
    storage: BaseStorage,
) -> None:
    """Train a group's settings rung by rung, in memory, then store them."""
    studies = []
    running: list[tuple[optuna.Trial, Patient, Any]] = []
    for patient, grid in group:
        study = optuna.create_study(direction="maximize", pruner=Halving())
        studies.append(study)
        for values in product(*grid.values()):
            study.enqueue_trial(dict(zip(grid, values, strict=True)))
            trial = study.ask()
            setting = {key: trial.suggest_categorical(key, grid[key]) for key in grid}
            running.append((trial, patient, method.make(patient, setting)))
    for rung in method.rungs:
        method.advance([trainee for _, _, trainee in running], rung)
        for trial, _, trainee in running:
            trial.report(trainee.trained.score.value, rung)
        going_on = []
        for trial, patient, trainee in running:
            if rung == method.rungs[-1]:
                _keep(trial, patient, trainee)
                trial.study.tell(trial, trainee.trained.score.value)
            elif trial.should_prune():
                trial.study.tell(trial, state=TrialState.PRUNED)
            else:
                going_on.append((trial, patient, trainee))
        running = going_on
    claims.store(dict(zip(names, studies, strict=True)), storage)


def _keep(trial: optuna.Trial, patient: Patient, trainee: Trainee) -> None:
    trained = trainee.trained
    trial.set_user_attr(
        "epochs", [(loss, s.balanced_accuracy, min(s.loss, 1e3)) for loss, s in trained.epochs]
    )
    trial.set_user_attr("best", trained.best)
    for key, part in (("validation", VALIDATION), ("test", TEST)):
        probability = trainee.outcome(patient.windows(part)[0])
        trial.set_user_attr(key, [float(p) for p in probability])


def _found(study: optuna.Study) -> SearchResult:
    """Return the best of the settings that were trained to the end."""
    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    # Of equals the first: a database orders them as it likes.
    trial = max(finished, key=lambda trial: (trial.value or 0.0, -trial.number))
    attributes = trial.user_attrs
    epochs, best = [tuple(epoch) for epoch in attributes["epochs"]], int(attributes["best"])
    return SearchResult(
        dict(trial.params),
        epochs[best][1],
        epochs,
        best,
        np.array(attributes["validation"], dtype=np.float32),
        np.array(attributes["test"], dtype=np.float32),
    )
