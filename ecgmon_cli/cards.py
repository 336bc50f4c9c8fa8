"""``ecgmon models``: what the card in a bundle says, for people and as JSON."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from ecgmon.models.resolve import GENERIC, atrial_of, beats_of, everyone, resolve, rhythms_of
from ecgmon_cli.card_parts import columns, facts_grid, hours_of, names_of, plain
from ecgmon_cli.class_cards import class_facts, mean_sensitivity, show_classes
from ecgmon_cli.options import Json, write

if TYPE_CHECKING:
    from ecgmon.metrics.two_classes import Confusion
    from ecgmon.models.bundle import Model
    from ecgmon.models.card import Card, Validation
    from ecgmon.models.loading import AnyModel

FIGURES: Final = {
    "total": ("windows", ",d"),
    "balanced_accuracy": ("balanced accuracy", ".3f"),
    "sensitivity": ("sensitivity", ".3f"),
    "ppv": ("positive predictive value (PPV)", ".3f"),
    "f1": ("F1", ".3f"),
    "false_alerts_per_hour": ("false positives per hour", ".1f"),
    "missed_per_hour": ("missed abnormal windows per hour", ".1f"),
}
"""Figures of a `Confusion`, and how they are shown."""

LABELS: Final = {
    "annotations": "annotations",
    "review": "a review in the terminal",
    "assumed normal": "the assumption that all are normal",
}

app = typer.Typer(
    help="Show models, and choose the version of a wearer's model that is in service.",
    epilog="Start with: ecgmon models show 203",
    no_args_is_help=True,
)


@app.command()
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A built-in model, a wearer's model such as ann or ann/2, or a bundle's path.",
            autocompletion=lambda: list(everyone()),
        ),
    ] = GENERIC,
    json_file: Json = None,
) -> None:
    """Show a model's card: what it is, what it was trained on, and its figures.

    --json writes card and figures to a file instead.

    Examples
    --------
      ecgmon models show

      ecgmon models show 203

      ecgmon models show runs/203-beatnet.onnx --json card.json
    """
    from ecgmon.models.bundle import Model, judges

    path = resolve(name, None)
    if judges(path) != "window":
        show_classes(path, json_file)
        return
    model = Model.load(path)
    if json_file is not None:
        write(json_file, json.dumps(_everything(path, model), indent=2) + "\n")
        return
    console = Console(highlight=False)
    console.print(plain(model.card.name), style="bold")
    console.print(_facts(path, model))
    console.print()
    console.print(_figures(_judged(model.card)))
    console.print(
        "\nA false positive is a normal window called abnormal; a missed window is abnormal and "
        "called normal. A window is one second."
    )


@app.command("list")
def list_models(json_file: Json = None) -> None:
    """List the built-in models and the wearers' models.

    Below the list stands who should be enrolled again, if anybody: a model in
    service that sees the signal in another way than the generic one.

    --json writes cards and figures to a file instead.

    Examples
    --------
      ecgmon models list

      ecgmon models list --json -
    """
    from ecgmon.models.bundle import Model
    from ecgmon.models.card import to_enrol_again
    from ecgmon.models.loading import load
    from ecgmon.models.store import NAMES

    models = {name: (path, load(path)) for name, path in everyone().items()}
    wearers = {model.card.wearer for _, model in models.values()}
    serving = {
        *(resolve(None, wearer) for wearer in wearers),
        *(beats_of(wearer) for wearer in wearers if wearer),
        *(rhythms_of(wearer or GENERIC) for wearer in wearers),
        *(atrial_of(wearer or GENERIC) for wearer in wearers),
    }
    generic = models[GENERIC][1].card
    again = {
        name: model.card.wearer or ""
        for name, (path, model) in models.items()
        if path in serving and to_enrol_again(model.card, generic)
    }
    if json_file is not None:
        each = {
            name: (
                _everything(path, model) if isinstance(model, Model) else class_facts(path, model)
            )
            | {"in_service": path in serving, "enrol_again": name in again}
            for name, (path, model) in models.items()
        }
        write(json_file, json.dumps(each, indent=2) + "\n")
        return
    console = Console(highlight=False)
    table = columns(gap=2 if console.width >= 80 else 1)
    for heading in ("name", "serves", "network"):
        table.add_column(heading, vertical="bottom")
    for heading in ("parameters", "size", "balanced\naccuracy", "F1"):
        table.add_column(heading, vertical="bottom", justify="right")
    for name, (path, model) in models.items():
        card = model.card
        idle = "nobody" if "/" in name else "replay"  # built-in: by its name, or of that record
        whom = (card.wearer or "anyone") if path in serving else idle
        network = (
            card.network if card.input == "window" else f"{card.network} of {NAMES[card.input]}"
        )
        table.add_row(
            *(plain(text) for text in (name, whom, network)),
            f"{card.parameters:,}",
            decimal(path.stat().st_size, precision=0),
            *_validated(model),
        )
    console.print(table)
    console.print(
        "\nBalanced accuracy and F1 are those of the validation; ecgmon models show NAME says on "
        "what."
    )
    if again:
        console.print(
            f"\nTo be enrolled again, by ecgmon enroll --patient ID --again: "
            f"{', '.join(again.values())}. Their models see the signal in another way than the "
            "built-in generic one.",
            style="yellow",
        )


def _validated(model: "AnyModel") -> tuple[str, str]:
    """Return balanced accuracy and F1 in the validation; of classes, no F1 is that of all."""
    from ecgmon.models.bundle import Model

    if not isinstance(model, Model):
        return f"{mean_sensitivity(model):.3f}", "-"
    confusion = model.card.validation.confusion
    return _figure(confusion, "balanced_accuracy"), _figure(confusion, "f1")


def _everything(path: Path, model: "Model") -> dict[str, Any]:
    """Return the card, what it is the card of, and the figures that its counts make."""
    import msgspec

    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "sha256": model.sha256,
        "card": msgspec.to_builtins(model.card),
        "figures": {
            part: {figure: getattr(judged.confusion, figure) for figure in FIGURES}
            for part, judged in _judged(model.card).items()
        },
    }


def _judged(card: "Card") -> "dict[str, Validation]":
    parts = {"validation": card.validation, "evaluation": card.evaluation}
    return {part: judged for part, judged in parts.items() if judged is not None}


def _facts(path: Path, model: "Model") -> Table:
    """Return everything of a card but the figures."""
    card, signal = model.card, model.card.conditioning
    low, high = signal.band_hz
    labelled = f"{card.windows:,} labelled windows, {card.abnormal_windows:,} abnormal"
    seen = hours_of(span for span in card.trained_on if span != card.enrolment)
    facts = {
        "wearer": card.wearer or "anyone: this is a generic model",
        "network": f"{card.network}, {card.parameters:,} parameters",
        "threshold": f"{card.threshold:.2f}, at and above which a window is called abnormal",
        "sees": f"{card.history_s:g} s of history, the second it judges, and {card.look_ahead_s:g} "
        f"s after it (look-ahead), by which every result is late",
        "signal": f"{card.rate} Hz; causal Butterworth band-pass {low:g}-{high:g} Hz, "
        f"{signal.order} second-order sections; amplitude in units of the median peak-to-peak of "
        f"the last {signal.scale_seconds} usable seconds, at least {signal.scale_floor_mv:g} mV",
        "trained on": seen if card.enrolment else f"{labelled}, of {seen}",
        "enrolled on": f"{one.record}, {one.start} to {one.stop} s: {labelled}, by "
        f"{LABELS[card.labels]}"
        if (one := card.enrolment)
        else None,
        "created": f"{card.created}, seed {card.seed}",
        "versions": ", ".join(f"{name} {version}" for name, version in card.versions.items()),
        "file": f"{path}, {decimal(path.stat().st_size, precision=0)}",
        "sha256": model.sha256,
    }
    for part, judged in _judged(card).items():
        facts[part] = (
            f"{judged.protocol}: {names_of(judged.records)}; "
            f"{judged.tp + judged.fn:,} of {judged.confusion.total:,} windows abnormal"
        )
    return facts_grid(facts)


def _figures(judged: "dict[str, Validation]") -> Table:
    """Return the figures side by side: there are more of them than fit a narrow line."""
    table = columns(gap=2)
    table.add_column()
    for part in judged:
        table.add_column(part, justify="right")
    for figure, (label, _) in FIGURES.items():
        table.add_row(label, *(_figure(part.confusion, figure) for part in judged.values()))
    return table


def _figure(confusion: "Confusion", figure: str) -> str:
    value = getattr(confusion, figure)
    if figure == "f1" and confusion.sensitivity is None:  # 0 would look like a failure
        value = None
    return "-" if value is None else format(value, FIGURES[figure][1])
