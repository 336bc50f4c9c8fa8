"""The enrolment of a model of beats: from a request to a model in service, step by step.

Modules that need torch are imported where they are used (`trainer.enrolment.base`).
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ecgmon.core.constants import RATE
from ecgmon.core.errors import BundleError, UsageError
from ecgmon.models.beat_bundle import BeatCard, BeatModel
from ecgmon.models.card import JudgedClasses
from ecgmon.models.loading import load_beats
from ecgmon.models.resolve import GENERIC_BEATS, beats_of, built_in
from ecgmon.terminal.progress import long_work
from trainer.enrolment import sources
from trainer.enrolment.base import BaseEnrolment, require_terminal
from trainer.enrolment.own_beats import signal

if TYPE_CHECKING:
    from trainer.enrolment.own_beats.enrolled import EnrolledBeats
    from trainer.enrolment.own_beats.gate import BeatVerdict
    from trainer.enrolment.own_beats.others import OtherPeople
    from trainer.enrolment.own_beats.signal import BeatSignal

MIN_BEATS: Final = 60
"""Enrolment needs at least this many beats with a class before the last minute."""


class BeatEnrolment(BaseEnrolment):
    """An enrolment of a model of beats; see `BaseEnrolment`."""

    _start: Path
    _old: BeatModel

    def _load_models(self) -> BeatCard:
        if self._request.labels == "assumed normal":
            raise UsageError(
                "A model of beats learns classes, and a signal that is assumed normal has but one: "
                "leave --assume-normal out to judge twenty beats."
            )
        self._start = self._request.generic or built_in()[GENERIC_BEATS]
        start = load_beats(self._start)
        if start.card.network != GENERIC_BEATS:
            raise BundleError(
                f"{self._start} holds a network this version cannot fine-tune: "
                f"{start.card.network}."
            )
        old = beats_of(self._request.patient) or built_in()[GENERIC_BEATS]
        self._old = load_beats(old)
        if self._old.card.classes != start.card.classes:
            raise BundleError(
                f"{self._old.card.name}, in service for {self._request.patient}, knows other "
                f"classes than {self._start} and cannot be compared with it: roll it back with "
                f"ecgmon models rollback {self._request.patient} --beats."
            )
        return start.card

    def _run(self) -> "EnrolledBeats | None":
        from trainer.enrolment.own_beats import others, report
        from trainer.enrolment.own_beats.enrolled import EnrolledBeats

        request = self._request
        prepared = signal.take(self._record)
        if self._labels == "review":
            require_terminal(
                f"nothing says of which class beats of {self._record.name} are", request
            )
        # Missing records are reported before a review begins.
        people = others.load(self._record.name, request.data, request.seed)
        labelled = self._label(prepared)
        if labelled is None:
            return None
        prepared, judged = labelled
        stream, first = sources.origin(self._record.name)
        prepared = replace(prepared, beats=replace(prepared.beats, record=stream), first=first)
        _require_classes(prepared)
        (new, verdict), version = self._store(lambda path: self._make(prepared, people, path))
        serves = self._serve(version, verdict.objections)
        done = EnrolledBeats(
            version=version,
            in_service=serves,
            signal=prepared,
            labels=self._labels,
            new=new,
            old=self._old,
            verdict=verdict,
            report=self._report,
            judged=judged,
        )
        report.write(done)
        return done

    def _label(self, prepared: "BeatSignal") -> "tuple[BeatSignal, int] | None":
        """Return the signal with classes and the number of judged beats; None if a review was left.

        A signal that is not labelled by annotations is stored.
        """
        if self._labels == "annotations":
            return prepared, 0
        from trainer.enrolment.likeness import alike
        from trainer.enrolment.questions import ClassQuestions
        from trainer.enrolment.review.clinician import judge_beats
        from trainer.training.own_beats import restore

        path = sources.keep(self._record, self._request.patient)
        beats = prepared.beats
        questions = ClassQuestions(beats.samples, *alike(restore(self._start), beats))
        patient = self._request.patient
        answered = judge_beats(questions, prepared.filtered, "beat", path, patient)
        if answered is None:
            return None
        labels, judged = answered
        return replace(prepared, beats=replace(beats, labels=labels)), judged

    def _make(
        self, prepared: "BeatSignal", people: "OtherPeople", path: Path
    ) -> "tuple[BeatModel, BeatVerdict]":
        """Write the bundle, and compare the model with the one in service."""
        from trainer.enrolment.enrol import HELD_OUT_S
        from trainer.enrolment.own_beats import gate
        from trainer.training.own_beats import adapt, export_own

        request, beats, seconds = self._request, prepared.beats, prepared.seconds
        minute = gate.last_minute(prepared)

        def fitted(until: int, name: Path, judged: JudgedClasses | None = None) -> BeatModel:
            stop = until * RATE
            network = adapt(self._start, beats, stop, people.rehearsal, request.seed)
            return export_own(
                network,
                self._start,
                beats,
                until,
                request.patient,
                name,
                first=prepared.first,
                judged=judged,
            )

        with long_work() as bar:
            task = bar.add_task("Fits", total=2, note="")
            without = fitted(seconds - HELD_OUT_S, path.with_name("without.onnx"))
            counts = gate.counted(without, beats, minute)
            bar.update(task, advance=1)
            protocol = (
                f"last minute of the enrolment ({self._labels}), fitted to what lies before it"
            )
            judged = JudgedClasses(protocol, (beats.record,), counts) if minute.any() else None
            new = fitted(seconds, path, judged)
            bar.update(task, advance=1)
        return new, gate.compare(new, counts, self._old, prepared, self._labels, people.panel)


def _require_classes(prepared: "BeatSignal") -> None:
    """Raise `UsageError` if too few beats before the last minute have a class."""
    from trainer.enrolment.enrol import HELD_OUT_S

    early = prepared.beats.samples < (prepared.seconds - HELD_OUT_S) * RATE
    if (known := int(np.sum(early & prepared.labelled))) < MIN_BEATS:
        raise UsageError(
            f"Only {known} beats of {prepared.beats.record} have a class: judge more beats, or "
            "take another signal."
        )
