"""The beat models of all splits, and which of them judges whom: what ``make beats`` plays.

Generic ones of each fold and of DS1, with the models of atrial rhythms of the same splits, and each
wearer's own of mitdb, adapted from that of the fold:
*enrolled* with the classes of five annotated minutes, *judged* with those that the twenty answers
of a simulated clinician give (`reviewed`). A model that is there is not trained again; remove it to
have it made anew. Folds and DS1/DS2 are those of docs/results/people.md.

    nice .venv/bin/python benchmarks/beat_models.py runs/beat-models
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from rhythms import train

from ecgmon.core.constants import RATE
from ecgmon_cli.train_people import PREPARED
from trainer.data.beats.cached import beats_of
from trainer.data.beats.leads import LeadBeats
from trainer.data.learned_beats import MIXED, WITH_CLASSES, BeatGroup, groups, taught
from trainer.data.people import MITDB, Person, Sides, fold, inter_patient, people
from trainer.data.protocol_splits import FOLDS
from trainer.data.splits import ENROLMENT_S
from trainer.enrolment.likeness import ASKED, alike
from trainer.enrolment.own_beats.others import REHEARSED
from trainer.enrolment.questions import MOST, ClassQuestions
from trainer.training.own_beats import adapt, export_own, restore

SEED = 1
TWELVE = tuple(person for person in people() if person.records[0] in REHEARSED)
"""Who is rehearsed, as by ``ecgmon enroll --beats``."""


def main() -> None:
    """Train what is missing, and write ``models.toml``."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where the models are")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "strangers": {f"fold-{number}": fold(number) for number in range(FOLDS)},
        "inter-patient": {"inter-patient": inter_patient()},
    }
    lines: list[str] = []
    for table, splits in tables.items():
        lines.append(f"[{table}]")
        for split, sides in splits.items():
            train("beats", split, folder / f"{split}.onnx")
            train("atrial", split, folder / f"atrial-{split}.onnx")
            lines += [entry(record, f"{split}.onnx", split) for record in judged(sides)]
    for table in ("enrolled", "judged"):
        lines.append(f"[{table}]")
        for number in range(FOLDS):
            generic = folder / f"fold-{number}.onnx"
            own = enrolled(fold(number), generic, judged=table == "judged")
            lines += [entry(record, file, generic.stem) for record, file in own]
    (folder / "models.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def entry(record: str, file: str, split: str) -> str:
    """Return the line of a record: the bundle that judges its beats, and that of its atria."""
    return f'"{record}" = ["{file}", "atrial-{split}.onnx"]'


def enrolled(sides: Sides, generic: Path, *, judged: bool) -> Iterator[tuple[str, str]]:
    """Yield each wearer of mitdb whom a fold judges, and the file of the own model, made here."""
    for person in (each for each in sides.judged if each.database == MITDB):
        for _, lead in beats_of([person], PREPARED / "beats", mixed=MIXED):
            path = own_file(generic, lead.record, judged=judged)
            if lead.lead != 1:
                continue
            if not path.is_file():
                own = reviewed(generic, lead) if judged else lead
                rehearsal = rehearsed_without(person if person in TWELVE else None)
                network = adapt(generic, own, ENROLMENT_S * RATE, rehearsal, SEED)
                wearer = lead.record.rpartition("/")[2]
                export_own(network, generic, own, ENROLMENT_S, wearer, path)
            yield lead.record, path.name


@cache
def rehearsed_without(wearer: Person | None) -> list[BeatGroup]:
    """Return what the twelve teach, without the wearer if that is one of them."""
    return groups([one for one in TWELVE if one != wearer], PREPARED / "beats", mixed=(), seed=SEED)


def reviewed(generic: Path, lead: LeadBeats, wrong: int = 0) -> LeadBeats:
    """Return a wearer's first five minutes with the classes that twenty answers give.

    A simulated clinician is asked as by ``ecgmon enroll --beats --review``, and says of what class
    the annotation of the beat is: *ventricular* of a fusion beat, *unsure* of one that no class
    fits, *unusable* where there is no annotation.

    Parameters
    ----------
    generic : Path
        Bundle whose network describes the beats.
    lead : LeadBeats
        The wearer's beats with their classes.
    wrong : int
        How many of the answers are of another class.
    """
    beats = lead.select(lead.usable & (lead.samples < ENROLMENT_S * RATE))
    questions = ClassQuestions(beats.samples, *alike(restore(generic), beats))
    rng = np.random.default_rng([SEED, *lead.record.encode()])
    mistakes = set(rng.choice(MOST, wrong, replace=False).tolist())
    truth, answers = taught(beats.labels), dict[int, int | None]()
    for number in range(MOST):
        if (beat := questions.next(answers)) is None:
            break
        answer = int(truth[beat])
        if number in mistakes and 0 <= answer < len(ASKED):
            answer = (answer + int(rng.integers(1, len(ASKED)))) % len(ASKED)
        answers[beat] = answer if answer < len(ASKED) else None
    return replace(beats, labels=questions.spread(answers))


def own_file(generic: Path, record: str, *, judged: bool) -> Path:
    """Return where a wearer's own model lies."""
    return generic.with_name(f"{'judged-' if judged else ''}{record.replace('/', '-')}.onnx")


def judged(sides: Sides) -> list[str]:
    """Return the records of those whom a split judges and whose beats have classes."""
    people = [person for person in sides.judged if person.database in WITH_CLASSES]
    return [record for person in people for record in person.records]


if __name__ == "__main__":
    main()
