"""Beats as Kachuee et al. (2018) cut them, the data of studies 3 to 5.

A strip of ten seconds is scaled to [0, 1]; a beat starts at its R peak, lasts 1.2 times the strip's
median RR interval and is filled with zeros to 187 samples at 125 Hz. The publication finds R peaks
as local maxima above 0.9 of the strip, of which the 48 records have 68,654. Its public data set has
109,446 beats: every annotated beat of the records but the last of each, class by class. So beats
start at their annotations. Where there are none (PTB) they start where the monitor's detector finds
them: lead II is often inverted in infarction, and its maxima are then no R peaks.
"""

from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from ecgmon.core.constants import RATE
from ecgmon.core.errors import RecordError
from ecgmon.core.labels import AAMI_CLASSES, is_beat
from ecgmon.records import Record
from ecgmon.signal import detect_beats
from ecgmon.signal.beat_segments import BEAT_RATE, LENGTH
from trainer.data.examples import Examples

CLASSES: Final = ("N", "S", "V", "F", "Q")
"""The AAMI classes, in the order of the public data set."""
_STRIP: Final = 10 * BEAT_RATE
_OF_RR: Final = 1.2


def annotated_beats(record: Record) -> Examples:
    """Cut an annotated record into beats with their AAMI classes.

    The last beat is left out: there is no RR interval after it.

    Raises
    ------
    RecordError
        If it has no annotations.
    """
    if record.annotations is None:
        raise RecordError(f"{record.name} has no annotations to learn from: choose another.")
    which = is_beat(record.annotations)
    samples = record.annotations.samples[which]
    symbols = np.array(record.annotations.symbols)[which]
    classes = [CLASSES.index(AAMI_CLASSES[symbol]) for symbol in symbols[:-1]]
    labels = np.array(classes, dtype=np.int8)
    peaks = np.rint(samples * (BEAT_RATE / record.rate)).astype(np.intp)
    return _examples(record, peaks, labels, CLASSES)


def detected_beats(record: Record, label: int, classes: tuple[str, ...]) -> Examples:
    """Cut a record at the beats that the monitor's detector finds; all are of one class."""
    found = detect_beats(_resampled(record, RATE))
    peaks = np.rint(found * (BEAT_RATE / RATE)).astype(np.intp)
    return _examples(record, peaks, np.full(max(len(peaks) - 1, 0), label, np.int8), classes)


def _examples(
    record: Record, peaks: NDArray[np.intp], labels: NDArray[np.int8], classes: tuple[str, ...]
) -> Examples:
    """Cut a beat from each peak but the last."""
    whole_record = _resampled(record, BEAT_RATE)
    inputs = np.zeros((len(labels), 1, LENGTH), dtype=np.float32)
    strip_of = peaks[:-1] // _STRIP
    for number in np.unique(strip_of):
        own = np.flatnonzero(strip_of == number)
        strip = whole_record[number * _STRIP : (number + 1) * _STRIP]
        # The interval to the beat after the strip's last one counts too: a strip of a very slow
        # heart may hold a single beat.
        rr = np.diff(peaks[own[0] : own[-1] + 2])
        length = min(round(_OF_RR * float(np.median(rr))), LENGTH)
        low, high = strip.min(), strip.max()
        for beat in own:
            piece = whole_record[peaks[beat] : peaks[beat] + length]
            inputs[beat, 0, : len(piece)] = np.clip((piece - low) / max(high - low, 1e-9), 0, 1)
    samples = np.rint(peaks[:-1] * (RATE / BEAT_RATE)).astype(np.int64)
    wearers = np.full(len(labels), record.wearer)
    return Examples(inputs, labels, wearers, samples, classes)


def _resampled(record: Record, rate: int) -> NDArray[np.float64]:
    """Return a record in mV at another rate; what was not measured counts as the median."""
    values = record.millivolts()
    values = np.where(np.isfinite(values), values, np.nanmedian(values))
    ratio = Fraction(rate / record.rate).limit_denominator(1000)
    resampled: NDArray[np.float64] = signal.resample_poly(
        values, ratio.numerator, ratio.denominator, padtype="line"
    )
    return resampled
