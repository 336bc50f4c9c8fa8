"""What enrolment brings a model of beats: docs/results/beats-enrolment.md.

Offline: beats as the monitor's own code finds them in a whole record, judged by the network and
the kinds of beats, without sockets, withdrawn beats or EC57's matching of beats. ``make beats``
measures what the running monitor publishes. Models of folds lie in DIR (`beat_models`); nothing is
stored there.

    nice .venv/bin/python benchmarks/beat_enrolments.py runs/beat-models
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from beat_models import SEED, TWELVE, rehearsed_without, reviewed
from beats_judged import ROOT
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.core.labels import UNLABELLED
from ecgmon.metrics.classes import Figures, confusion
from ecgmon.models.beat_kinds import steadied
from ecgmon.models.resolve import GENERIC_BEATS, built_in
from ecgmon.terminal.progress import long_work
from ecgmon_cli.train_people import PREPARED
from trainer.data.beats.kachuee import CLASSES
from trainer.data.beats.leads import LeadBeats
from trainer.data.learned_beats import groups, labelled, taught
from trainer.data.people import MITDB, Person, fold, shipped
from trainer.data.protocol_splits import FOLDS
from trainer.data.splits import ENROLMENT_S
from trainer.networks.beat_context_net import BeatContextNet
from trainer.training.own_beats import adapt, restore

PAGE: Final = ROOT / "docs" / "results" / "beats-enrolment.md"
WRONG: Final = 2
"""Of twenty answers of the clinician who errs."""
S, V = CLASSES.index("S"), CLASSES.index("V")

Counts = NDArray[np.int64]
Result = tuple[str, Counts]
"""How a network was made, and what it calls the beats of one wearer."""


def called(network: BeatContextNet, lead: LeadBeats) -> Counts:
    """Count what a network calls a wearer's usable beats after the enrolment."""
    late = lead.samples >= ENROLMENT_S * RATE
    inputs = lead.inputs[lead.usable]
    with torch.inference_mode():
        said = network(torch.from_numpy(inputs)).softmax(1).numpy()
    which = ((lead.labels != UNLABELLED) & late)[lead.usable]
    labels = taught(lead.labels[lead.usable][which])
    return confusion(labels, steadied(inputs, said, CLASSES)[which].argmax(axis=1), len(CLASSES))


def of_choosers(done: Callable[[str], None]) -> Iterator[Result]:
    """Yield the choosers, each enrolled with all people rehearsed and with the twelve."""
    generic, sides = built_in()[GENERIC_BEATS], shipped()
    choosers = labelled(sides.choosing, PREPARED / "beats", None)
    yield from (("generic", called(restore(generic), lead)) for lead in choosers)
    for name, rehearsal in (
        ("all people rehearsed", groups(sides.training, PREPARED / "beats", seed=SEED)),
        ("twelve rehearsed", groups(TWELVE, PREPARED / "beats", mixed=(), seed=SEED)),
    ):
        for lead in choosers:
            network = adapt(generic, lead, ENROLMENT_S * RATE, rehearsal, SEED)
            yield name, called(network, lead)
            done(lead.record)


def of_wearers(folder: Path, done: Callable[[str], None]) -> Iterator[Result]:
    """Yield the wearers of mitdb, each enrolled from the model of a fold that never saw them."""
    for number in range(FOLDS):
        generic = folder / f"fold-{number}.onnx"
        for person in fold(number).judged:
            if person.database == MITDB:
                for lead in labelled([person], PREPARED / "beats", None):
                    yield from of_wearer(generic, person, lead)
                    done(lead.record)


def of_wearer(generic: Path, person: Person, lead: LeadBeats) -> Iterator[Result]:
    """Yield what the generic network and those of each way of enrolling call a wearer's beats."""
    yield "generic", called(restore(generic), lead)
    rehearsal = rehearsed_without(person if person in TWELVE else None)
    for name, own in (
        ("five annotated minutes", lead),
        ("twenty judgements", reviewed(generic, lead)),
        (f"twenty judgements, {WRONG} of them wrong", reviewed(generic, lead, WRONG)),
    ):
        yield name, called(adapt(generic, own, ENROLMENT_S * RATE, rehearsal, SEED), lead)


def totals(results: Iterator[Result]) -> dict[str, Counts]:
    """Add up the wearers of each way."""
    total: dict[str, Counts] = {}
    for name, counts in results:
        total[name] = total.get(name, np.zeros_like(counts)) + counts
    return total


def rows(total: Mapping[str, Counts], *, gain_of: str | None = None) -> Iterator[Sequence[str]]:
    """Yield the F1 in % of V, of S and their mean, and the shares of a gain where asked for."""
    f1 = {name: 100 * Figures(counts).f1[[V, S]] for name, counts in total.items()}
    for name, each in f1.items():
        cells = [name, *(f"{value:.1f}" for value in (*each, each.mean()))]
        if gain_of is not None:
            share = 100 * (each - f1["generic"]) / (f1[gain_of] - f1["generic"])
            cells += ["-", "-"] if name == "generic" else [f"{value:.0f}" for value in share]
        yield cells


def table(head: Sequence[str], body: Iterator[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page(wearers: Mapping[str, Counts], choosers: Mapping[str, Counts]) -> str:
    """Return the page, of what came of the wearers of mitdb and of the choosers."""
    head = ["", "V F1", "S F1", "mean"]
    annotated = "five annotated minutes"
    shares = [*head, "of the gain, V", "of the gain, S"]
    return f"""# What enrolment brings a model of beats

    make beats-enrolment MODELS=DIR

Offline: usable beats after the first five minutes, as the monitor's code finds them in the whole
record, judged by the network and the kinds of beats; a fusion beat is one of class V.
[Beats](beats.md) has what the running monitor publishes. Figures are gross, in %.

## Twenty judgements against five annotated minutes

The 44 records of mitdb without a pacemaker, each from the generic model of a fold that never saw
the person, twelve people rehearsed. A simulated clinician answers as the annotation of the beat
says. The gain is that of five annotated minutes over the generic model.

{table(shares, rows(wearers, gain_of=annotated))}

## Rehearsal

First leads of the choosers ([people](people.md)), to whom the built-in model was not fitted, each
from five annotated minutes.

{table(head, rows(choosers))}
"""


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", type=Path, metavar="DIR", help="generic models of the folds")
    parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE", help="the page")
    chosen = parser.parse_args()
    with long_work() as bar:
        task = bar.add_task("Wearers", total=None, note="")

        def done(name: str) -> None:
            bar.update(task, advance=1, note=name)

        wearers = totals(of_wearers(chosen.models, done))
        choosers = totals(of_choosers(done))
    chosen.page.write_text(page(wearers, choosers), encoding="utf-8")


if __name__ == "__main__":
    main()
