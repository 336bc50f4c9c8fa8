"""How soon another usual beat is told, how often without a change: writes docs/results/drift.md.

Run by ``make drift``: some ten minutes. Records pass through the monitor's signal chain, and its
own functions compare the beats; not over sockets.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np
from alarms_ward import ROOT
from numpy.typing import NDArray
from rhythms import template

from ecgmon.core.annotations import Annotations
from ecgmon.core.constants import RATE
from ecgmon.core.labels import is_beat
from ecgmon.records import Record
from ecgmon.records.converted import converted
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from ecgmon.signal import Geometry, SignalChain
from ecgmon.signal.usual_beat import EVERY_S, SAMPLES, each_minute, likeness, middle
from monitor.alarms.conditions.usual_beat import LIMIT, MINUTES
from trainer.data.beats.leads import between
from trainer.data.people import people, record_names

PAGE: Final = ROOT / "docs" / "results" / "drift.md"
DATABASES: Final = ("mitdb", "svdb")
MINUTE: Final = EVERY_S * RATE
ENROLMENT: Final = 5
"""Minutes of a record that are its enrolment."""
CHANGE: Final = 15
"""Minute at which a change is simulated; the record's changed signal is then played to its end and
once more."""
LENGTH: Final = 30
TOGETHER: Final = 8
"""Records that are processed together."""
NONE: Final = "none"
OTHER: Final = "the other lead"
ANGLES: Final = (20, 40, 60)
LIMITS: Final = (0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
_GEOMETRY: Final = Geometry(history_s=0, look_ahead_s=0, rate=RATE)

Minutes = list[float | None]
"""How alike the usual beat of each minute is, None where it shows none."""


@dataclass(frozen=True)
class Worn:
    """A record, and how like its enrolment's its usual beat is without and after each change.

    Parameters
    ----------
    name : str
        The record.
    chooses : bool
        Whether the limit may be chosen on its wearer.
    minutes : dict of str to Minutes
        From the enrolment on without a change, from the change on with one; none at all where the
        enrolment shows no usual beat.
    annotations : Annotations
        The experts' annotations.
    """

    name: str
    chooses: bool
    minutes: dict[str, Minutes]
    annotations: Annotations

    @property
    def database(self) -> str:
        """The record's database."""
        return self.name.partition("/")[0]

    def told(self, change: str, limit: float = LIMIT) -> int | None:
        """Return after how many minutes the condition begins, None if it does not."""
        run = 0
        for minute, one in enumerate(self.minutes[change], 1):
            if one is not None:
                run = run + 1 if one < limit else 0
            if run == MINUTES:
                return minute
        return None

    def beats(self, start: int, stop: int) -> str:
        """Return how often experts name the two commonest kinds of beat between two minutes."""
        inside = self.annotations.between(start * MINUTE, stop * MINUTE)
        beats = zip(inside.symbols, is_beat(inside), strict=True)
        counts = Counter(symbol for symbol, one in beats if one)
        return ", ".join(f"{s} {100 * n / counts.total():.0f} %" for s, n in counts.most_common(2))


def changed(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return what is recorded after each change."""
    turned = {f"turned by {angle} degrees": between(first, second, angle) for angle in ANGLES}
    return {OTHER: second, **turned, "half as large": first / 2}


def usual_beats(millivolts: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the usual beat of each minute of some leads, NaN where there is none.

    Parameters
    ----------
    millivolts : ndarray of float64, shape (r, n)
        The leads.
    """
    chain, rows = SignalChain(_GEOMETRY, len(millivolts)), np.arange(len(millivolts))
    found = np.full((len(rows), millivolts.shape[1] // MINUTE, SAMPLES), np.nan, dtype=np.float32)
    for minute in range(found.shape[1]):
        pushed = chain.push(rows, millivolts[:, minute * MINUTE : (minute + 1) * MINUTE])
        for row, _, beat in each_minute(pushed.atrial, range(len(rows))):
            if beat is not None:
                found[row, minute] = beat
    return found


def leads_of(name: str) -> tuple[Record, NDArray[np.float64], NDArray[np.float64]]:
    """Return the first lead of a record, and the samples of both."""
    found = obtain(name)
    record = read(found)
    leads = (read(found, lead=number) for number in ("2", "1"))
    other = next(lead for lead in leads if lead.lead != record.lead)
    first, second = (converted(lead) for lead in (record, other))
    until = LENGTH * MINUTE
    return first, first.millivolts()[:until], second.millivolts()[:until]


def worn(names: Sequence[str], choosing: Collection[str]) -> Iterator[Worn]:
    """Compare the beats of the minutes of some records with those of their first ones."""
    at = CHANGE * MINUTE
    records = [leads_of(name) for name in names]
    unchanged = usual_beats(np.stack([first for _, first, _ in records]))
    changes = [changed(first, second) for _, first, second in records]
    after = [
        np.concatenate([first[at - ENROLMENT * MINUTE : at], x[at:], x])
        for (_, first, _), made in zip(records, changes, strict=True)
        for x in made.values()
    ]
    beats = iter(usual_beats(np.stack(after))[:, ENROLMENT:])
    for (record, _, _), usual, made in zip(records, unchanged, changes, strict=True):
        enrolled = np.array(middle(usual[:ENROLMENT]), dtype=np.float32)
        series = {NONE: usual[ENROLMENT:], **{change: next(beats) for change in made}}
        minutes = {
            change: [likeness(one, enrolled) if np.isfinite(one).all() else None for one in each]
            for change, each in series.items()
            if len(enrolled)
        }
        annotations = record.annotations or Annotations(np.zeros(0, dtype=np.int64), ())
        yield Worn(record.name, record.name in choosing, minutes, annotations)


def measured() -> Iterator[Worn]:
    """Yield all records of people without a pacemaker."""
    those = [one for one in people() if one.database in DATABASES and one.fold is not None]
    names = record_names(those)
    choosing = record_names(one for one in those if one.chooses)
    for start in range(0, len(names), TOGETHER):
        yield from worn(names[start : start + TOGETHER], choosing)


def share(records: Sequence[Worn], change: str, limit: float = LIMIT) -> str:
    """Return of how many of some records a change is told."""
    told = sum(record.told(change, limit) is not None for record in records)
    return f"{told} of {len(records)}"


def after(records: Sequence[Worn], change: str) -> str:
    """Return the median minutes until a change is told, of those of whom it is."""
    told = [minute for record in records if (minute := record.told(change)) is not None]
    return f"{median(told):.0f}" if told else "-"


def usual(records: Sequence[Worn], change: str) -> str:
    """Return the median of the records' median likeness."""
    known = [[one for one in record.minutes[change] if one is not None] for record in records]
    return f"{median(median(one) for one in known if one):.2f}" if any(known) else "-"


def why(record: Worn) -> list[object] | None:
    """Return the row of a record that is told without a change: when, and its beats then."""
    minute = record.told(NONE)
    if minute is None:
        return None
    known = [one for one in record.minutes[NONE][:minute] if one is not None]
    stop = ENROLMENT + minute
    return [
        record.name,
        "yes" if record.chooses else "",
        record.beats(0, ENROLMENT),
        record.beats(stop - MINUTES, stop),
        stop,
        f"{median(known[-MINUTES:]):.2f}",
    ]


def missed(record: Worn) -> list[object] | None:
    """Return the row of a record of which the other lead is not told: its beats there."""
    if record.told(OTHER) is not None:
        return None
    minutes = record.minutes[OTHER]
    known = [one for one in minutes if one is not None]
    alike = f"{median(known):.2f}" if known else "-"
    unlike = sum(one < LIMIT for one in known)
    return [record.name, alike, unlike, len(minutes) - len(known), len(minutes)]


def page(records: Sequence[Worn]) -> str:
    """Return the page."""
    watched = [record for record in records if record.minutes]
    choosing = [record for record in watched if record.chooses]
    judged = [record for record in watched if not record.chooses]
    of = {name: [one for one in judged if one.database == name] for name in DATABASES}
    changes = [*watched[0].minutes]
    return template("drift.md.j2").render(
        limit=LIMIT,
        minutes=MINUTES,
        length=LENGTH,
        enrolment=ENROLMENT,
        change=CHANGE,
        counts=Counter(record.database for record in records),
        choosing=len(choosing),
        not_watched=[record.name for record in records if not record.minutes],
        changes=changes,
        chosen=[[limit, *(share(choosing, c, limit) for c in changes)] for limit in LIMITS],
        found=[
            [c, *(cell(of[name], c) for name in DATABASES for cell in (share, after, usual))]
            for c in changes
        ],
        missed=[row for record in watched if (row := missed(record))],
        told=[row for record in watched if (row := why(record))],
    )


if __name__ == "__main__":
    PAGE.write_text(page([*measured()]), encoding="utf-8")
