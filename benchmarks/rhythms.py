"""Ventricular rhythms of strangers, from frame to alarm: writes docs/results/rhythms.md.

``make rhythms`` trains a model for each fold, plays every record to a running monitor with the one
that has not seen its wearer, and writes the page. What is kept of all this is not done again.

    nice .venv/bin/python benchmarks/rhythms.py runs/rhythm-models
"""

import argparse
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

from alarms_ward import ROOT
from rhythms_figures import (
    JudgedRecord,
    counts,
    either_counts,
    false_per_hour,
    judged_record,
    long,
    mean_sensitivity,
    median_delay,
    noise_share,
    short_counts,
    total,
)
from rhythms_judged import JudgedRhythms, run
from templated import template

from ecgmon.core.constants import RATE
from ecgmon.models.rhythm_bundle import RhythmModel
from ecgmon.offline import load_model
from ecgmon.records.converted import read_converted
from ecgmon.terminal.progress import long_work
from trainer.data.people import fold
from trainer.data.protocol_splits import FOLDS
from trainer.evaluation.rhythms.record import FIBRILLATION, TACHYCARDIA

PAGE: Final = ROOT / "docs" / "results" / "rhythms.md"
SICK: Final = ("vfdb", "cudb")
"""Databases of these rhythms."""
AT_ONCE: Final = 2
"""Processes that compare records."""
QUIET: Final = ("mitdb", "svdb", "qtdb")
"""Databases nearly without."""


def main() -> None:
    """Train, judge and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", type=Path, help="folder of the folds' models")
    folder = parser.parse_args().models
    models = {f"fold-{number}": folder / f"fold-{number}.onnx" for number in range(FOLDS)}
    for split, path in models.items():
        train("rhythms", split, path)
    those = [
        JudgedRhythms(record, models[f"fold-{number}"])
        for number in range(FOLDS)
        for person in fold(number).judged
        if person.database in (*SICK, *QUIET)
        for record in person.records
    ]
    with long_work() as bar:
        task = bar.add_task("Records", total=len(those), note="")
        run(those, lambda name: bar.update(task, advance=1, note=name))
    with ProcessPoolExecutor(AT_ONCE) as pool:
        judged = [*pool.map(figures_of, those)]
    judged.sort(key=lambda one: one.of.name)
    PAGE.write_text(page(judged, models), encoding="utf-8")


def figures_of(one: JudgedRhythms) -> JudgedRecord:
    """Return the figures of a record that was judged."""
    return judged_record(read_converted(one.record), one, load_model())


def train(network: str, split: str, path: Path) -> None:
    """Train the model of a split unless it is there."""
    if not path.is_file():
        command: list[str | Path] = [ROOT / ".venv/bin/ecgmon", "train", "--network", network]
        subprocess.run([*command, "--split", split, "-o", path], check=True)  # noqa: S603 - ours


def page(judged: Sequence[JudgedRecord], models: Mapping[str, Path]) -> str:
    """Return the page."""
    sick = [one for one in judged if one.database in SICK]
    vfdb = [one for one in sick if one.database == "vfdb"]
    quiet = [one for one in judged if one.database in QUIET]
    return template("rhythms.md.j2").render(
        models=[RhythmModel.load(path).sha256[:12] for path in models.values()],
        targets=targets(sick, quiet),
        episodes=[
            *(episode_row(name, sick, kind) for name, kind in ROWS.items()),
            episode_row("either as one, vfdb", vfdb, None),
        ],
        short=[(name, *short_counts(sick, kind)) for name, kind in SHORT.items()],
        noise=[(one.of.name, f"{100 * noise_share(one):.0f}") for one in vfdb if one.of.noise],
        records=[record_row(one) for one in sick],
        normal=[normal_row(name, judged) for name in (*SICK, *QUIET)],
        asystoles=[row for one in vfdb for row in one.asystoles],
        wrong=[
            (one.of.name, clock(start), f"{(stop - start) / RATE:.0f}")
            for one in judged
            for start, stop in one.of.false
        ],
    )


ROWS: Final[Mapping[str, str | None]] = {
    "fibrillation by its own name": FIBRILLATION,
    "tachycardia by its own name": TACHYCARDIA,
    "either as one": None,
}
SHORT: Final = {"fibrillation": FIBRILLATION, "tachycardia": TACHYCARDIA}


def targets(sick: Sequence[JudgedRecord], quiet: Sequence[JudgedRecord]) -> list[list[str]]:
    """Return target, measured, result."""
    named, either = total(sick, FIBRILLATION), total(sick, None)
    fibrillation = [either_counts(one, FIBRILLATION) for one in sick]
    tachycardia = [either_counts(one, TACHYCARDIA) for one in sick]
    false, hours = false_per_hour(sick)
    calm, calm_hours = false_per_hour(quiet)
    told, missed = (
        100 * sum(each) / sum(o.ventricular for o in sick)
        for each in ([o.told_normal for o in sick], [o.missed for o in sick])
    )
    lost = {
        name: 100
        * sum(o.lost for o in quiet if o.database == name)
        / sum(o.judged for o in quiet if o.database == name)
        for name in ("mitdb", "qtdb")
    }
    gross = [
        100 * sum(f for _, f in each) / sum(n for n, _ in each)
        for each in (fibrillation, tachycardia)
    ]
    return [
        target("episodes of fibrillation alarmed as either, gross, %", gross[0], 95),
        target("the same, mean over records, %", 100 * mean_sensitivity(sick, FIBRILLATION), 95),
        target("announced as fibrillation by name, gross, %", percent(named.sensitivity), 95),
        target("predictivity of *ventricular-fibrillation*, %", percent(named.predictivity), 85),
        target("duration of fibrillation, sensitivity, %", percent(named.duration_sensitivity), 85),
        target("duration, predictivity, %", percent(named.duration_predictivity), 80),
        target("predictivity of either as one, %", percent(either.predictivity), 85),
        target("episodes of tachycardia alarmed as either, gross, %", gross[1], 85),
        target(
            "delay of the alarm in fibrillation, median, s",
            median_delay(sick, FIBRILLATION),
            6,
            most=True,
        ),
        target("false alarms an hour outside, vfdb and cudb", false / hours, 0.5, most=True),
        target("false alarms an hour, mitdb, svdb and qtdb", calm / calm_hours, 0.1, most=True),
        target("such seconds told *normal*, with the generic window model, %", told, 3, most=True),
        target(
            "the same with any window model of as much history, at most, %", missed, 3, most=True
        ),
        target("seconds of mitdb whose *normal* is lost, %", lost["mitdb"], 1, most=True),
        target("seconds of qtdb whose *normal* is lost, %", lost["qtdb"], 1, most=True),
    ]


def episode_row(name: str, those: Sequence[JudgedRecord], kind: str | None) -> list[str]:
    """Return the cells of a rhythm's episodes."""
    of = total(those, kind)
    shares = (of.sensitivity, of.predictivity, of.duration_sensitivity, of.duration_predictivity)
    return [
        name,
        str(of.found + of.missed),
        str(of.found),
        str(of.true + of.false),
        str(of.true),
        *(f"{percent(share):.1f}" for share in shares),
    ]


def record_row(one: JudgedRecord) -> list[str]:
    """Return the cells of a record."""
    cells = []
    for kind in (FIBRILLATION, TACHYCARDIA):
        annotated, alarmed = either_counts(one, kind)
        seconds = sum(stop - start for start, stop in long(one.of.annotated[kind])) / RATE
        cells += [f"{annotated}", f"{seconds:.0f}", f"{alarmed}", f"{counts(one, kind).found}"]
    normal = f"{one.told_normal} of {one.ventricular}" if one.ventricular else "-"
    return [one.of.name, *cells, str(len(one.of.false)), normal]


def normal_row(database: str, judged: Sequence[JudgedRecord]) -> list[str]:
    """Return the cells of a database's seconds."""
    those = [one for one in judged if one.database == database]
    ventricular = sum(o.ventricular for o in those)
    told = [sum(o.told_normal for o in those), sum(o.missed for o in those)]
    lost, others = sum(o.lost for o in those), sum(o.judged for o in those)
    return [
        database,
        f"{ventricular:,}",
        *(f"{100 * each / ventricular:.1f}" if ventricular else "-" for each in told),
        f"{others:,}",
        f"{100 * lost / others:.2f}",
    ]


def clock(sample: int) -> str:
    """Return a sample at 360 Hz as minutes and seconds."""
    return f"{sample // RATE // 60}:{sample // RATE % 60:02}"


def percent(share: float | None) -> float:
    """Return a share in %, NaN where there is none."""
    return 100 * share if share is not None else float("nan")


def target(name: str, value: float, bound: float, *, most: bool = False) -> list[str]:
    """Return the cells of a target."""
    met = value <= bound if most else value >= bound
    sign = "at most" if most else "at least"
    return [name, f"{sign} {bound:g}", f"{value:.2f}", "met" if met else "**missed**"]


if __name__ == "__main__":
    main()
