"""The enrolment of a model of windows: from a request to a model in service, step by step.

Modules that need torch, which takes seconds to load, are imported where they are used, so that an
impossible request is refused before.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ecgmon.core.constants import WINDOW
from ecgmon.core.errors import BundleError, UsageError
from ecgmon.core.labels import NORMAL, UNLABELLED
from ecgmon.models.bundle import Model
from ecgmon.models.resolve import GENERIC, resolve
from ecgmon.terminal.progress import long_work
from trainer.data import noise, splits
from trainer.data.dataset import RecordSet, load
from trainer.enrolment import signal, sources
from trainer.enrolment.base import BaseEnrolment, require_terminal
from trainer.networks import TRAINABLE

if TYPE_CHECKING:
    from ecgmon.models.card import Card
    from trainer.enrolment.enrol import EnrolmentMethod
    from trainer.enrolment.enrolled import Enrolled
    from trainer.enrolment.gate import Verdict
    from trainer.enrolment.signal import EnrolmentSignal
    from trainer.networks.window_networks import WindowNetwork
    from trainer.training.batches import Noise

MIN_LABELLED_S: Final = 60
"""Enrolment needs at least this many labelled seconds before the last minute."""


@dataclass(frozen=True, eq=False, slots=True)
class _OtherWearers:
    """Records to rehearse, records of the gate's panel, and recordings of noise."""

    rehearsal: list[RecordSet]
    panel: list[RecordSet]
    noise: "Noise"


class Enrolment(BaseEnrolment):
    """An enrolment of a model of windows; see `BaseEnrolment`."""

    _start: Path
    _base: "Card"
    _old: Model
    _serving: "Card"

    def _load_models(self) -> "Card":
        self._start = self._request.generic or resolve(GENERIC, None)
        start = Model.load(self._start)
        self._base = start.card
        if self._base.network not in TRAINABLE:
            raise BundleError(
                f"{self._start} holds a network this version cannot train: {self._base.network}."
            )
        serving = Model.load(resolve(None, self._request.patient))
        self._serving = serving.card
        same = self._serving.geometry == self._base.geometry
        self._old = serving if same else start  # windows cut for the one do not fit the other
        return self._base

    def _run(self) -> "Enrolled | None":
        from trainer.enrolment import report
        from trainer.enrolment.enrolled import Enrolled
        from trainer.networks.window_networks import NETWORKS

        request, kind = self._request, NETWORKS[self._base.network]
        prepared = signal.take(self._record, kind, len(self._record.samples) // WINDOW - 1)
        signal.require_eligible(
            self._base, prepared.record.record, len(prepared.record), prepared.seconds
        )
        self._require_judgeable(prepared)
        others = self._load_others(kind)  # missing records are reported before a review begins
        labelled = self._label(prepared)
        if labelled is None:
            return None
        prepared, judged = labelled
        stream, first = sources.origin(self._record.name)
        own = replace(prepared.record, record=stream, wearer=request.patient)
        prepared = replace(prepared, record=own)
        _require_labels(prepared)
        new, verdict, version = self._make(prepared, first, others)
        serves = self._serve(version, verdict.objections)
        done = Enrolled(
            version=version,
            in_service=serves,
            signal=prepared,
            new=new,
            old=self._old,
            verdict=verdict,
            report=self._report,
            judged=judged,
        )
        report.write(done, report.page(done))
        return done

    def _require_judgeable(self, prepared: "EnrolmentSignal") -> None:
        """Raise `EcgmonError` if the signal cannot be labelled in the requested way."""
        if self._reviewed:
            from trainer.enrolment.review.clinician import kept_labels

            kept_labels(prepared, sources.place_of(self._record, self._request.patient))
        elif self._labels == "review":
            require_terminal(f"nothing says what is normal in {self._record.name}", self._request)
        if self._labels == "assumed normal":
            self._calibration(prepared).fitted(prepared.seconds)

    def _load_others(self, kind: "type[WindowNetwork]") -> _OtherWearers:
        """Load the records of other wearers; without labels there is no rehearsal."""
        from trainer.enrolment import gate

        data = self._request.data
        rehearsal = () if self._labels == "assumed normal" else splits.TRAINING
        names = [*rehearsal, *gate.PANEL]
        with long_work() as bar:
            task = bar.add_task("Other wearers", total=len(names), note="")
            sets = load(names, kind, data, lambda name: bar.update(task, advance=1, note=name))
        n = len(rehearsal)
        recordings = noise.load(kind.geometry, data) if rehearsal else ()
        return _OtherWearers(sets[:n], sets[n:], recordings)

    def _label(self, prepared: "EnrolmentSignal") -> "tuple[EnrolmentSignal, int] | None":
        """Return the labelled signal and the number of judged beats; None if a review was left.

        A signal that is not labelled by annotations is stored.
        """
        if self._labels == "annotations":
            return prepared, 0
        from trainer.enrolment.labelled import labelled

        path = sources.keep(self._record, self._request.patient)
        labels, judged = np.full(len(prepared.beats), NORMAL, dtype=np.int8), 0
        if self._labels == "review":
            from trainer.enrolment.review.clinician import kept_labels, review_beats

            answered = (
                kept_labels(prepared, path)
                if self._reviewed
                else review_beats(prepared, self._start, path, self._request.patient)
            )
            if answered is None:
                return None
            labels, judged = answered
        return replace(prepared, record=labelled(prepared, labels)), judged

    def _make(
        self, prepared: "EnrolmentSignal", first: int, others: _OtherWearers
    ) -> "tuple[Model, Verdict, int]":
        """Make the model, compare it with the old one, and store it."""
        from trainer.enrolment import gate
        from trainer.enrolment.enrol import enrol

        seed, record, seconds = self._request.seed, prepared.record, prepared.seconds
        method = self._method(prepared, others)

        def make(path: Path) -> "tuple[Model, Verdict]":
            with long_work() as bar:
                task = bar.add_task("Fits", total=2, note="")
                new = enrol(
                    self._start,
                    record,
                    method,
                    seed,
                    path,
                    first=first,
                    seconds=seconds,
                    progress=lambda: bar.update(task, advance=1),
                )
                return new, gate.compare(
                    new,
                    self._old,
                    record,
                    others.panel,
                    serving=self._serving,
                    first=first,
                    seconds=seconds,
                )

        (new, verdict), version = self._store(make)
        return new, verdict, version

    def _method(self, prepared: "EnrolmentSignal", others: _OtherWearers) -> "EnrolmentMethod":
        from trainer.enrolment.enrol import tuning

        if self._labels == "assumed normal":
            return self._calibration(prepared)
        return tuning(
            self._start,
            prepared.record,
            others.rehearsal,
            self._request.seed,
            others.noise,
            labels=self._labels,
        )

    def _calibration(self, prepared: "EnrolmentSignal") -> "EnrolmentMethod":
        from trainer.enrolment.baseline import assumed_normal

        return assumed_normal(self._start, prepared, self._request.seed)


def _require_labels(prepared: "EnrolmentSignal") -> None:
    """Raise `UsageError` if too few seconds before the last minute have a label."""
    from trainer.enrolment.enrol import HELD_OUT_S

    early = prepared.record.labels[: prepared.seconds - HELD_OUT_S]
    if (known := int(np.sum(early != UNLABELLED))) < MIN_LABELLED_S:
        raise UsageError(
            f"Only {known} seconds of {prepared.record.record} have a label: judge more beats, or "
            "take another signal."
        )
