"""The beat models of all splits, and which of them judges whom: what ``make beats`` plays.

Generic ones of each fold and of DS1, and each wearer's own of mitdb, adapted from that of the fold.
A model that is there is not trained again; remove it to have it made anew. Folds and DS1/DS2 are
those of docs/results/people.md.

    nice .venv/bin/python benchmarks/beat_models.py runs/beat-models
"""

import argparse
import subprocess
from collections.abc import Iterator
from pathlib import Path

from beats_judged import ROOT

from ecgmon.core.constants import RATE
from ecgmon_cli.train_beats import PREPARED
from trainer.data.beats.cached import beats_of
from trainer.data.learned_beats import MIXED, WITH_CLASSES, groups
from trainer.data.people import MITDB, Sides, fold, inter_patient
from trainer.data.protocol_splits import FOLDS
from trainer.data.splits import ENROLMENT_S
from trainer.training.own_beats import adapt, export_own

SEED = 1


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
            train(split, folder / f"{split}.onnx")
            lines += [f'"{record}" = "{split}.onnx"' for record in judged(sides)]
    lines.append("[enrolled]")
    for number in range(FOLDS):
        generic = folder / f"fold-{number}.onnx"
        lines += [f'"{record}" = "{file}"' for record, file in enrolled(fold(number), generic)]
    (folder / "models.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def train(split: str, path: Path) -> None:
    """Train the model of a split unless it is there."""
    if not path.is_file():
        command = [ROOT / ".venv/bin/ecgmon", "train", "--network", "beats", "--split", split]
        subprocess.run([*command, "-o", path], check=True)  # noqa: S603 - our own command


def enrolled(sides: Sides, generic: Path) -> Iterator[tuple[str, str]]:
    """Yield each wearer of mitdb whom a fold judges, and the file of the own model, made here."""
    people = [person for person in sides.judged if person.database == MITDB]
    missing = [
        name
        for person in people
        for name in person.records
        if not own_file(generic, name).is_file()
    ]
    rehearsal = groups(sides.training, PREPARED, seed=SEED) if missing else []
    for person in people:
        for _, lead in beats_of([person], PREPARED, mixed=MIXED):
            path = own_file(generic, lead.record)
            if lead.lead != 1:
                continue
            if not path.is_file():
                network = adapt(generic, lead, ENROLMENT_S * RATE, rehearsal, SEED)
                wearer = lead.record.rpartition("/")[2]
                export_own(network, generic, lead, ENROLMENT_S, wearer, path)
            yield lead.record, path.name


def own_file(generic: Path, record: str) -> Path:
    """Return where a wearer's own model lies."""
    return generic.with_name(f"{record.replace('/', '-')}.onnx")


def judged(sides: Sides) -> list[str]:
    """Return the records of those whom a split judges and whose beats have classes."""
    people = [person for person in sides.judged if person.database in WITH_CLASSES]
    return [record for person in people for record in person.records]


if __name__ == "__main__":
    main()
