"""``ecgmon models show`` for models that tell classes apart: of beats and of rhythms."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from ecgmon_cli.card_parts import columns, facts_grid, hours_of, names_of, plain
from ecgmon_cli.options import write

if TYPE_CHECKING:
    from ecgmon.metrics.classes import Figures
    from ecgmon.models.atrial_bundle import AtrialModel
    from ecgmon.models.beat_bundle import BeatModel
    from ecgmon.models.card import ClassCard, JudgedClasses
    from ecgmon.models.rhythm_bundle import RhythmModel

    ClassModel = BeatModel | RhythmModel | AtrialModel

SEGMENTS: Final = {
    "published": "from the R peak on, 1.2 median RR intervals long, scaled to [0, 1] in strips of "
    "10 s, zeros after it (Kachuee et al. 2018)",
    "live": "from 1 s before to 0.5 s after the R peak, behind the monitor's band-pass, how that "
    "differs from the median of the beats before, how early it is and how like them; every result "
    "is late by that half second",
}


def show_classes(path: Path, json_file: Path | None) -> None:
    """Show a model of beats or rhythms; what `ecgmon_cli.cards.show` does for any."""
    from ecgmon.models.bundle import Model
    from ecgmon.models.loading import load

    model = load(path)
    if isinstance(model, Model):
        raise TypeError(path)
    if json_file is not None:
        write(json_file, json.dumps(class_facts(path, model), indent=2) + "\n")
        return
    console = Console(highlight=False)
    console.print(plain(model.card.name), style="bold")
    console.print(_facts(path, model))
    for part, counts in _judged(model.card).items():
        judged = _figures(counts)
        console.print(
            f"\n{part}: accuracy {judged.accuracy:.3f}, mean sensitivity {judged.mean_recall:.3f}"
        )
        console.print(_table(model.card, judged))


def _judged(card: "ClassCard") -> "dict[str, JudgedClasses]":
    return {"validation": card.validation, "evaluation": card.evaluation}


def _figures(judged: "JudgedClasses") -> "Figures":
    import numpy as np

    from ecgmon.metrics.classes import Figures

    return Figures(np.array(judged.counts, dtype=np.float64))


def class_facts(path: Path, model: "ClassModel") -> dict[str, Any]:
    """Return the card, what it is the card of, and the figures that its counts make."""
    import msgspec

    card = model.card
    figures = {part: _figures(counts) for part, counts in _judged(card).items()}
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "sha256": model.sha256,
        "card": msgspec.to_builtins(card),
        "figures": {part: each.as_builtins(card.classes) for part, each in figures.items()},
    }


def mean_sensitivity(model: "ClassModel") -> float:
    """Return the mean of the classes' sensitivities in the validation: the balanced accuracy."""
    return _figures(model.card.validation).mean_recall


def _facts(path: Path, model: "ClassModel") -> Table:
    from ecgmon.models.atrial_bundle import AtrialCard
    from ecgmon.models.beat_bundle import BeatCard
    from ecgmon.models.rhythm_bundle import RhythmCard

    card = model.card
    fitted = ", ".join(f"{n:,} {c}" for c, n in zip(card.classes, card.fitted, strict=True))
    names = ", ".join(card.classes)
    judges = sees = ""
    if isinstance(card, BeatCard):
        judges = f"single beats: {names}"
        sees = f"{SEGMENTS[card.segments]}; {card.channels} x {card.length} samples"
    elif isinstance(card, RhythmCard):
        judges = f"the rhythm of each second: {names}"
        sees = f"the second and the {card.history_s:g} s before it"
        fitted = f"seconds: {fitted}"
    elif isinstance(card, AtrialCard):
        judges = f"the atrial rhythm: {names}"
        sees = f"up to {card.beats} beats, each from 250 ms before to 83 ms after its R peak"
    facts = {
        "judges": judges,
        "network": f"{card.network}, {card.parameters:,} parameters",
        "sees": f"{sees} at {card.rate} Hz",
        "trained on": f"{fitted}; {hours_of(card.trained_on)}",
        "created": f"{card.created}, seed {card.seed}",
        "versions": ", ".join(f"{name} {version}" for name, version in card.versions.items()),
        "file": f"{path}, {decimal(path.stat().st_size, precision=0)}",
        "sha256": model.sha256,
    }
    for part, judged in _judged(card).items():
        facts[part] = f"{judged.protocol}: {names_of(judged.records)}"
    return facts_grid(facts)


def _table(card: "ClassCard", figures: "Figures") -> Table:
    table = columns(gap=2)
    table.add_column("class")
    what = {"beat": "beats", "rhythm": "seconds"}.get(card.input, "inputs")
    for heading in (what, "sensitivity", "PPV", "F1"):
        table.add_column(heading, justify="right")
    each = zip(figures.recall, figures.precision, figures.f1, strict=True)
    for name, count, values in zip(card.classes, figures.counts.sum(1), each, strict=True):
        shown = ("-" if math.isnan(value) else f"{value:.3f}" for value in values)
        table.add_row(plain(name), f"{count:,.0f}", *shown)
    return table
