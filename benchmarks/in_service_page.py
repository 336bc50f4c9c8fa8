"""The page of ``make in-service``: what enrolment and a model of beats are worth in the monitor."""

from collections.abc import Mapping
from typing import Any, Final

from templated import template

from ecgmon.metrics.two_classes import Confusion
from trainer.data.people import MITDB
from trainer.data.splits import MODEL_SELECTION
from trainer.data.window_people import SVDB
from trainer.evaluation.figures import Figures, mean, pooled

KINDS: Final = ("without", "with")
WAYS: Final = ("annotated", "reviewed", "assumed-normal")
"""Ways of enrolling (`trainer.evaluation.enrolment`) that are played."""
FEW: Final = 4
"""Wearers with so few abnormal seconds after the enrolment are reported apart as well."""
WORST: Final = 10
Counts = Mapping[str, Mapping[str, Any]]


def page(counts: Counts) -> str:
    """Return the page of all counts, by replay."""
    of = {
        (database, way, kind): _confusions(counts, database, way, kind)
        for database, ways in ((MITDB, ("generic", *WAYS)), (SVDB, ("generic", "annotated")))
        for way in ways
        for kind in KINDS
    }
    every = [each for by_kind in counts.values() for each in (by_kind["without"], by_kind["with"])]
    return template("in_service.md.j2").render(
        targets=[row for kind in KINDS for row in _targets(of, kind)],
        rows=[_row(key, each) for key, each in of.items()],
        few=[_few(name, of) for name in _with_few(of)],
        worst=_worst(of),
        unchosen=[
            _row(key, {n: c for n, c in each.items() if n not in MODEL_SELECTION})
            for key, each in of.items()
            if key[0] == MITDB
        ],
        differ=sum(each["without"]["differ"] for each in counts.values()),
        judged=sum(_seconds(each["without"]) for each in counts.values()),
        silent=sum(each["silent"] for each in every) // len(KINDS),
        overruled=sum(each["with"]["differ"] for each in counts.values()),
    )


def _confusions(counts: Counts, database: str, way: str, kind: str) -> dict[str, Confusion]:
    found = {}
    for name, each in counts.items():
        of, wearer, how = name.split("/")
        if (of, how) == (database, way):
            found[wearer] = Confusion(**{n: each[kind][n] for n in ("tp", "fp", "tn", "fn")})
    return found


def _targets(of: Mapping[tuple[str, str, str], dict[str, Confusion]], kind: str) -> list[list[str]]:
    means = {way: mean(list(of[MITDB, way, kind].values())) for way in ("generic", *WAYS)}
    pools = {way: pooled(list(of[MITDB, way, kind].values())) for way in ("generic", *WAYS)}
    accuracy = {way: _number(each, "balanced_accuracy") for way, each in means.items()}
    gain = accuracy["annotated"] - accuracy["generic"]
    reviewed = (accuracy["reviewed"] - accuracy["generic"]) / gain
    f1 = {way: _number(each, "f1") for way, each in pools.items()}
    both = accuracy["assumed-normal"] > accuracy["generic"] and f1["assumed-normal"] > f1["generic"]
    rows = (
        ("generic, mean balanced accuracy", "0.90", accuracy["generic"], 0.90),
        ("enrolled, mean balanced accuracy", "0.96", accuracy["annotated"], 0.96),
        ("enrolled, pooled F1", "0.975", f1["annotated"], 0.975),
        ("twenty answers, share of the annotations' gain", "0.95", reviewed, 0.95),
    )
    met = {True: "met", False: "**missed**"}
    return [
        *(
            [f"{what}, {kind} beats", to, f"{is_:.3f}", met[is_ >= at]]
            for what, to, is_, at in rows
        ),
        [
            f"assumed normal, mean balanced accuracy and pooled F1, {kind} beats",
            f"above {accuracy['generic']:.3f} and {f1['generic']:.3f}",
            f"{accuracy['assumed-normal']:.3f} and {f1['assumed-normal']:.3f}",
            met[both],
        ],
    ]


def _row(key: tuple[str, str, str], each: Mapping[str, Confusion]) -> list[str]:
    database, way, kind = key
    means, pools = mean(list(each.values())), pooled(list(each.values()))
    cells = [
        f"{_number(of, name):{form}}"
        for of, name, form in (
            (means, "balanced_accuracy", ".3f"),
            (pools, "balanced_accuracy", ".3f"),
            (pools, "f1", ".3f"),
            (pools, "ppv", ".3f"),
            (pools, "false_alerts_per_hour", ".1f"),
            (pools, "missed_per_hour", ".1f"),
        )
    ]
    return [database, way, kind, f"{means['balanced_accuracy_wearers']}", *cells]


def _with_few(of: Mapping[tuple[str, str, str], dict[str, Confusion]]) -> list[str]:
    each = of[MITDB, "generic", "without"]
    return [name for name, c in each.items() if 0 < c.tp + c.fn <= FEW]


def _few(name: str, of: Mapping[tuple[str, str, str], dict[str, Confusion]]) -> list[str]:
    found = [of[MITDB, way, kind][name] for way in ("generic", "annotated") for kind in KINDS]
    return [
        name,
        f"{found[0].tp + found[0].fn}",
        *(f"{c.tp} found, {c.fp} false" for c in found),
    ]


def _worst(of: Mapping[tuple[str, str, str], dict[str, Confusion]]) -> list[list[str]]:
    enrolled = of[MITDB, "annotated", "with"]
    known = {n: c.balanced_accuracy for n, c in enrolled.items() if c.balanced_accuracy is not None}
    rows = []
    for name in sorted(known, key=known.__getitem__)[:WORST]:
        c = enrolled[name]
        figures = (_accuracy(of[MITDB, way, kind][name]) for way, kind in _SHOWN)
        rows.append([name, f"{c.tp + c.fn}", *figures, f"{c.fn}", f"{c.fp}"])
    return rows


_SHOWN: Final = tuple((way, kind) for way in ("generic", "annotated") for kind in KINDS)


def _accuracy(of: Confusion) -> str:
    return "-" if of.balanced_accuracy is None else f"{of.balanced_accuracy:.3f}"


def _number(of: Figures, name: str) -> float:
    value = of[name]
    return 0.0 if value is None else float(value)


def _seconds(each: Mapping[str, int]) -> int:
    return sum(each[name] for name in ("tp", "fp", "tn", "fn"))
