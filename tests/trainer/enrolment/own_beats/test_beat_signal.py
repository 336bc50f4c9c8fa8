"""An enrolment of beats learns from the beats that a monitor cuts."""

from dataclasses import replace

import numpy as np
import pytest

from ecgmon.core.constants import NO_VALUE, RATE
from ecgmon.core.errors import RecordError
from ecgmon.signal import Geometry, SignalChain
from ecgmon.signal.beat_cutter import BeatSegments, CutBeats
from trainer.data.beats.kachuee import CLASSES
from trainer.data.people import people, shipped
from trainer.enrolment.own_beats.others import PANEL, REHEARSED
from trainer.enrolment.own_beats.signal import take


def test_the_beats_are_those_of_the_monitor_with_the_classes_of_experts(record):
    signal = take(record)
    assert signal.seconds == len(record.samples) // RATE - 1
    assert len(signal.filtered) == signal.seconds * RATE
    cutter = CutBeats(BeatSegments(1), [0])
    SignalChain(Geometry(3, 0.5, 120), 1).push(
        np.zeros(1, dtype=np.intp), record.millivolts()[None], follow=cutter
    )
    pushed = cutter.found()
    at = {int(sample): i for i, sample in enumerate(pushed.at)}
    inputs = np.stack([pushed.inputs[at[int(sample)]] for sample in signal.beats.samples])
    np.testing.assert_array_equal(inputs, signal.beats.inputs)
    assert signal.labelled.mean() > 0.97
    assert (signal.beats.labels == CLASSES.index("V")).sum() > 10


def test_seconds_without_signal_have_no_beats(record):
    samples = record.samples.copy()
    samples[30 * RATE : 50 * RATE] = NO_VALUE
    beats = take(replace(record, samples=samples)).beats
    assert beats.usable.all()
    assert not ((beats.samples > 30 * RATE) & (beats.samples < 50 * RATE)).any()
    assert (beats.samples > 60 * RATE).any()


def test_a_dead_line_is_refused(record):
    flat = replace(record, samples=np.full_like(record.samples, 100))
    with pytest.raises(RecordError, match=r"only .* can be used"):
        take(flat)


def test_who_is_rehearsed_trained_the_built_in_model_and_the_panel_did_not():
    trained = {person.records[0]: person for person in shipped().training}
    assert {*REHEARSED} <= {*trained}
    assert len(REHEARSED) == 12
    assert all(trained[name].fold is not None for name in REHEARSED)  # nobody is paced
    assert {*PANEL}.isdisjoint(record for person in trained.values() for record in person.records)
    assert {*PANEL} <= {person.records[0] for person in people() if person.chooses}
