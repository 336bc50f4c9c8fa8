"""Study 3's search for hyper-parameters: ten trials over its stated ranges, with Optuna.

To be affordable, trials learn from some of the beats for a few epochs, and one that is worse after
an epoch than half of those before it is stopped.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal, Self, cast

import numpy as np
import optuna
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from trainer.data.examples import Examples
from trainer.recipes.transfer import SETTINGS, TransferNet, score, weighted_loss
from trainer.training.fit import Epoch, deterministic, fit
from trainer.training.recipe import ExampleBatches

STUDY: Final = "transfer/hyper-parameters"
"""What it is called in the storage."""
TRIALS: Final = 10
EPOCHS: Final = 4
BEATS: Final = 20_000
"""Most beats a trial learns from."""
Optimiser = Literal["adam", "rmsprop", "sgd"]
OPTIMISERS: Final = ("adam", "rmsprop", "sgd")
LEARNING_RATES: Final = (1e-4, 1e-2)
WEIGHT_DECAYS: Final = (1e-5, 1e-3)
BATCHES: Final = (64, 256)
UNSTOPPED: Final = 3
"""Trials before any is stopped."""
DECIDED_BY: Final = {
    "procedure": 1,
    "trials": TRIALS,
    "epochs": EPOCHS,
    "beats": BEATS,
    "optimisers": OPTIMISERS,
    "learning rates": LEARNING_RATES,
    "weight decays": WEIGHT_DECAYS,
    "batches": BATCHES,
    "unstopped": UNSTOPPED,
}
"""What decides the search beside recipe and examples; raise the procedure by hand when settings are
drawn or judged differently."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting, and what came of it.

    Parameters
    ----------
    optimiser : str
        One of `OPTIMISERS`.
    learning_rate, weight_decay : float
        Weight decay is the L2 penalty of torch's optimisers.
    batch : int
        Beats in a batch.
    scores : tuple of float
        `trainer.recipes.transfer.score` on the validation beats after each epoch.
    stopped : bool
        Whether it was given up before the last epoch.
    """

    optimiser: Optimiser
    learning_rate: float
    weight_decay: float
    batch: int
    scores: tuple[float, ...]
    stopped: bool

    @classmethod
    def stored(cls, trial: FrozenTrial) -> Self:
        """Return a trial as Optuna has it."""
        return cls(
            **trial.params,
            scores=tuple(value for _, value in sorted(trial.intermediate_values.items())),
            stopped=trial.state == TrialState.PRUNED,
        )


def search(
    training: Examples,
    validation: Examples,
    storage: BaseStorage,
    progress: Callable[[int, Epoch], None] = lambda _trial, _epoch: None,
    seed: int = 1,
) -> list[Trial]:
    """Try settings one after the other; what is stored already is not trained again.

    Parameters
    ----------
    training, validation : Examples
        Of the random split: what trials learn from and are judged on.
    storage : BaseStorage
        Where trials are kept; see `trainer.studies.cardiacnet.claims.open_storage`.
    progress : callable
        Called with a trial's number, from 0, after each of its epochs.
    seed : int
        Of settings, beats, weights and order.

    Returns
    -------
    list of Trial
        In the order they were tried.
    """
    stored = optuna.create_study(
        storage=storage, study_name=STUDY, direction="maximize", load_if_exists=True
    )
    few = np.random.default_rng(seed).permutation(len(training))[:BEATS]
    some = training[few]
    while (number := len(stored.get_trials(deepcopy=False))) < TRIALS:
        # A trial is stored when it is done. Its sampler knows its number and the trials before it,
        # nothing else, so an interrupted search tries the same settings as another.
        study = optuna.create_study(
            direction="maximize",
            sampler=TPESampler(seed=seed + number),
            pruner=MedianPruner(n_startup_trials=UNSTOPPED),
        )
        study.add_trials(stored.get_trials(deepcopy=False))
        report = partial(progress, number)
        study.optimize(lambda trial: _train(trial, some, validation, seed, report), n_trials=1)  # noqa: B023 - called at once
        stored.add_trial(study.get_trials(deepcopy=False)[-1])
    return [Trial.stored(trial) for trial in stored.get_trials(deepcopy=False)[:TRIALS]]


def _train(
    trial: optuna.Trial,
    training: Examples,
    validation: Examples,
    seed: int,
    progress: Callable[[Epoch], None],
) -> float:
    """Train a network with the settings a trial suggests; return its best score."""
    optimiser = cast(Optimiser, trial.suggest_categorical("optimiser", OPTIMISERS))
    learning_rate = trial.suggest_float("learning_rate", *LEARNING_RATES, log=True)
    weight_decay = trial.suggest_float("weight_decay", *WEIGHT_DECAYS, log=True)
    batch = trial.suggest_int("batch", *BATCHES)
    settings = replace(
        SETTINGS,
        epochs=EPOCHS,
        optimiser=optimiser,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        seed=seed,
    )

    def report(epoch: Epoch) -> None:
        progress(epoch)
        trial.report(epoch.score or 0.0, epoch.number)
        if trial.should_prune():
            raise optuna.TrialPruned

    deterministic(seed)
    network = TransferNet.of(training)
    batches = ExampleBatches(training, batch, weighted_loss(training.counts, 1))
    trained = fit(network, batches, settings, score=lambda n: score(n, validation), progress=report)
    return score(trained, validation)
