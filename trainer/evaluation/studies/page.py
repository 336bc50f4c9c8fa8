"""docs/results/studies.md: what the jobs have found, beside what was published."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from ecgmon.core.atomic import atomic_write
from ecgmon.metrics.classes import Figures
from trainer import recipes
from trainer.evaluation.results.store import Kept, Store
from trainer.evaluation.studies import ec57_page, infarction_page
from trainer.evaluation.studies.jobs import JOBS, OfCell
from trainer.evaluation.studies.parts import Split
from trainer.evaluation.studies.remarks import CONCLUSION, REMARKS
from trainer.evaluation.studies.run import SystemResult
from trainer.evaluation.studies.tables import cell, interval, mean_recall, table
from trainer.training.recipe import Recipe

COMMAND: Final = "ecgmon evaluate --protocol studies"
_KINDS: Final = {
    "trained": "",
    "adapted": ", fitted to the wearer",
    "individual": ", individual",
    "fine-tuned": ", fine-tuned",
}
_EXAMPLES: Final = {"published": "", "live": ", live beats", "windows": ", seconds"}
_INTRODUCTION: Final = f"""# Studies 2 to 5

Everything on this page is computed by `{COMMAND}`; a row by its recipe and split, for example
`{COMMAND} --recipe focal --split random`. Results in `docs/results/studies` stay while code, seed
and data are the same: to compute them again, give `--out` and `--work` empty folders. Two processes
share the work.

No network is fitted to a test example. Where an epoch is chosen, or how far the logits are shifted
towards rare classes (Menon et al. 2021), validation examples of the same split choose; study 5's
*published* and *cross-entropy* networks and the project's own are taken after their last epoch.
But settings that are not a publication's were compared once, on validation examples of the random
split: on beats of all wearers, so of DS2's too. How networks are fitted to a wearer, and all of the
project's own recipe, was compared on wearers of DS1.

The protocols:

- **random**: what the publications did. Beats are assigned 80/20 by class, whoever they are of,
  and a tenth of the 80 % is the validation set; so nearly every test beat has its neighbours of the
  same minute among those trained on. Windows (study 2) are split as study 1 does, for each wearer.
- **inter-patient**: DS1 -> DS2 of de Chazal et al. (2004), 22 wearers each, without adaptation;
  four wearers of DS1 are the validation set. 201 in DS1 and 202 in DS2 are one person, as the field
  uses it.
- **patient-specific**: the networks of DS1 fitted to the first five minutes of each wearer of DS2,
  with their annotations; the rest of each record is scored. 201 and 202 are on two sides here, too.

Beats are Kachuee's (2018): 187 samples at 125 Hz from the R peak on, 1.2 median RR intervals long
and filled with zeros. Its public data set has 109,446 of them, and exactly these come out here,
class by class (90,589 N, 2,779 S, 7,236 V, 803 F, 8,039 Q), if beats start at the annotations and
each record's last one is left out. The publication's own rule, maxima above 0.9 of a strip of ten
seconds, finds 68,654 (`tests/trainer/data/beats/test_kachuee.py` counts both). *Live* beats are
what a monitor has half a second after a beat: the causally filtered signal from a second before it,
how it differs from the median of the beats before, and the RR intervals before it.

*PPV* is positive predictive value, *Se* sensitivity. *Mean recall* is the mean sensitivity of the
classes, which the publications call class-weighted accuracy. DS2 holds seven beats of class Q, so
its mean recall there is over N, S, V and F. Intervals are 95 %, by bootstrap over wearers.
"""
_ALL: Final = """## All systems under the three protocols

Study 2 judges seconds as normal or abnormal, the others beats of five classes: its figures are not
to be compared with theirs.

"""


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
    store = Store(out / "studies")
    kept = {job.name: found for job in JOBS if (found := store.get(job.name)) is not None}
    results = {name: found.result for name, found in kept.items()}
    judged = [
        (job, msgspec.convert(each, SystemResult))
        for job in JOBS
        if isinstance(job, OfCell) and job.name in results
        for each in results[job.name]
    ]
    parts = [_INTRODUCTION, _overview(judged), CONCLUSION]
    by_name = {name: recipes.recipe(name) for name in recipes.names()}
    for name, recipe in sorted(by_name.items(), key=lambda item: _order(item[1])):
        own = [(job, each) for job, each in judged if job.recipe == name]
        title = f"Study {recipe.study}" if recipe.study else "The project's own"
        parts.append(f"## {title}: `--recipe {name}`\n\n{recipe.about}\n")
        parts += [_published_classes(recipe, own), _published_wearers(recipe, own)]
        parts += [_classes(own), REMARKS.get(name, "")]
        parts.append(infarction_page.systems(recipe, own))
        if name == "transfer":
            parts.append(infarction_page.search(results.get("transfer-search")))
            parts.append(infarction_page.transfer(results.get("transfer-ptb")))
            parts.append(infarction_page.pictures(results.get("transfer-explanation")))
        if name == "context":
            parts.append(ec57_page.beat_by_beat(results.get("context-ec57"), name))
    parts.append(_cost(kept, digests))
    text = "\n".join(part.rstrip() + "\n" for part in parts if part)
    atomic_write(out / "studies.md", text.encode())  # at once: two processes may end together


def _overview(judged: Sequence[tuple[OfCell, SystemResult]]) -> str:
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
    return _ALL + table(head, rows)


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


def _classes(judged: Sequence[tuple[OfCell, SystemResult]]) -> str:
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
    return table(head, rows)


def _published_classes(recipe: Recipe, judged: Sequence[tuple[OfCell, SystemResult]]) -> str:
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
            said = (figures[f"{name} {figure}"] for figure in ("precision", "recall", "F1"))
            rows.append([f"{each.system}, {name}", *(_three(part) for part in (said, *parts))])
    head = ["random split", "published", "ours", "ours, at equal classes"]
    return table([f"{name}: PPV / Se / F1" if n else name for n, name in enumerate(head)], rows)


def _published_wearers(recipe: Recipe, judged: Sequence[tuple[OfCell, SystemResult]]) -> str:
    """Return a publication's means over wearers beside ours, if it has any."""
    rows = []
    for job, each in judged:
        said = recipe.published.get(each.kind, {}).get("balanced accuracy")
        if said is not None and job.split == Split.RANDOM:
            own = [Figures(np.array(counts)).mean_recall for counts in each.per_wearer.values()]
            rows.append([f"{each.kind}, {len(own)} wearers", f"{said:.3f}", f"{np.mean(own):.3f}"])
    return table(["random split, mean balanced accuracy", "published", "ours"], rows)


def _three(values: Iterable[float]) -> str:
    return " / ".join(cell(value) for value in values)


def _cost(kept: Mapping[str, Kept], digests: Mapping[str, str]) -> str:
    spent = sum(result.processor_s for result in kept.values()) / 3600
    seeds = ", ".join(map(str, sorted({result.seed for result in kept.values()})))
    others = [name for name, result in kept.items() if digests.get(name, "") != result.digest]
    said = (
        ("Not computed yet", [job.name for job in JOBS if job.name not in kept]),
        ("Computed by other code than today's", [n for n in others if n in digests]),
        (
            "Without the records that tell, it is not known whether today's code makes the same",
            [name for name in others if name not in digests],
        ),
    )
    remarks = "".join(f" {remark}: {', '.join(names)}." for remark, names in said if names)
    return (
        f"## Cost\n\nAll of it took {spent:.1f} hours of one core's time, from seed {seeds or '-'};"
        f" two processes share it.{remarks}\n"
    )
