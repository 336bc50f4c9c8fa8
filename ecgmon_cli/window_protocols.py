"""The protocols of the built-in models of windows: from records to result files."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgmon.core.errors import UsageError
from ecgmon.terminal.progress import long_work

if TYPE_CHECKING:
    from trainer.evaluation.outcome import Evaluation


def window_protocol(
    protocol: str,
    network: str,
    out: Path,
    work: Path,
    seed: int,
    data: Path | None,
    database: Path | None,
) -> tuple[Path, dict[str, Any]]:
    """Evaluate models of windows under a protocol and write its results.

    Returns
    -------
    Path
        Folder of the results, in ``out``.
    dict
        Means over wearers by kind of model.
    """
    from trainer.data import noise, people, window_people
    from trainer.evaluation import report
    from trainer.evaluation.enrolment import EnrolmentProtocol
    from trainer.evaluation.inter_patient import InterPatient
    from trainer.evaluation.new_wearer import DATABASES, NewWearer
    from trainer.evaluation.results import protocols
    from trainer.evaluation.results.digest import digest
    from trainer.networks.window_networks import NETWORKS
    from trainer.training.window_trainings import TRAININGS

    whose = people.MITDB if database is None else str(database)
    if whose not in DATABASES:
        raise UsageError(f"{whose} has no folds of wearers: give one of {', '.join(DATABASES)}.")
    known: tuple[Evaluation, ...] = (NewWearer(whose), EnrolmentProtocol(data), InterPatient())
    evaluation = next(each for each in known if each.command.split()[0] == protocol)
    kinds = {*TRAININGS[network].beside, *({whose} - {people.MITDB})}
    decided_by = protocols.decided_by(evaluation.work, network, seed, data)
    place = work / f"{evaluation.work}-{network}-{seed}-{digest(decided_by)}"
    place.mkdir(parents=True, exist_ok=True)
    with long_work() as bar:
        records = bar.add_task("Records", total=len(window_people.names(kinds)), note="")
        sets = window_people.load(
            NETWORKS[network],
            kinds,
            work / "windows",
            data,
            lambda name: bar.update(records, advance=1, note=name),
        )
        models = bar.add_task("Models", total=evaluation.models, note="")
        outcomes = evaluation.outcomes(
            sets,
            noise.load(NETWORKS[network].geometry, data),
            network,
            seed,
            place,
            lambda name: bar.update(models, advance=1, note=name),
        )
    folder = out / evaluation.name
    return folder, report.write(evaluation, outcomes, folder, seed)["mean"]
