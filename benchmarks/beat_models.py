"""The generic beat models of all splits, and which of them judges whom: what ``make beats`` plays.

A model that is there is not trained again; remove it to have it made anew. Folds and DS1/DS2 are
those of docs/results/people.md.

    nice .venv/bin/python benchmarks/beat_models.py runs/beat-models
"""

import argparse
import subprocess
from pathlib import Path

from beats_judged import ROOT

from trainer.data.learned_beats import WITH_CLASSES
from trainer.data.people import Sides, fold, inter_patient
from trainer.data.protocol_splits import FOLDS


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
    (folder / "models.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def train(split: str, path: Path) -> None:
    """Train the model of a split unless it is there."""
    if not path.is_file():
        command = [ROOT / ".venv/bin/ecgmon", "train", "--network", "beats", "--split", split]
        subprocess.run([*command, "-o", path], check=True)  # noqa: S603 - our own command


def judged(sides: Sides) -> list[str]:
    """Return the records of those whom a split judges and whose beats have classes."""
    people = [person for person in sides.judged if person.database in WITH_CLASSES]
    return [record for person in people for record in person.records]


if __name__ == "__main__":
    main()
