"""The beats that the monitor publishes, judged by EC57 from frame to file: docs/results/beats.md.

``make beats MODELS=DIR`` plays records to the real monitor, each with the beat model that
DIR/models.toml gives it (`beats_judged.judgings`), and writes the page. Work that is done is kept
as long as model and signal path stay the same, so an interrupted run goes on where it stopped.

    nice .venv/bin/python benchmarks/beats.py runs/beat-models
    nice .venv/bin/python benchmarks/beats.py runs/beat-models --only strangers --page /tmp/page.md
"""

import argparse
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from beats_alarms import NAMED, RUNS
from beats_causes import cause_rows
from beats_figures import (
    ONE_BY_ONE,
    QTDB,
    QUIET,
    SETS,
    Judged,
    NamedRuns,
    f1,
    false_alarms,
    of_set,
    total,
)
from beats_judged import ROOT, Judging, judgings, run
from templated import template

from ecgmon.terminal.progress import long_work
from trainer.evaluation.ec57.page import COLUMNS, NAMES, percent, run_cells
from trainer.evaluation.ec57.page import RUNS as RUN_CELLS

PAGE: Final = ROOT / "docs" / "results" / "beats.md"
OPENECG: Final = ROOT / "docs" / "results" / "beats-openecg.json"
GROUPS: Final[Mapping[str, str]] = {
    "strangers": "the model of the wearer's fold, which never saw the person",
    "inter-patient": "one model of DS1 and the other databases",
    "enrolled": "the wearer's own model, from five annotated minutes",
    "judged": "the wearer's own model, from twenty judged minutes",
}
"""How a wearer stands to the model."""
TARGETS: Final = (
    ("strangers", "mitdb", "V", 95.2, None),
    ("strangers", "mitdb", "S", 50.0, 45.0),
    ("inter-patient", "DS2", "V", 96.2, None),
    ("inter-patient", "DS2", "S", 60.0, None),
    ("strangers", "svdb", "V", 90.0, None),
    ("strangers", "svdb", "S", 75.0, 68.0),
    ("enrolled", "mitdb", "V", 97.0, None),
    ("enrolled", "mitdb", "S", 80.0, None),
)
"""Group, set, class, and the F1 in % that is the target and the least."""
SHARES: Final = ((False, "3 to 5", 0.8), (True, "6 and more", 0.9))
"""Length of runs and the share of them that must be named."""
MOST_FALSE: Final = 1
"""Named alarms in the quiet hours that no annotated beat may justify."""
OF_GAIN: Final = 90.0
"""What twenty judgements must bring of the gain of five annotated minutes, in %."""

Groups = Mapping[str, Mapping[str, Judged]]


def verdict(value: float | None, target: float, least: float | None = None) -> str:
    """Return whether a figure is as good as its target."""
    if value is None:
        return "not measured"
    if value >= target:
        return "met"
    return "**missed**, above the least" if least is not None and value >= least else "**missed**"


def shown(value: float | None) -> str:
    """Return a figure in %."""
    return "-" if value is None else f"{value:.1f}"


def targets(groups: Groups) -> Iterator[list[str]]:
    """Yield the rows of the table of targets."""
    for group, name, label, target, least in TARGETS:
        value = f1(of_set(groups.get(group, {}), name), label)
        asked = f"{target:.1f}" + (f" (least {least:.1f})" if least is not None else "")
        yield [
            f"{group}, {name}: {label} F1, %",
            asked,
            shown(value),
            verdict(value, target, least),
        ]
    for label in "VS":
        before, after, whole = (
            f1(of_set(groups.get(group, {}), "mitdb"), label)
            for group in ("strangers", "judged", "enrolled")
        )
        gain = None
        if before is not None and after is not None and whole is not None and whole > before:
            gain = 100 * (after - before) / (whole - before)
        said = f"gain of five minutes that twenty judgements bring, {label} F1, %"
        yield [said, f"{OF_GAIN:.0f}", shown(gain), verdict(gain, OF_GAIN)]
    strangers = of_set(groups.get("strangers", {}), "mitdb")
    for long, length, share in SHARES:
        runs = NamedRuns.of(strangers.values(), long=long) if strangers else None
        value = 100 * runs.share if runs and runs.share is not None else None
        said = f"strangers, mitdb: ventricular runs of {length} beats named, %"
        yield [said, f"{100 * share:.0f}", shown(value), verdict(value, 100 * share)]
    if strangers:
        named = NamedRuns.of(strangers.values()).named
        false = len(false_alarms(strangers, RUNS))
        met = "met" if false <= named else "**missed**"
        yield ["the same: false names of such runs", f"at most {named}", str(false), met]
    quiet = quiet_records(groups)
    if quiet:
        false = len(false_alarms(quiet, NAMED))
        met = "met" if false <= MOST_FALSE else "**missed**"
        said = f"strangers, {hours(quiet):.1f} quiet hours: unjustified named alarms"
        yield [said, f"at most {MOST_FALSE}", str(false), met]


def quiet_records(groups: Groups) -> dict[str, Judged]:
    """Return what came of the quiet records; of none of them where one was not judged."""
    strangers = groups.get("strangers", {})
    names = (*QUIET, *QTDB)
    return {name: strangers[name] for name in names} if {*names} <= {*strangers} else {}


def hours(records: Mapping[str, Judged]) -> float:
    """Return how long some records last together."""
    return sum(one.hours for one in records.values())


def beat_rows(groups: Groups) -> Iterator[list[str]]:
    """Yield the gross figures of each group and set that was judged whole."""
    for group, records in groups.items():
        for name in SETS:
            if (those := of_set(records, name)) is not None:
                figures = total(those).counts.figures()
                cells = (percent(figures[label], column) for label, column, _ in COLUMNS)
                yield [f"{group}, {name}", *cells]


def run_rows(groups: Groups) -> Iterator[list[str]]:
    """Yield the runs as rxr counts them, of each group on mitdb and svdb."""
    for group, records in groups.items():
        for name in ("mitdb", "svdb"):
            if (those := of_set(records, name)) is not None:
                for kind, runs in total(those).runs.items():
                    for length, figures in runs.figures().items():
                        row = f"{group}, {name}: {NAMES[kind]} {length}s"
                        yield [row, *run_cells(figures)]


def named_rows(strangers: Mapping[str, Judged]) -> Iterator[list[str]]:
    """Yield how ventricular runs were named, over all of mitdb and one record by one."""
    whole = of_set(strangers, "mitdb")
    parts = {"mitdb": whole} if whole else {}
    parts |= {name: {name: strangers[name]} for name in ONE_BY_ONE if name in strangers}
    for part, records in parts.items():
        for long, length, _ in SHARES if part == "mitdb" else ((None, "3 and more", 0.0),):
            runs = NamedRuns.of(records.values(), long=long)
            share = None if runs.share is None else 100 * runs.share
            counts = (f"{runs.annotated:,}", f"{runs.named:,}", shown(share), runs.latency)
            yield [f"{part}: {length}", *counts]
        if part == "mitdb":
            yield ["mitdb: false names", "", f"{len(false_alarms(records, RUNS)):,}", "", ""]


def record_rows(records: Mapping[str, Judged]) -> Iterator[list[str]]:
    """Yield each record's figures."""
    for name, one in records.items():
        figures = one.comparison.counts.figures()
        counts = (f"{one.comparison.counts.beats(label):,}" for label in "VS")
        cells = (percent(figures[label], column) for label, column, _ in COLUMNS)
        rms = one.comparison.rates.rms
        false = len(false_alarms({name: one}, NAMED))
        yield [name, *counts, *cells, "-" if rms is None else f"{rms:.2f}", str(false)]


def page(
    groups: Groups, models: Mapping[str, list[str]], strangers_of: Mapping[str, Judging]
) -> str:
    """Return the page."""
    columns = [name for _, _, name in COLUMNS]
    strangers = groups.get("strangers", {})
    quiet = quiet_records(groups)
    openecg: dict[str, Any] = json.loads(OPENECG.read_text()) if OPENECG.is_file() else {}
    return template("beats.md.j2").render(
        groups={group: GROUPS[group] for group in groups},
        models=models,
        targets=list(targets(groups)),
        beats_head=["", *columns],
        beats=list(beat_rows(groups)),
        openecg={
            version: [percent(figures["V"], name) for name in ("sensitivity", "ppv", "f1")]
            for version, figures in openecg.get("DS2", {}).items()
        },
        runs_head=["", *RUN_CELLS],
        runs=list(run_rows(groups)),
        named=list(named_rows(strangers)),
        rates=[
            [f"{group}, {name}", f"{rates.n:,}", f"{rates.rms:.2f}", f"{100 * normalized:.2f}"]
            for group, records in groups.items()
            for name in ("mitdb", "svdb")
            if (those := of_set(records, name)) is not None
            and (rates := total(those).rates).rms is not None
            and (normalized := rates.normalized) is not None
        ],
        quiet_hours=hours(quiet),
        quiet=[[name, kind, f"{at_s:.1f}"] for name, kind, at_s in false_alarms(quiet, NAMED)],
        causes=list(cause_rows(strangers_of)),
        each_head=["record", "V", "S", *columns, "rate, rms", "unjustified"],
        each=list(record_rows(strangers)),
    )


def main() -> None:
    """Play what is missing, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", type=Path, metavar="DIR", help="bundles of beats, models.toml")
    parser.add_argument("--only", choices=GROUPS, help="one group alone")
    parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE", help="the page")
    chosen = parser.parse_args()
    all_groups = judgings(chosen.models)
    if unknown := {*all_groups} - {*GROUPS}:
        parser.error(f"no such group: {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    wanted = {g: all_groups[g] for g in GROUPS if g in all_groups and chosen.only in (None, g)}
    those = [one for group in wanted.values() for one in group.values()]
    with long_work() as bar:
        kept = sum(one.file.is_file() for one in those)
        task = bar.add_task("Records", total=len(those), completed=kept, note="")
        run(those, lambda name: bar.update(task, advance=1, note=name))
    groups = {g: {r: Judged.read(one) for r, one in group.items()} for g, group in wanted.items()}
    models = {
        g: sorted({hashlib.sha256(p.read_bytes()).hexdigest()[:12] for p in paths})
        for g, group in wanted.items()
        if (paths := {path for one in group.values() for path in (one.bundle, one.atrial)})
    }
    labelled = {*SETS["mitdb"], *SETS["svdb"]}
    strangers = {r: one for r, one in wanted.get("strangers", {}).items() if r in labelled}
    chosen.page.write_text(page(groups, models, strangers))


if __name__ == "__main__":
    main()
