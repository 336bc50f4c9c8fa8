"""``ecgmon train --recipe``: train one of the studies' recipes on records that are named."""

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from rich.console import Console

from ecgmon.core.errors import RecordError, UsageError
from ecgmon.terminal.progress import long_work
from ecgmon_cli.options import require_file, say_skipped
from ecgmon_cli.progress import Epochs

if TYPE_CHECKING:
    from trainer.data.examples import Examples

_NOISY: Final = tuple(
    (record, f"{record}e{ratio}")
    for record in ("118", "119")
    for ratio in ("24", "18", "12", "06", "00", "_6")
)
"""Records of the noise stress test (nstdb) are of two wearers of MIT-BIH."""


class RecipeSides(NamedTuple):
    """Records to fit to, to choose on, and never to see; None for those of the built-in models."""

    training: str | None
    validation: str | None
    evaluation: str | None


def known() -> list[str]:
    """Return the names of the recipes, without loading any."""
    folder = Path(str(files("trainer"))) / "recipes"
    return sorted(path.stem for path in folder.glob("[!_]*.py"))


def _refuse_twice(names: list[str]) -> None:
    """Raise `UsageError` where a side of the split has a record twice."""
    bare = [name.rpartition("/")[2] for name in names]
    for name in bare:
        if bare.count(name) > 1:
            raise UsageError(f"{name} is named twice on one side of the split: name it once.")


def _refuse_useless(examples: "Examples", side: str) -> None:
    """Raise `UsageError` where a side has nothing to learn from or be judged on."""
    import numpy as np

    if not len(examples):
        raise UsageError(f"The records of --{side} hold nothing that has a class: name others.")
    finite = np.isfinite(examples.inputs).all((1, 2))
    if not finite.all():
        raise UsageError(
            f"{examples.wearers[~finite][0]} of --{side} has no signal, or beats that lie on each "
            "other: name another record."
        )


def train_recipe(
    name: str,
    live: bool,
    sides: RecipeSides,
    annotator: str | None,
    out: Path | None,
    seed: int,
    data: Path | None,
    *,
    keep_going: bool,
) -> None:
    """Train a recipe and write its bundle."""
    # Whatever can be wrong with the call is said before torch is loaded, which takes seconds.
    from ecgmon.records.find import here
    from ecgmon.records.many import each
    from trainer.data import splits
    from trainer.data.annotated import annotated, annotated_as_heard
    from trainer.data.protocol_splits import SAME_PERSON, refuse_two_sides
    from trainer.recipes import OF_WINDOWS

    if name not in known():
        raise UsageError(f"There is no recipe {name}: choose one of {', '.join(known())}.")
    if live and name in OF_WINDOWS:
        raise UsageError(f"{name} judges windows, not beats: leave --live out.")
    lists = [
        [here(name.removesuffix(".hea")) for name in text.replace(",", " ").split()]
        if text is not None
        else list(default)
        for text, default in zip(
            sides, (splits.TRAINING, splits.VALIDATION, splits.HELD_OUT), strict=True
        )
    ]
    if not all(lists):
        raise UsageError("Each side of the split needs a record: name one, such as 203.")
    for names in lists:
        _refuse_twice(names)
    refuse_two_sides(*lists, same_person=SAME_PERSON + _NOISY)
    segments: Literal["live", "published"] = "live" if live else "published"
    kind = "windows" if name in OF_WINDOWS else segments
    path = out or Path("runs") / f"{name}.onnx"
    require_file(path)
    bad: dict[str, RecordError] = {}
    skipped: dict[str, RecordError] = {}
    named = [name for text, names in zip(sides, lists, strict=True) if text for name in names]
    one = annotated if kind == "published" else annotated_as_heard
    each(named, one, data=data, skipped=bad if keep_going else None)
    say_skipped(bad)
    lists = [[name for name in names if name not in bad] for names in lists]
    for side, names in zip(RecipeSides._fields, lists, strict=True):
        if not names:
            raise UsageError(f"No record of --{side} can be used: name others.")

    from trainer.data.recipe_data import load_examples
    from trainer.recipes import recipe
    from trainer.training.recipe import Checkpoints, Task
    from trainer.training.recipe_export import TrainedRecipe, export_beats, export_windows

    chosen = recipe(name)
    with long_work() as bar:
        task = bar.add_task("Records", total=sum(map(len, lists)), note="")
        sets = [
            load_examples(
                kind,
                names,
                data,
                lambda done: bar.update(task, advance=1, note=done),
                annotator=annotator if named is not None else None,
                skipped=skipped if keep_going else None,
            )
            for names, named in zip(lists, sides, strict=True)
        ]
        say_skipped(skipped)
        for side, (examples, _) in zip(RecipeSides._fields, sets, strict=True):
            _refuse_useless(examples, side)
        (training, _), (validation, _), (evaluation, _) = sets
        system = list(chosen.systems.values())[-1]
        network = system(Task(training, validation, seed, Checkpoints(None, Epochs(bar))))
    records = {wearer: record for _, of in sets for wearer, record in of.items()}
    trained = TrainedRecipe(name, network, training, validation, evaluation, records, seed)
    bundle = (
        export_windows(trained, path)
        if kind == "windows"
        else export_beats(trained, segments, path)
    )
    card = bundle.card
    Console().print(
        f"{path}: {card.name}, {card.parameters:,} parameters\n"
        f"  sha256 {bundle.sha256}\n  Its figures: ecgmon models show {path}",
        highlight=False,
        soft_wrap=True,
    )
