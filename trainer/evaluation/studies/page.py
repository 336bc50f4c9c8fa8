"""docs/results/studies.md: what the jobs have found, beside what was published."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from ecgmon.core.atomic import atomic_write
from ecgmon.metrics.classes import Figures
from trainer import recipes
from trainer.evaluation.results.store import ResultStore, StoredResult
from trainer.evaluation.studies import ec57_page, infarction_page
from trainer.evaluation.studies.parts import Split
from trainer.evaluation.studies.run import SystemResult
from trainer.evaluation.studies.study_jobs import JOBS, OfCell
from trainer.evaluation.studies.tables import MarkdownTable, cell, interval, mean_recall
from trainer.evaluation.studies.targets import targets
from trainer.pages import page
from trainer.training.recipe import Recipe

COMMAND: Final = "ecgmon evaluate --protocol studies"
_KINDS: Final = {
    "trained": "",
    "adapted": ", fitted to the wearer",
    "individual": ", individual",
    "fine-tuned": ", fine-tuned",
}
_EXAMPLES: Final = {"published": "", "live": ", live beats", "windows": ", seconds"}


def write(out: Path, digests: Mapping[str, str]) -> None:
    """Write the page from the results in ``out/studies``; what is not computed yet is a dash.

    Parameters
    ----------
    out : Path
        Folder of all results.
    digests : mapping of str to str
        What the results would have for digests if they were made now, by job; the page says which
        have another one, and of which it cannot be told.
    """
    store = ResultStore(out / "studies")
    stored = {job.name: found for job in JOBS if (found := store.get(job.name)) is not None}
    results = {name: found.result for name, found in stored.items()}
    judged = [
        (job, msgspec.convert(each, SystemResult))
        for job in JOBS
        if isinstance(job, OfCell) and job.name in results
        for each in results[job.name]
    ]
    by_name = {name: recipes.recipe(name) for name in recipes.names()}
    text = page(
        "studies/page.md.j2",
        command=COMMAND,
        overview=_overview(judged),
        recipes=[
            _section(name, recipe, judged, results)
            for name, recipe in sorted(by_name.items(), key=lambda item: _order(item[1]))
        ],
        cost=_cost(stored, digests),
    )
    atomic_write(out / "studies.md", text.encode())  # at once: two processes may end together


def _section(
    name: str,
    recipe: Recipe,
    judged: Sequence[tuple[OfCell, SystemResult]],
    results: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the page says of a recipe."""
    own = [(job, each) for job, each in judged if job.recipe == name]
    is_transfer = name == "transfer"
    transfer = {
        "search": infarction_page.search(results.get("transfer-search")),
        "infarction": infarction_page.transfer(results.get("transfer-ptb")),
        "pictures": infarction_page.pictures(results.get("transfer-explanation")),
    }
    beats = ec57_page.beat_by_beat(results.get("context-ec57"), name)
    return {
        "name": name,
        "title": f"Study {recipe.study}" if recipe.study else "The project's own",
        "about": recipe.about,
        "targets": targets(recipe, own, results.get("transfer-ptb") if is_transfer else None),
        "tables": [_published_classes(recipe, own), _classes(own)],
        "infarction": infarction_page.systems(recipe, own),
        "transfer": transfer if is_transfer else None,
        "beat_by_beat": beats if name == "context" else None,
    }


def _overview(judged: Sequence[tuple[OfCell, SystemResult]]) -> MarkdownTable:
    """Return one table of all systems under the three protocols."""
    head = [
        "study, system",
        "published",
        "random: accuracy / mean recall",
        "inter-patient: accuracy / mean recall",
        "inter-patient: V F1 / S F1",
        "patient-specific: accuracy / mean recall",
        "patient-specific: V F1 / S F1",
    ]
    rows = []
    keys = dict.fromkeys((j.cell.recipe, each.system, j.cell.data) for j, each in judged)
    for key in sorted(keys, key=lambda key: _order(recipes.recipe(key[0]))):
        name, system, data = key
        if data == "ptb":
            continue
        recipe = recipes.recipe(name)
        of = {
            (job.split, each.kind): each
            for job, each in judged
            if (job.cell.recipe, each.system, job.cell.data) == key
        }
        strangers = of.get((Split.INTER_PATIENT, "trained"))
        own = of.get((Split.PATIENT_SPECIFIC, "adapted"))
        title = f"{recipe.study or 'own'}, {system}" + _EXAMPLES[data]
        rows.append(
            [
                title,
                _published(recipe, system),
                _two(of.get((Split.RANDOM, "trained"))),
                _two(strangers),
                _ectopic(strangers),
                _two(own),
                _ectopic(own),
            ]
        )
    return MarkdownTable(head, rows)


def _order(recipe: Recipe) -> tuple[bool, int]:
    """Sort by study; ours, which is of no study, comes last."""
    return not recipe.study, recipe.study


def _published(recipe: Recipe, system: str) -> str:
    figures = recipe.published.get(system, {})
    return " / ".join(
        f"{figures[name]:.4g}" if name in figures else "-" for name in ("accuracy", "mean recall")
    )


def _two(judged: SystemResult | None) -> str:
    if judged is None:
        return "-"
    figures = Figures(judged.counts)
    return f"{figures.accuracy:.4f} / {mean_recall(judged.counts):.3f}"


def _ectopic(judged: SystemResult | None) -> str:
    if judged is None or "V" not in judged.classes:
        return "-"
    f1 = dict(zip(judged.classes, Figures(judged.counts).f1, strict=True))
    return f"{f1['V']:.3f} / {f1['S']:.3f}"


def _classes(judged: Sequence[tuple[OfCell, SystemResult]]) -> MarkdownTable:
    """Return a table of all systems and protocols of a recipe, class by class."""
    rows = []
    names: Sequence[str] = ()
    for job, each in sorted(judged, key=lambda item: list(Split).index(item[0].split)):
        if job.cell.data == "ptb":
            continue
        names = each.classes
        figures = Figures(each.counts)
        per_class = zip(figures.precision, figures.recall, figures.f1, strict=True)
        title = f"{each.system}{_KINDS[each.kind]}" + (", live" if job.cell.data == "live" else "")
        rows.append(
            [
                str(job.split),
                title,
                f"{figures.accuracy:.4f}",
                interval(each, lambda counts: Figures(counts).accuracy),
                *(_three(values) for values in per_class),
            ]
        )
    head = ["split", "system", "accuracy", "95 %", *(f"{name}: PPV / Se / F1" for name in names)]
    return MarkdownTable(head, rows, left=2)


def _published_classes(
    recipe: Recipe, judged: Sequence[tuple[OfCell, SystemResult]]
) -> MarkdownTable:
    """Return the publication's table by class beside ours, if it has one.

    Ours is at the classes' own proportions, and as if all classes had as many examples.
    """
    rows = []
    for job, each in judged:
        figures = recipe.published.get(each.system, recipe.published.get("published", {}))
        if job.split != Split.RANDOM or f"{each.classes[0]} F1" not in figures:
            continue
        own = Figures(each.counts)
        for i, name in enumerate(each.classes):
            parts = [(f.precision[i], f.recall[i], f.f1[i]) for f in (own, own.at_equal_classes())]
            figure_means = (figures[f"{name} {figure}"] for figure in ("precision", "recall", "F1"))
            rows.append(
                [f"{each.system}, {name}", *(_three(part) for part in (figure_means, *parts))]
            )
    head = ["random split", "published", "ours", "ours, at equal classes"]
    return MarkdownTable(
        [f"{name}: PPV / Se / F1" if n else name for n, name in enumerate(head)], rows
    )


def _three(values: Iterable[float]) -> str:
    return " / ".join(cell(value) for value in values)


def _cost(stored: Mapping[str, StoredResult], digests: Mapping[str, str]) -> dict[str, Any]:
    """Return hours of one core, seeds, and which results are not there or not today's code's."""
    others = [name for name, result in stored.items() if digests.get(name, "") != result.digest]
    return {
        "hours": sum(result.processor_s for result in stored.values()) / 3600,
        "seeds": sorted({result.seed for result in stored.values()}),
        "remarks": (
            ("Not computed yet", [job.name for job in JOBS if job.name not in stored]),
            ("Computed by other code than today's", [n for n in others if n in digests]),
            (
                "Without the records that tell, it is not known whether today's code makes the "
                "same",
                [name for name in others if name not in digests],
            ),
        ),
    }
