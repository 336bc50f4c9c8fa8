"""Kachuee's beats: the public data set's, and what each one is."""

import numpy as np
import pytest
from scipy.signal import argrelmax

from ecgmon.core.annotations import Annotations
from ecgmon.core.errors import RecordError
from ecgmon.records import Record
from ecgmon.records.find import find
from ecgmon.records.read import read
from ecgmon.signal.beat_segments import BEAT_RATE
from trainer.data.beats.kachuee import CLASSES, _resampled, annotated_beats, detected_beats
from trainer.data.examples import Examples
from trainer.data.splits import RECORDS


def rhythm(rr, n=14, symbols=None, rate=360):
    """Narrow peaks of 1 mV, ``rr`` samples apart, from half an interval on."""
    at = rr // 2 + rr * np.arange(n)
    time = np.arange(n * rr)
    signal = np.exp(-0.5 * ((time[:, None] - at) / (0.01 * rate)) ** 2).sum(1)
    marks = Annotations(at.astype(np.int64), tuple(symbols or "N" * n))
    counts = np.rint(200 * signal).astype(np.int16)
    return Record("made", "made", rate, 200, "II", counts, marks)


@pytest.mark.slow
def test_the_rule_that_the_publication_gives_does_not_lead_to_its_data_set(mitdb):
    """Local maxima above 0.9 of a strip of ten seconds: 68,654, where there are 109,446 beats."""
    strip = 10 * BEAT_RATE
    found = 0
    for name in RECORDS:
        resampled = _resampled(read(find(name, mitdb.parent)), BEAT_RATE)
        for start in range(0, len(resampled) - strip + 1, strip):
            piece = resampled[start : start + strip]
            threshold = piece.min() + 0.9 * np.ptp(piece)
            found += np.count_nonzero(piece[argrelmax(piece)] > threshold)
    assert found == pytest.approx(68_654, rel=0.005)


@pytest.mark.thorough
def test_the_public_data_set_comes_out_class_by_class(mitdb):
    each = [annotated_beats(read(find(name, mitdb.parent))) for name in RECORDS]
    beats = Examples.joined(each)
    assert len(beats) == 109_446
    assert dict(zip(CLASSES, beats.counts.tolist(), strict=True)) == {
        "N": 90_589,
        "S": 2_779,
        "V": 7_236,
        "F": 803,
        "Q": 8_039,
    }
    assert (beats.inputs.min(), beats.inputs.max()) == (0, 1)


def test_a_beat_starts_at_its_peak_and_is_1_2_intervals_long():
    beats = annotated_beats(rhythm(rr=288))  # 0.8 s, 100 samples at 125 Hz
    assert beats.inputs.shape == (13, 1, 187)
    for beat in beats.inputs[:12, 0]:
        assert beat[0] > 0.95
        assert beat[99:102].max() > 0.95  # the next one
        assert (beat[120:] == 0).all()
        assert (beat[:120] > 0).sum() > 50


def test_the_last_beat_has_no_interval_and_is_left_out():
    record = rhythm(rr=288, symbols="NAVFQ/LRejEaJS")
    assert [CLASSES[label] for label in annotated_beats(record).labels] == list("NSVFQQNNNNVSS")


def test_what_is_no_beat_is_passed_over():
    record = rhythm(rr=288, symbols='N+~|N"NNNNNNNN')
    assert len(annotated_beats(record)) == 9


def test_a_slow_hearts_beat_is_cut_at_187_samples():
    beats = annotated_beats(rhythm(rr=720))
    assert beats.inputs.shape[2] == 187
    assert (beats.inputs[:, 0, 0] > 0.95).all()


def test_the_detector_replaces_missing_annotations():
    record = rhythm(rr=288, n=20)
    found = detected_beats(record, 1, ("a", "b"))
    marked = annotated_beats(record)
    assert set(found.labels) == {1}
    apart = np.abs(found.samples[:, None] - marked.samples)
    assert len(found) >= len(marked) - 2  # the detector may miss the first
    assert apart.min(1).max() <= 6


def test_a_record_without_annotations_cannot_be_learned_from():
    record = rhythm(rr=288)
    bare = Record("made", "made", 360, 200, "II", record.samples)
    with pytest.raises(RecordError, match="has no annotations to learn from"):
        annotated_beats(bare)
