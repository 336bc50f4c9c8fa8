"""Atrial fibrillation of strangers: writes docs/results/atrial.md.

``make atrial`` trains a model for each fold and lets the monitor's own rule decide from its
verdicts on the people of the fold. What is kept of this is not done again.

    nice .venv/bin/python benchmarks/atrial.py runs/atrial-models
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from alarms_ward import ROOT
from numpy.typing import NDArray
from rhythms import clock, percent, target, train
from templated import template

from ecgmon.core.annotations import Annotations
from ecgmon.core.constants import RATE
from ecgmon.core.rhythm_notes import rhythm_spans
from ecgmon.models.atrial_bundle import AtrialModel
from ecgmon.records.converted import read_converted
from ecgmon.signal.atrial_segments import EVERY_S
from ecgmon_cli.train_people import PREPARED
from monitor.alarms.conditions.atrial import BEGINS, ENDS, AtrialRhythm
from trainer.data.atrial_beats import (
    ATRIAL_FIBRILLATION,
    OTHER_RHYTHM,
    AtrialInputs,
    atrial_inputs,
)
from trainer.data.learned_beats import FIBRILLATION, NORMAL, RHYTHMS, rhythms_beside
from trainer.data.people import fold
from trainer.data.protocol_splits import FOLDS
from trainer.evaluation.rhythms.episodes import (
    EpisodeCounts,
    Span,
    delays,
    joined,
    touched,
    without,
)

PAGE: Final = ROOT / "docs" / "results" / "atrial.md"
NOTED: Final = "mitdb"
QUIET: Final = "qtdb"


@dataclass(frozen=True)
class AtrialRecord:
    """A record, and what the rule made of the verdicts on it.

    Parameters
    ----------
    name : str
        The record.
    samples : int
        Its length at 360 Hz.
    fibrillation, flutter, announced : list of (int, int)
        Annotated episodes of both, and announced ones, in samples at 360 Hz.
    """

    name: str
    samples: int
    fibrillation: list[Span]
    flutter: list[Span]
    announced: list[Span]

    @property
    def counts(self) -> EpisodeCounts:
        """Its episodes; what is announced in flutter does not count."""
        return EpisodeCounts.of(self.fibrillation, without(self.announced, self.flutter))

    @property
    def false(self) -> list[Span]:
        """Announced episodes with neither in them."""
        noted = [*self.fibrillation, *self.flutter]
        return [one for one in self.announced if not touched(one, noted)]


def main() -> None:
    """Train, judge and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", type=Path, help="folder of the folds' models")
    folder = parser.parse_args().models
    models = {f"fold-{number}": folder / f"fold-{number}.onnx" for number in range(FOLDS)}
    for split, path in models.items():
        train("atrial", split, path)
    records, short = [], []
    for number in range(FOLDS):
        model = AtrialModel.load(models[f"fold-{number}"])
        for person in fold(number).judged:
            if person.database not in (NOTED, QUIET, RHYTHMS):
                continue
            for one in atrial_inputs(person, PREPARED / "atrial"):
                holds = [*episodes(one, model)]
                if person.database == RHYTHMS:
                    short.append((one.record, is_fibrillation(one, model)))
                else:
                    records.append(atrial_record(one.record, holds))
    PAGE.write_text(page(sorted(records, key=lambda one: one.name), short, models))


def said(of: AtrialInputs, model: AtrialModel) -> NDArray[np.float64]:
    """Return the probability of each input, NaN where the model is not asked."""
    found = np.full(len(of.settled), np.nan)
    if of.settled.any():
        asked = of.inputs[of.settled].astype(np.float32)
        found[of.settled] = model.probability(asked)[:, ATRIAL_FIBRILLATION]
    return found


def episodes(of: AtrialInputs, model: AtrialModel) -> Iterator[Span]:
    """Yield from where to where the monitor's rule announces an episode."""
    rule, since = AtrialRhythm(), -1
    for end, probability in zip(of.end.tolist(), said(of, model).tolist(), strict=True):
        holds = rule.add(None if np.isnan(probability) else probability)
        if holds and since < 0:
            since = end
        elif not holds and since >= 0:
            yield since, end
            since = -1
    if since >= 0:
        yield since, int(of.end[-1])


def is_fibrillation(of: AtrialInputs, model: AtrialModel) -> bool:
    """Tell whether a short recording is one of fibrillation: at its end or in half of it.

    It is too short for the rule, which asks for half a minute: a verdict counts from even odds.
    """
    probability = said(of, model)
    known = probability[np.isfinite(probability)] >= 0.5
    return bool(len(known) and (known[-1] or known.mean() >= 0.5))


def atrial_record(name: str, announced: Sequence[Span]) -> AtrialRecord:
    """Return a record with its annotated and announced episodes."""
    record = read_converted(name, lead="1")
    marks = record.annotations or Annotations(np.zeros(0, dtype=np.int64), ())
    spans = rhythm_spans(marks, len(record.samples))
    fibrillation, flutter = (
        joined(span[:2] for span in spans if span.rhythm == rhythm)
        for rhythm in ("atrial-fibrillation", "atrial-flutter")
    )
    return AtrialRecord(name, len(record.samples), fibrillation, flutter, [*announced])


def page(
    records: Sequence[AtrialRecord],
    short: Sequence[tuple[str, bool]],
    models: Mapping[str, Path],
) -> str:
    """Return the page."""
    mitdb = [one for one in records if one.name.startswith(NOTED)]
    quiet = [one for one in records if not one.fibrillation and not one.flutter]
    total = sum((one.counts for one in mitdb), EpisodeCounts())
    hours = sum(one.samples for one in quiet) / RATE / 3600
    false = sum(len(one.false) for one in quiet)
    onset = [d for one in mitdb for d in delays(one.fibrillation, one.announced) if d]
    table = rhythms_beside(short[0][0], None)
    cells = {
        (rhythm, called): sum(table[name] == rhythm and answer == called for name, answer in short)
        for rhythm in (NORMAL, FIBRILLATION, OTHER_RHYTHM, "~")
        for called in (True, False)
    }
    all_three = f1(cells, (NORMAL, OTHER_RHYTHM))
    targets = [
        target("mitdb, duration, sensitivity, %", percent(total.duration_sensitivity), 95),
        target("mitdb, duration, predictivity, %", percent(total.duration_predictivity), 95),
        target("cinc2017, F1 of A over N, A and O", all_three, 0.80),
        target("cinc2017, F1 of A against N alone", f1(cells, (NORMAL,)), 0.95),
        target("false episodes in 10 hours", 10 * false / hours, 1, most=True),
        target(
            "delay of those not announced before, median, s", float(np.median(onset)), 60, most=True
        ),
    ]
    return template("atrial.md.j2").render(
        models=[AtrialModel.load(path).sha256[:12] for path in models.values()],
        targets=targets,
        begins=BEGINS,
        ends=ENDS,
        every=EVERY_S,
        hours=f"{hours:.1f}",
        records=[record_row(one) for one in mitdb if one.fibrillation],
        total=total,
        wrong=[
            [one.name, clock(start), f"{(stop - start) / RATE:.0f}"]
            for one in records
            for start, stop in one.false
        ],
        cells=[
            [name, str(cells[name, True] + cells[name, False]), str(cells[name, True])]
            for name in (FIBRILLATION, NORMAL, OTHER_RHYTHM, "~")
        ],
    )


def record_row(one: AtrialRecord) -> list[str]:
    """Return the cells of a record with fibrillation."""
    of = one.counts
    return [
        one.name,
        str(of.found + of.missed),
        f"{of.annotated / RATE:.0f}",
        str(of.found),
        f"{percent(of.duration_sensitivity):.0f}",
        f"{percent(of.duration_predictivity):.0f}",
        f"{sum(stop - start for start, stop in one.flutter) / RATE:.0f}",
    ]


def f1(cells: Mapping[tuple[str, bool], int], others: Sequence[str]) -> float:
    """Return the F1 of fibrillation among it and some other rhythms."""
    right, missed = cells[FIBRILLATION, True], cells[FIBRILLATION, False]
    return 2 * right / (2 * right + missed + sum(cells[name, True] for name in others))


if __name__ == "__main__":
    main()
