"""One enrolment: from a signal, and where its labels come from, to a version in the store."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.atomic import atomic_write
from ecgmon.core.constants import WINDOW
from ecgmon.core.errors import UsageError
from ecgmon.core.labels import NORMAL, UNLABELLED
from ecgmon.models.bundle import Model
from ecgmon.models.card import LabelSource
from ecgmon.models.resolve import stored
from ecgmon.records import Record
from ecgmon_cli.enrolment import sources
from ecgmon_cli.enrolment.reviewing import reviewed
from ecgmon_cli.enrolment.wanted import EnrolmentRequest, require_terminal
from ecgmon_cli.progress import long_work
from trainer.data import noise, splits
from trainer.data.dataset import RecordSet, load
from trainer.enrolment import gate
from trainer.enrolment.baseline import assumed_normal
from trainer.enrolment.eligible import check
from trainer.enrolment.enrol import HELD_OUT_S, enrol, tuning
from trainer.enrolment.enrolled import Enrolled
from trainer.enrolment.labelled import labelled
from trainer.enrolment.report import page
from trainer.enrolment.signal import EnrolmentSignal, take
from trainer.networks.windows import NETWORKS, WindowNetwork
from trainer.training.batches import Noise

LEAST: Final = 60
"""Fewest labelled seconds before the last minute that are worth fitting to."""


@dataclass(frozen=True, eq=False, slots=True)
class _Others:
    """Other wearers: those to rehearse, those of the gate's panel, and recordings of noise."""

    rehearsal: list[RecordSet]
    panel: list[RecordSet]
    noise: Noise


def run(taken: Record, labels: LabelSource, wanted: EnrolmentRequest) -> Enrolled | None:
    """Enrol a wearer.

    Parameters
    ----------
    taken : Record
        The signal; its last second is only looked ahead into.
    labels : LabelSource
        What is known of it.
    wanted : EnrolmentRequest
        The rest.

    Returns
    -------
    Enrolled or None
        None if the review was left.

    Raises
    ------
    EcgmonError
        Where the signal is nothing to enrol on, or the model cannot be made or stored.
    """
    base = Model.load(wanted.start).card
    kind = NETWORKS[base.network]
    signal = take(taken, kind, len(taken.samples) // WINDOW - 1)
    check(base, signal.record.record, len(signal.record), signal.seconds)
    if labels == "review":
        require_terminal(f"nothing says what is normal in {taken.name}")
    if labels == "assumed normal":
        assumed_normal(wanted.start, signal, wanted.seed).fitted(signal.seconds)
    others = _others(labels, kind, wanted)  # what is missing is said before anybody judges
    judged = 0
    if labels != "annotations":
        known = _beats(taken, signal, labels, wanted)
        if known is None:
            return None
        beats, judged = known
        signal = replace(signal, record=labelled(signal, beats))
    stream, first = sources.origin(taken)
    signal = replace(signal, record=replace(signal.record, record=stream, wearer=wanted.patient))
    _require_labels(signal)
    new, verdict, version = _made(signal, first, labels, others, wanted)
    serves = wanted.force or not verdict.objections
    if serves:
        stored().activate(wanted.patient, version, forced=bool(verdict.objections))
    report = sources.place_of(taken, wanted.patient).with_suffix(sources.REPORT)
    done = Enrolled(version, serves, signal, new, wanted.old, verdict, report, judged)
    try:
        report.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(report, page(done).encode())
    except OSError as error:
        raise UsageError(
            f"Version {version} is stored, but its report {report} cannot be written: "
            f"{error.strerror}."
        ) from error
    return done


def _beats(
    taken: Record, signal: EnrolmentSignal, labels: LabelSource, wanted: EnrolmentRequest
) -> tuple[NDArray[np.int8], int] | None:
    """Return the labels of the beats and how many were judged; None if the review was left.

    The signal is kept.
    """
    kept = sources.keep(taken, wanted.patient)
    if labels == "assumed normal":
        return np.full(len(signal.beats), NORMAL, dtype=np.int8), 0
    return reviewed(signal, wanted.start, kept, wanted.patient)


def _require_labels(signal: EnrolmentSignal) -> None:
    early = signal.record.labels[: signal.seconds - HELD_OUT_S]
    if (known := int(np.sum(early != UNLABELLED))) < LEAST:
        raise UsageError(
            f"Only {known} seconds of {signal.record.record} have a label: judge more beats, or "
            "take another signal."
        )


def _others(labels: LabelSource, kind: type[WindowNetwork], wanted: EnrolmentRequest) -> _Others:
    """Load what comes from other wearers; what is only calibrated rehearses nothing."""
    rehearsal = () if labels == "assumed normal" else splits.TRAINING
    names = [*rehearsal, *gate.PANEL]
    with long_work() as bar:
        task = bar.add_task("Other wearers", total=len(names), note="")
        sets = load(names, kind, wanted.data, lambda name: bar.update(task, advance=1, note=name))
    n = len(rehearsal)
    recordings = noise.load(kind.geometry, wanted.data) if rehearsal else ()
    return _Others(sets[:n], sets[n:], recordings)


def _made(
    signal: EnrolmentSignal,
    first: int,
    labels: LabelSource,
    others: _Others,
    wanted: EnrolmentRequest,
) -> tuple[Model, gate.Verdict, int]:
    """Make the model, compare it with the one in service, and store it."""
    seed, record, start = wanted.seed, signal.record, wanted.start
    if labels == "assumed normal":
        way = assumed_normal(start, signal, seed)
    else:
        way = tuning(start, record, others.rehearsal, seed, others.noise, labels=labels)
    try:
        with long_work() as bar, tempfile.TemporaryDirectory() as folder:
            task = bar.add_task("Fits", total=2, note="")
            new = enrol(
                start,
                record,
                way,
                seed,
                made := Path(folder) / "new.onnx",
                first=first,
                seconds=signal.seconds,
                progress=lambda: bar.update(task, advance=1),
            )
            verdict = gate.compare(
                new, wanted.old, record, others.panel, first=first, seconds=signal.seconds
            )
            return new, verdict, stored().add(wanted.patient, made)
    except OSError as error:
        raise UsageError(
            f"The new model cannot be written in {tempfile.gettempdir()}: {error.strerror}."
        ) from error
