"""Fitting of a generic network to one wearer."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ecgmon.models.bundle import Model
from ecgmon.models.card import LabelSource, ScoredSpan, Validation
from ecgmon.signal.usual_beat import EVERY_S, middle
from trainer.data.dataset import RecordSet
from trainer.data.splits import ENROLMENT_S
from trainer.enrolment.signal import require_eligible
from trainer.networks.window_networks import WindowNetwork
from trainer.training import build, window_trainings
from trainer.training.batches import Noise

HELD_OUT_S: Final = 60
"""The enrolment's last minute judges a model that was fitted to the minutes before it."""


@dataclass(frozen=True, slots=True)
class EnrolmentMethod:
    """Method that makes a wearer's own network.

    Parameters
    ----------
    fitted : callable
        Returns a network fitted to the wearer's first windows, as many as its argument says. It
        may run in several threads.
    threshold : float
        Threshold of the network, as a probability.
    labels : LabelSource
        Source of the labels.
    """

    fitted: Callable[[int], WindowNetwork]
    threshold: float
    labels: LabelSource = "annotations"


def tuning(
    generic: Path,
    wearer: RecordSet,
    rehearsal: Sequence[RecordSet],
    seed: int,
    noise: Noise = (),
    *,
    labels: LabelSource = "annotations",
) -> EnrolmentMethod:
    """Fine-tune a generic model on a wearer's labelled windows.

    A part of every batch comes from the generic model's training data, against forgetting.

    Parameters
    ----------
    generic : Path
        Bundle to start from.
    wearer : RecordSet
        The wearer's record.
    rehearsal : sequence of RecordSet
        Records that the generic model was trained on.
    seed : int
        Seed of all random numbers.
    noise : sequence of ndarray of float32
        Recordings of noise to train with (`trainer.data.noise`).
    labels : LabelSource
        Source of the wearer's labels.
    """
    others = [s for s in rehearsal if s.record != wearer.record]  # its later labels are not known
    network = Model.load(generic).card.network

    def fitted(seconds: int) -> WindowNetwork:
        return build.fine_tune(generic, wearer, seconds, others, seed, noise)

    return EnrolmentMethod(fitted, window_trainings.TRAININGS[network].patient_threshold, labels)


def enrol(
    generic: Path,
    wearer: RecordSet,
    method: EnrolmentMethod,
    seed: int,
    path: Path,
    *,
    first: int = 0,
    seconds: int = ENROLMENT_S,
    evaluate: bool = False,
    validate: bool = True,
    progress: Callable[[], None] = lambda: None,
) -> Model:
    """Make a wearer's own model from the first windows of a record.

    The bundle's network is fitted to the complete enrolment. The card's validation figures are of
    its last minute, by another network, which is fitted to the seconds before it.

    Parameters
    ----------
    generic : Path
        Bundle that the method starts from.
    wearer : RecordSet
        The wearer's record. The network is fitted only to its first ``seconds`` windows.
    method : EnrolmentMethod
        Makes the network.
    seed : int
        Seed that the method uses, for the card.
    path : Path
        The bundle to write.
    first : int
        Second of the stream at which the record begins, for the card.
    seconds : int
        Windows of the enrolment.
    evaluate : bool
        Whether the card gives the figures on the record after the enrolment.
    validate : bool
        Whether the other network is fitted. Without it the validation figures are of the seconds
        that the model was fitted to: for protocols, which judge models elsewhere.
    progress : callable, optional
        Called after each of the two fits, from its thread.

    Returns
    -------
    Model

    Raises
    ------
    UsageError
        If the record cannot be used for enrolment.
    """
    base = Model.load(generic).card
    require_eligible(base, wearer.record, len(wearer), seconds)
    before = seconds - HELD_OUT_S

    def fitted(until: int) -> WindowNetwork:
        network = method.fitted(until)
        progress()
        return network

    beside: Future[WindowNetwork] = Future()
    if validate:
        # Torch releases the interpreter lock while it computes. The other fit runs in a daemon
        # thread, so that an interrupt of this one ends both.
        threading.Thread(target=_fulfil, args=(beside, fitted, before), daemon=True).start()
    final = fitted(seconds)
    span = ScoredSpan(wearer.record, first, first + seconds)

    def counted(protocol: str, network: WindowNetwork, start: int, stop: int) -> Validation:
        return build.validated_part(protocol, network, wearer, method.threshold, start, stop)

    return build.write_bundle(
        final,
        path,
        wearer.inputs,
        name=f"{wearer.wearer}-{final.name}",
        wearer=wearer.wearer,
        threshold=method.threshold,
        trained=[*base.trained_on, span],
        windows=wearer.labels[:seconds],
        validation=counted(
            "last minute of the enrolment, fitted to what lies before it",
            beside.result(),
            before,
            seconds,
        )
        if validate
        else counted("the enrolment, which it was fitted to", final, 0, seconds),
        seed=seed,
        enrolment=span,
        labels=method.labels,
        evaluation=counted("the record after the enrolment", final, seconds, len(wearer))
        if evaluate
        else None,
        usual_beat=middle(wearer.usual[: seconds // EVERY_S]),
    )


def _fulfil(
    promise: "Future[WindowNetwork]", fitted: Callable[[int], WindowNetwork], until: int
) -> None:
    """Set a future's result to the fitted network, or to the exception."""
    try:
        promise.set_result(fitted(until))
    except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
        promise.set_exception(error)
