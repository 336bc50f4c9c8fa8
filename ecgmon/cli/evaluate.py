"""``ecgmon evaluate``: the protocols, from records to result files, tables and plots."""

import hashlib
import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ecgmon.cli.options import Data
from ecgmon.cli.progress import long_work
from ecgmon.cli.train import Network, require_torch


class Protocol(StrEnum):
    """Protocols to evaluate."""

    NEW_WEARER = "new-wearer"
    INTER_PATIENT = "inter-patient"


def evaluate(
    protocol: Annotated[Protocol, typer.Option(help="Which protocol.")],
    network: Annotated[Network, typer.Option(help="Which network.")] = Network.BEATNET,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the result files, tables and plots.")
    ] = Path("docs/results"),
    work: Annotated[
        Path, typer.Option(help="Folder for models on the way; work found there is not redone.")
    ] = Path("runs"),
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 1,
    data: Data = None,
) -> None:
    """Evaluate under a protocol and write its results.

    new-wearer: what enrolment faces. Generic models that never saw the wearer, enrolment on the
    first five minutes, scored on the rest.

    inter-patient: one model from DS1, judged on DS2 without adaptation.

    Interrupted work is taken up where it stopped, as long as neither code nor seed has changed.

    Example:

      ecgmon evaluate --protocol new-wearer
    """
    require_torch()
    from trainer import splits
    from trainer.dataset import load
    from trainer.evaluation import report
    from trainer.evaluation.inter_patient import InterPatient
    from trainer.evaluation.new_wearer import NewWearer
    from trainer.evaluation.outcome import Evaluation
    from trainer.networks import NETWORKS

    evaluation: Evaluation = NewWearer() if protocol == Protocol.NEW_WEARER else InterPatient()
    place = work / f"{protocol}-{network}-{seed}-{_code_digest()}"
    place.mkdir(parents=True, exist_ok=True)
    with long_work() as bar:
        records = bar.add_task("Records", total=len(splits.RECORDS), note="")
        sets = load(
            splits.RECORDS,
            NETWORKS[network],
            data,
            lambda name: bar.update(records, advance=1, note=name),
        )
        models = bar.add_task("Models", total=evaluation.models, note="")
        outcomes = evaluation.outcomes(
            {s.wearer: s for s in sets},
            network,
            seed,
            place,
            lambda name: bar.update(models, advance=1, note=name),
        )
    folder = out / protocol
    result = report.write(evaluation, outcomes, folder, seed)
    Console().print(f"{folder}/README.md written", highlight=False)
    Console().print(json.dumps(result["mean"], indent=1), highlight=False)


def _code_digest() -> str:
    """Return a digest of the code that decides what is trained: not of pages, wire and view."""
    import ecgmon
    import trainer

    shared = Path(str(ecgmon.__file__)).parent
    folders = (Path(str(trainer.__file__)).parent, shared, shared / "records", shared / "signal")
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
