"""Classes with a stream's state that cut beats, describe them and name their kinds."""

from types import SimpleNamespace

import numpy as np

from ecgmon.core.constants import RATE
from ecgmon.models.beat_kinds import BeatKinds
from ecgmon.signal.beat_cutter import BeatSegments
from ecgmon.signal.beat_segments import LENGTH, BeatContexts
from ecgmon.signal.latest_shapes import LatestShapes
from ecgmon.signal.sample_history import SampleHistory
from ecgmon.signal.shape_context import ShapeContext
from tests.support.streaming import Streaming, bits, first_of, rows_of, with_holes


def known_to(row, stop):
    """What a chain knows of a row: noise that follows from the stream index, with holes."""
    begin, kept = stop - 3 * RATE, []
    at = np.arange(begin, stop).reshape(-1, RATE)
    for values in (np.sin(at**2 % 1013).astype(np.float32), (at % 3001 > 90) & (at >= 0)):
        history = SampleHistory(row + 1, 3 * RATE, values.dtype)
        history.reset(row, begin)
        for piece, first in zip(values, at[:, 0], strict=True):
            history.append(rows_of(row), first_of(first), piece[None])
        kept.append(history)
    return SimpleNamespace(filtered=kept[0], valid=kept[1])


def drive_segments(made, row, at, x):
    """A beat every 250 samples or so, given at once; the filters begin anew now and then."""
    found, end = [], at + len(x)
    while at < end:
        stop = min(end, at - at % RATE + RATE, at + (3999 - at) % 4999 + 1)
        if at % 4999 == 4000:
            made.begin(row, at)
        made.add(row, [k - 107 for k in range(at, stop) if k % 250 == 0 and k >= 107])
        if stop % RATE == 0:
            made.rescale(rows_of(row), first_of(stop), np.float32([0.5 + stop % 7]))
        if cut := made.complete(known_to(row, stop), rows_of(row), first_of(stop)):
            cut = zip(cut.at.tolist(), cut.inputs, cut.settled.tolist(), strict=True)
            found += [(at, each.tobytes(), settled) for at, each, settled in cut]
        at = stop
    return found


def drive_shapes(made, row, at, signals):
    """Beats at intervals that follow from where the stream is."""
    usual = np.log([0.8])
    return [
        bits(
            made.add(
                rows_of(row), first_of(number), one[None], np.log([0.4 + number % 90 / 80]), usual
            )
        )
        for number, one in enumerate(signals, at)
    ]


def drive_contexts(made, row, at, signals):
    beats = [300 * number + number % 90 for number in range(at, at + len(signals))]
    rows = np.full(len(signals), row, dtype=np.intp)
    return [bits(each) for each in made.add(rows, np.array(beats), signals)]


def shapes(rng):
    return rng.normal(size=(300, LENGTH)).astype(np.float32)


def judged_beats(rng):
    """Inputs of beats of some kinds, and the number of the class that a model is surest of."""
    signals = rng.normal(size=(30, LENGTH))[rng.integers(0, 30, 200)]
    return list(zip(signals.astype(np.float32), rng.integers(0, 5, 200), strict=True))


def kinds_of(samples):
    """A beat in each second, of one of a few shapes."""
    beats = [at // RATE for at in samples if at % RATE == 0]
    time = np.arange(LENGTH, dtype=np.float32)
    return [(np.sin(time * (1 + beat % 4)), beat % 5) for beat in beats]


def drive_kinds(made, row, at, piece):
    said = np.eye(5, dtype=np.float32) * 0.9 + 0.02
    signals = np.array([signal for signal, _ in piece]).reshape(-1, LENGTH)
    rows = np.full(len(piece), row, dtype=np.intp)
    return made.steadied(rows, signals, said[[best for _, best in piece]], "NSVFQ").tolist()


OF_BEATS = [
    Streaming(BeatSegments, BeatSegments, with_holes, drive_segments),
    Streaming(ShapeContext, ShapeContext, shapes, drive_shapes),
    Streaming(
        LatestShapes,
        lambda rows: LatestShapes(rows, LENGTH),
        shapes,
        lambda made, row, at, signals: [
            bits(made.add(rows_of(row), first_of(number), one[None]))
            for number, one in enumerate(signals, at)
        ],
    ),
    Streaming(BeatContexts, BeatContexts, shapes, drive_contexts),
    Streaming(BeatKinds, BeatKinds, judged_beats, drive_kinds),
]
