"""Figures of ventricular rhythms: episodes, delays, false alarms, and seconds told normal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray
from rhythms_judged import JudgedRhythms

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.models.bundle import Model
from ecgmon.models.rhythm_bundle import RhythmModel
from ecgmon.offline import judge_record
from ecgmon.records import Record
from ecgmon.signal import Geometry, SignalChain
from monitor.inference.rhythms import DOUBTFUL, classify_rhythms
from trainer.data.rhythm_seconds import WHOLE, share_of_seconds
from trainer.evaluation.ec57.files import read_annotations
from trainer.evaluation.rhythms.episodes import EpisodeCounts, Span, delays, overlap, touched
from trainer.evaluation.rhythms.page import asystoles
from trainer.evaluation.rhythms.record import (
    ASYSTOLE,
    LONG,
    RhythmRecord,
    rhythm_record,
)


@dataclass(frozen=True)
class JudgedRecord:
    """A record with all that is asked of it.

    Parameters
    ----------
    of : RhythmRecord
        Its rhythms and alarms.
    ventricular, told_normal, missed : int
        Seconds of fibrillation or tachycardia without annotated noise, those of them whose verdict
        was *normal*, and those in which the rhythm model says nothing against a window model.
    judged, lost : int
        Other seconds that the window model judges, and those whose verdict *normal* is no more.
    asystoles : list of list of str
        Of each annotated asystole: record, beginning and length in s, delay of the alarm in s, and
        how many of its seconds were called noisy, and absent.
    """

    of: RhythmRecord
    ventricular: int
    told_normal: int
    missed: int
    judged: int
    lost: int
    asystoles: list[list[str]]

    @property
    def database(self) -> str:
        """Its database."""
        return self.of.name.partition("/")[0]


def judged_record(record: Record, one: JudgedRhythms, windows: Model) -> JudgedRecord:
    """Return the figures of a record at 360 Hz that was judged."""
    published = read_annotations(one.annotations, record.rate, "remove it")
    rhythms = rhythm_record(record, published)
    verdicts = one.verdicts()
    alone = judge_record(record, windows)
    n = len(alone.state)
    inside = share_of_seconds(rhythms.ventricular, n)
    noise = share_of_seconds(rhythms.noise, n)
    normal = np.isfinite(alone.probability) & ~alone.abnormal
    kept = np.array([verdicts.get(k * WINDOW, ("", None))[1] is False for k in range(n)])
    ventricular = (inside >= WHOLE) & (noise == 0)
    other = (inside == 0) & np.isfinite(alone.probability)
    return JudgedRecord(
        rhythms,
        int(ventricular.sum()),
        int((ventricular & kept).sum()),
        int((ventricular & np.isfinite(alone.probability) & ~overruling(record, one)[:n]).sum()),
        int(other.sum()),
        int((other & normal & ~kept).sum()),
        [
            [*cells, *states_between(verdicts, *span)]
            for cells, span in zip(asystoles([rhythms]), rhythms.annotated[ASYSTOLE], strict=True)
        ],
    )


def states_between(
    verdicts: Mapping[int, tuple[str, bool | None]], start: int, stop: int
) -> Iterator[str]:
    """Yield how many whole seconds between two samples were called noisy, and how many absent."""
    inside = [
        verdicts.get(first, ("", None))[0]
        for first in range(-(-start // WINDOW) * WINDOW, stop - WINDOW + 1, WINDOW)
    ]
    for state in ("noisy", "absent"):
        yield str(inside.count(state))


def overruling(record: Record, one: JudgedRhythms) -> NDArray[np.bool_]:
    """Return in which seconds of a record no window model's *normal* stands, whatever it is."""
    found = np.zeros(len(record.samples) // WINDOW, dtype=bool)
    if one.rhythms is None:
        return found
    chain = SignalChain(Geometry(history_s=0, look_ahead_s=0, rate=RATE), 1)
    inputs = chain.push(np.zeros(1, dtype=np.intp), [record.millivolts()]).rhythms
    model = RhythmModel.load(one.rhythms)
    for _, end, verdict in classify_rhythms(inputs, {0: model}):
        found[end // WINDOW - 1] = verdict is not None and verdict.ventricular >= DOUBTFUL
    return found


def long(spans: Iterable[Span]) -> list[Span]:
    """Return the spans of 10 s and longer."""
    return [one for one in spans if one[1] - one[0] >= LONG]


def counts(one: JudgedRecord, kind: str | None) -> EpisodeCounts:
    """Count the long episodes of a rhythm; None for both rhythms and alarms as one.

    An announced episode that overlaps a shorter annotated one, or noise, is neither true nor false.
    """
    of = one.of
    annotated = of.ventricular if kind is None else of.annotated[kind]
    announced = of.alarms if kind is None else of.announced[kind]
    short = [span for span in annotated if span not in long(annotated)]
    return EpisodeCounts.of(long(annotated), announced, [*short, *of.noise])


def either_counts(one: JudgedRecord, kind: str) -> tuple[int, int]:
    """Return how many long episodes of a rhythm there are, and of how many any alarm was raised."""
    annotated = long(one.of.annotated[kind])
    return len(annotated), sum(touched(span, one.of.alarms) for span in annotated)


def short_counts(those: Iterable[JudgedRecord], kind: str) -> tuple[int, int]:
    """Return how many episodes shorter than 10 s there are, and how many were announced."""
    spans = [
        (span, one.of.alarms)
        for one in those
        for span in one.of.annotated[kind]
        if span not in long(one.of.annotated[kind])
    ]
    return len(spans), sum(touched(span, alarms) for span, alarms in spans)


def total(those: Iterable[JudgedRecord], kind: str | None) -> EpisodeCounts:
    """Return the counts of all."""
    return sum((counts(one, kind) for one in those), EpisodeCounts())


def mean_sensitivity(those: Iterable[JudgedRecord], kind: str) -> float:
    """Return the mean over records of the share of long episodes of which any alarm was raised."""
    each = [either_counts(one, kind) for one in those]
    return fmean(found / of for of, found in each if of)


def median_delay(those: Sequence[JudgedRecord], kind: str) -> float:
    """Return the median delay in seconds of the first alarm of either kind."""
    return median(
        delay for one in those for delay in delays(long(one.of.annotated[kind]), one.of.alarms)
    )


def false_per_hour(those: Sequence[JudgedRecord]) -> tuple[int, float]:
    """Return false alarms of either kind, and the hours in which none was due."""
    return sum(len(one.of.false) for one in those), sum(one.of.outside_hours for one in those)


def noise_share(one: JudgedRecord) -> float:
    """Return the share of annotated noise in which an alarm stood."""
    whole = sum(stop - start for start, stop in one.of.noise)
    inside = sum(overlap(span, alarm) for span in one.of.noise for alarm in one.of.alarms)
    return inside / whole if whole else 0.0
