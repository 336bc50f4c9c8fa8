"""``ecgmon models activate|rollback|export|import``: the wearers' models and which one serves."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ecgmon.core.errors import StoreError, UsageError
from ecgmon.models.resolve import GENERIC, stored
from ecgmon_cli.options import write_bytes

if TYPE_CHECKING:
    from ecgmon.models.card import Input

Wearer = Annotated[
    str,
    typer.Argument(
        metavar="WEARER", help="Id of the wearer.", autocompletion=lambda: stored().wearers()
    ),
]
Beats = Annotated[
    bool, typer.Option("--beats", help="The model that judges beats, not that of seconds.")
]
Rhythms = Annotated[
    bool, typer.Option("--rhythms", help="The model that judges ventricular rhythms.")
]
Atrial = Annotated[bool, typer.Option("--atrial", help="The model that judges the atrial rhythm.")]


def activate(
    wearer: Wearer,
    version: Annotated[
        int, typer.Argument(min=1, help="Version number, as ecgmon models list shows it.")
    ],
) -> None:
    """Put a version of a wearer's model into service.

    A running monitor uses it within two seconds.

    Example
    -------
      ecgmon models activate ann 2
    """
    stored().activate(wearer, version)
    _say(f"Version {version} is in service for {wearer}.")


def rollback(
    wearer: Wearer, beats: Beats = False, rhythms: Rhythms = False, atrial: Atrial = False
) -> None:
    """Put a wearer's former model back into service.

    Before the first model of a wearer, that is the generic model; with --beats, the one that the
    configuration names for all, if any.

    Examples
    --------
      ecgmon models rollback ann

      ecgmon models rollback ann --beats
    """
    version = stored().rollback(wearer, _kind(beats, rhythms, atrial))
    if version is None and beats:
        _say(f"No model of beats of {wearer}'s own is in service any more.")
        return
    what = "The generic model" if version is None else f"Version {version}"
    _say(f"{what} is in service for {wearer} again.")


def export(
    wearer: Wearer,
    file: Annotated[Path, typer.Argument(dir_okay=False, help="File to write; - is stdout.")],
    version: Annotated[
        int | None, typer.Option(min=1, show_default="the one in service", help="Version to write.")
    ] = None,
    beats: Beats = False,
    rhythms: Rhythms = False,
    atrial: Atrial = False,
) -> None:
    """Write a wearer's model to a file, to take it to another machine.

    Examples
    --------
      ecgmon models export ann ann.onnx

      ecgmon models export ann beats.onnx --beats

      ecgmon models export ann - --version 1 | ssh bedside ecgmon models import ann -
    """
    from ecgmon.models.bundle import read
    from ecgmon.models.loading import decode
    from ecgmon.models.store import NAMES

    kind = _kind(beats, rhythms, atrial)
    if version and kind != "window":
        raise UsageError("--version names a model of any kind: leave --beats and the like out.")
    store = stored()
    path = store.path(wearer, version) if version else store.in_service(wearer, kind)
    if path is None:
        of = "" if kind == "window" else f" of {NAMES[kind]}"
        choose = ": choose one with --version" if store.versions(wearer) else ""
        raise StoreError(f"No model{of} of {wearer}'s own is in service{choose}.")
    data = read(path)
    decode(data, path)
    write_bytes(file, data)


def import_(
    wearer: Wearer,
    file: Annotated[Path, typer.Argument(help="A bundle of this wearer; - is stdin.")],
    keep: Annotated[
        bool, typer.Option("--keep", help="Store it only; the model in service stays.")
    ] = False,
) -> None:
    """Store a wearer's model from a file and put it into service.

    Nothing is trained, so the train extra is not needed.

    Examples
    --------
      ecgmon models import ann ann.onnx

      ecgmon models import ann ann.onnx --keep
    """
    if wearer == GENERIC:
        raise UsageError(f"{GENERIC} is the name of the generic model: choose another id.")
    store = stored()
    version = store.add(wearer, Path("/dev/stdin") if file == Path("-") else file)
    if not keep:
        store.activate(wearer, version)
    _say(f"Version {version} is {'kept' if keep else 'in service'} for {wearer}.")


def _kind(beats: bool, rhythms: bool, atrial: bool) -> "Input":
    """Return which of a wearer's models is asked for."""
    asked: dict[Input, bool] = {"beat": beats, "rhythm": rhythms, "atrial": atrial}
    chosen = [kind for kind, wanted in asked.items() if wanted]
    if len(chosen) > 1:
        raise UsageError("--beats, --rhythms and --atrial are of three models: give one of them.")
    return chosen[0] if chosen else "window"


def _say(text: str) -> None:
    Console(highlight=False).print(text)
