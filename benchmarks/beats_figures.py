"""The figures of docs/results/beats.md, from what the monitor published of each record."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from beats_alarms import AnnotatedRun, NamedAlarm, alarms, latency_s, naming, runs, unjustified
from beats_judged import Judging

from ecgmon.core.constants import RATE
from ecgmon.records.fetch import obtain
from ecgmon.records.formats.wfdb.header import read_header
from trainer.data.people import people, record_names
from trainer.data.protocol_splits import DS2, NON_PACED
from trainer.evaluation.ec57.comparison import Comparison, gross, to_marks
from trainer.evaluation.ec57.files import compare_files, read_annotations
from trainer.evaluation.ec57.marks import Marks

QUIET: Final = tuple(f"mitdb/{n}" for n in "100 101 103 112 115 117 121 122 123".split())
ONE_BY_ONE: Final = tuple(f"mitdb/{n}" for n in "203 207 208 213 223 233".split())


def _records(database: str, *, choosers: bool = True) -> tuple[str, ...]:
    return tuple(
        record
        for record in record_names(
            one for one in people() if one.database == database and (choosers or not one.chooses)
        )
        if database != "mitdb" or record.partition("/")[2] in NON_PACED
    )


SETS: Final[Mapping[str, tuple[str, ...]]] = {
    "mitdb": _records("mitdb"),
    "mitdb without who chose": _records("mitdb", choosers=False),
    "DS2": tuple(f"mitdb/{name}" for name in DS2),
    "svdb": _records("svdb"),
    "svdb without who chose": _records("svdb", choosers=False),
}
"""Records by the name of the set."""
QTDB: Final = _records("qtdb")


@dataclass(frozen=True, slots=True)
class Judged:
    """A record and what came of it.

    Parameters
    ----------
    comparison : Comparison
        By EC57.
    reference : Marks
        Of the experts.
    raised : sequence of NamedAlarm
        What was named.
    hours : float
        How long it lasts.
    """

    comparison: Comparison
    reference: Marks
    raised: Sequence[NamedAlarm]
    hours: float

    @classmethod
    def read(cls, one: Judging) -> "Judged":
        """Compare the annotations that are kept of a record."""
        found = obtain(one.record)
        header = read_header(found)
        stop = round((header.length or 0) * RATE / header.rate)
        experts = read_annotations(found.path.with_name(f"{found.path.name}.atr"), header.rate, "")
        published = read_annotations(one.file, header.rate, "")
        return cls(
            compare_files(found, one.file),
            to_marks(experts, stop),
            alarms(published, stop),
            stop / RATE / 3600,
        )


@dataclass(frozen=True, slots=True)
class NamedRuns:
    """Annotated ventricular runs of some records and how they were named.

    Parameters
    ----------
    annotated, named : int
        Runs, and those of them in whose time an alarm of a ventricular run held.
    latencies : tuple of float
        Seconds from the third beat to the alarm, of those that no alarm held before.
    """

    annotated: int
    named: int
    latencies: tuple[float, ...]

    @classmethod
    def of(cls, records: Iterable[Judged], *, long: bool | None = None) -> "NamedRuns":
        """Count the runs of records; the long or the short ones alone where asked for."""
        annotated, found = 0, list[tuple[AnnotatedRun, NamedAlarm]]()
        for one in records:
            for run in runs(one.reference):
                if long is None or run.long is long:
                    annotated += 1
                    alarm = naming(run, one.raised)
                    found += [(run, alarm)] if alarm else []
        late = (latency_s(run, alarm) for run, alarm in found)
        return cls(annotated, len(found), tuple(s for s in late if s is not None))

    @property
    def share(self) -> float | None:
        """The share that was named."""
        return self.named / self.annotated if self.annotated else None

    @property
    def latency(self) -> str:
        """The median and the longest latency."""
        if not self.latencies:
            return "-"
        return f"{median(self.latencies):.1f} s, at most {max(self.latencies):.1f} s"


def of_set(records: Mapping[str, Judged], name: str) -> dict[str, Judged] | None:
    """Return what came of a set's records; None where one of them was not judged."""
    if any(record not in records for record in SETS[name]):
        return None
    return {record: records[record] for record in SETS[name]}


def total(records: Mapping[str, Judged]) -> Comparison:
    """Return the gross figures."""
    return gross({name: one.comparison for name, one in records.items()})


def f1(records: Mapping[str, Judged] | None, label: str) -> float | None:
    """Return the gross F1 of a class in %."""
    value = total(records).counts.figures()[label]["f1"] if records else None
    return None if value is None else 100 * value


def false_alarms(
    records: Mapping[str, Judged], kinds: Iterable[str]
) -> list[tuple[str, str, float]]:
    """Return record, kind and second of the alarms of some kinds that have no reason."""
    wanted = set(kinds)
    return [
        (name, alarm.kind, alarm.begin / RATE)
        for name, one in records.items()
        for alarm in unjustified(one.reference, one.raised)
        if alarm.kind in wanted
    ]
